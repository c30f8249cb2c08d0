"""Answering a repeated request once: the memory behind the `Idempotency-Key` header.

`recall` and `remember` belong into the transaction of the effect. Then the three stand or fall
together: a crash before the commit leaves neither effect nor key and a repetition starts anew, a
crash after it leaves both and a repetition gets the kept answer.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from django.db.models.functions import Now

from core.db.locks import LockTimeoutError, lock_named, lock_patience
from core.db.purging import purge
from core.errors import ConflictError, InvalidError
from core.models import IdempotencyKey

KEPT = timedelta(hours=72)
PATIENCE_MILLISECONDS = 2000
KEY = re.compile(r"[\x20-\x7e]{1,255}")


class InvalidKeyError(InvalidError):
    """The key cannot be one."""

    code = "idempotency_key_invalid"
    title = "An idempotency key is 1 to 255 printable ASCII characters."
    field = "Idempotency-Key"


class InProgressError(ConflictError):
    """The first request with this key is still being answered."""

    code = "idempotency_in_progress"
    title = "A request with this idempotency key is still being answered."
    field = "Idempotency-Key"
    wait: ClassVar[int] = 1  # seconds until it is worth asking again


class KeyReusedError(Exception):
    """The key was used for another request."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A request as its sender identifies it; `sha256` is the digest of everything that it asks."""

    principal: str
    key: str
    method: str
    path: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was answered, byte for byte."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes


def recall(question: Question) -> Answer | None:
    """Hold the key until the transaction ends, and return the answer this question had, if it had one.

    Raises `InvalidKeyError`; `InProgressError` when another transaction holds the key for long;
    `KeyReusedError` when the key belongs to another question.
    """
    if not KEY.fullmatch(question.key):
        raise InvalidKeyError
    try:
        with lock_patience(PATIENCE_MILLISECONDS):
            lock_named("core.idempotency", f"{question.principal} {question.key}")
    except LockTimeoutError as error:
        raise InProgressError from error
    row = IdempotencyKey.objects.live().filter(principal=question.principal, key=question.key).first()
    if row is None:
        return None
    if (row.method, row.path, row.request_sha256) != (question.method, question.path, question.sha256):
        raise KeyReusedError
    return Answer(status_code=row.status_code, headers=row.response_headers, body=bytes(row.response_body))


def remember(question: Question, answer: Answer) -> None:
    """Keep the answer for 72 hours, in the transaction that has recalled the question in vain."""
    IdempotencyKey.objects.expired().filter(principal=question.principal, key=question.key).delete()
    IdempotencyKey.objects.create(
        principal=question.principal,
        key=question.key,
        method=question.method,
        path=question.path,
        request_sha256=question.sha256,
        status_code=answer.status_code,
        response_headers=dict(answer.headers),
        response_body=answer.body,
        expires_at=Now() + KEPT,
    )


def purge_expired(*, batch: int = 5000) -> int:
    """Delete the answers whose keys have expired, in small transactions; return how many.

    Raises `LockHeldError` when somebody else is at it.
    """
    return purge(IdempotencyKey.objects.expired(), order="expires_at", batch=batch)
