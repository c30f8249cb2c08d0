"""Where what happens comes from: the request being answered, or the account that a job acts for.

Whoever keeps a record asks `origin()`. The database is told, too: every statement that writes sets, in its own
transaction, who acts, in which request and with which API key, so that triggers know whatever way a row is written. The
settings are local to the transaction and travel with the statement; they cost no round trip and leak into nobody's
pooled session.
"""

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from psycopg import sql

from core.cache.commits import Raise, followed
from core.db.positions import stay_on_primary
from core.logging import request_id
from core.security.addresses import client_address

_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)
_actor_id: ContextVar[UUID | None] = ContextVar("actor_id", default=None)
_is_plain: ContextVar[bool] = ContextVar("is_plain", default=False)

# A statement that writes, after comments or none. In one with parts that are named first, any of these may; that rows
# are locked for an update is no write.
_WRITES = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
    r"(?:(?:INSERT|UPDATE|DELETE|MERGE)\b"
    r"|WITH\b.*(?:\b(?:INSERT\s+INTO|DELETE\s+FROM|MERGE\s+INTO)\b|(?<!\bFOR\s)(?<!\bKEY\s)\bUPDATE\s+(?:ONLY\s|[\w\"])))",
    re.IGNORECASE | re.DOTALL,
)
_SPEAKABLE = re.compile(r"[A-Za-z0-9._-]{1,128}")


@dataclass(frozen=True)
class Origin:
    """Who acts, in which request, from where and with which key; empty for what is not known."""

    actor_id: UUID | None
    actor_label: str
    request_id: str
    address: str | None
    # Of the API key that the account acts with; empty for somebody who has logged in.
    key_prefix: str = ""


def origin() -> Origin:
    """Return where the present work comes from."""
    request, actor = _request.get(), _actor_id.get()
    user = user_of(request) if actor is None else None
    address = client_address(request) if request is not None else None
    return Origin(
        actor_id=actor or getattr(user, "pk", None),
        actor_label=str(user) if user is not None and user.pk else "",
        request_id=_request_id(),
        address=str(address) if address else None,
        key_prefix=_key_prefix(),
    )


def user_of(request: HttpRequest | None) -> Any:
    """Return whom a request was found to come from; looking at a session nobody opened would read the database."""
    user = request.__dict__.get("user") if request is not None else None
    if isinstance(user, SimpleLazyObject):
        user = request.__dict__.get("_cached_user") if request is not None else None
    return user


@contextmanager
def answering(request: HttpRequest) -> Generator[None]:
    """Let what the block does come from a request."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


@contextmanager
def acting_as(actor_id: UUID | None) -> Generator[None]:
    """Let what the block does come from an account: a job's, whose request was answered long ago."""
    token = _actor_id.set(actor_id)
    try:
        yield
    finally:
        _actor_id.reset(token)


@contextmanager
def nothing_follows() -> Generator[None]:
    """Execute the block's statements as they are.

    For what writes to tables that no trigger follows, that move no generation, and that are read from the primary
    alone: there is nobody to be told where a row comes from, and nothing to be raised.
    """
    token = _is_plain.set(True)
    try:
        yield
    finally:
        _is_plain.reset(token)


def settings_sql(raising: Raise | None) -> str:
    """Return the statement that tells the present transaction where its writes come from, and its commit's name."""
    actor, key = _actor_id.get() or getattr(user_of(_request.get()), "pk", None), _key_prefix()
    return (
        f"SELECT set_config('campushub360.actor', '{actor or ''}', true), "
        f"set_config('campushub360.key', '{key}', true), "
        f"set_config('campushub360.request', '{_request_id()}', true), "
        f"set_config('campushub360.commit', '{raising.commit if raising else ''}', true); "
    )


def state_origin(execute: Callable[..., Any], statement: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Execute a statement; one that writes says first, in the same message, where it comes from.

    One that is a transaction of its own has moved the generations of what it changed by the time this returns.
    """
    text = statement.as_string(None) if isinstance(statement, sql.Composable) else statement
    if _is_plain.get() or not (isinstance(text, str) and _WRITES.match(text)):
        return execute(statement, params, many, context)
    database, cursor = context["connection"], context["cursor"].cursor
    if many and not database.in_atomic_block:  # each of them would be a transaction of its own
        with transaction.atomic(using=database.alias):
            return state_origin(execute, statement, params, many, context)
    raising = followed(database)
    stay_on_primary()
    told = settings_sql(raising)
    if many:  # the driver repeats the statement, which it may not do with two
        with database.wrap_database_errors:
            cursor.execute(told)
        result = execute(statement, params, many, context)
    else:
        result = execute(told + text, params, many, context)
        cursor.nextset()  # what the settings answered
    if raising is not None and not database.in_atomic_block:
        raising()
    return result


def watch(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Let a connection's writes say where they come from; the receiver of `connection_created`."""
    if connection.vendor == "postgresql" and state_origin not in connection.execute_wrappers:
        connection.execute_wrappers.append(state_origin)


def _key_prefix() -> str:
    """Return the prefix of the key that the request came with; a job that acts for somebody came with none."""
    claims = getattr(_request.get(), "auth", None) if _actor_id.get() is None else None
    found = getattr(claims, "api_key_prefix", "")
    return found if _SPEAKABLE.fullmatch(found) else ""


def _request_id() -> str:
    found = request_id.get()
    return found if _SPEAKABLE.fullmatch(found) else ""
