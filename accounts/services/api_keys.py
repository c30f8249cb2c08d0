"""Giving keys to programs, and taking them back."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any, TypedDict, Unpack

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.api_keys import hash_of, new_key, permissions_for_keys
from accounts.models import ApiKey, ApiKeyUse, User
from audit.services import record
from core import crud
from core.errors import ConflictError, DomainError, InvalidError, raise_all
from core.security.limiter import Demand, Limit, limiter
from core.visibility import Actor

# Uses of a key are written down as often as this; those between leave the database alone.
NOTED_EVERY = timedelta(minutes=1)
# How many refusals are put on record: of a key that there is, and of what was made up, by address and all together.
REFUSED = Limit("refused_key", quota=1, seconds=60, burst=1, outage=1)
STRANGE = Limit("strange_key", quota=1, seconds=60, burst=5, outage=1)
STRANGE_TOGETHER = Limit("strange_keys", quota=60, seconds=600, burst=60, outage=6)


class ApiKeyValues(TypedDict, total=False):
    user: User
    name: str
    scopes: list[str]
    ip_networks: list[str]
    expires_at: datetime


class NotAServiceAccountError(InvalidError):
    """People log in: a key of theirs would be a way in without the second factor."""

    code = "not_a_service_account"
    title = "Only accounts of programs have keys."
    field = "user"


class UnknownScopeError(InvalidError):
    """The scope is no permission, or one that takes somebody who has logged in."""

    code = "unknown_scope"
    title = "There is no such permission for keys."
    field = "scopes"


class ScopeNotHeldError(InvalidError):
    """A key does nothing that its account may not do."""

    code = "scope_not_held"
    title = "No role of the account gives this permission."
    field = "scopes"


class ScopesWidenError(InvalidError):
    """A key that was handed out opens no more than it did."""

    code = "scopes_only_narrow"
    title = "The scopes of a key are narrowed; make another key for what it lacks."
    field = "scopes"


class ExpiresInPastError(InvalidError):
    """The key would open nothing; one that is to end now is revoked."""

    code = "expires_in_past"
    title = "A key expires in the future."
    field = "expires_at"


class ExpiresTooLateError(InvalidError):
    """A key lives no longer than `API_KEY_LONGEST_LIFE`."""

    code = "expires_too_late"
    title = "A key lives no longer than the installation allows."
    field = "expires_at"


class ExpiryOnlyShortensError(InvalidError):
    """A key that was handed out lives no longer than was said."""

    code = "expiry_only_shortens"
    title = "A key can expire sooner, not later."
    field = "expires_at"


class OverlapTooLongError(InvalidError):
    """Two keys where one is meant are good for as long as programs need to change over."""

    code = "overlap_too_long"
    title = "The former key stays good for a few days at most."
    field = "overlap_seconds"


class KeyEndedError(ConflictError):
    """The key has expired or was revoked."""

    code = "api_key_ended"
    title = "The key has ended; make another one."


@transaction.atomic
def create_api_key(*, by: Actor | None, **values: Unpack[ApiKeyValues]) -> ApiKey:
    """Give a key to the account of a program; the row that is returned tells it as `secret`, and nothing ever again.

    Raises `NotAServiceAccountError`, `UnknownScopeError`, `ScopeNotHeldError`, `ExpiresInPastError` and
    `ExpiresTooLateError`, all that are due.
    """
    now = timezone.now()
    user = values["user"]
    errors: list[DomainError] = [] if user.is_service else [NotAServiceAccountError()]
    errors += _scope_errors(user, values["scopes"])
    errors += _expiry_errors(values["expires_at"], at=now)
    raise_all(errors)
    key = _make(values, by=by)
    record(action="api_key.created", actor=by, subject=key, on_behalf_of=user.pk, detail=_facts(key))
    return key


@transaction.atomic
def update_api_key(key: ApiKey, *, by: Actor | None, **changes: Unpack[ApiKeyValues]) -> ApiKey:
    """Rename a key, say where it may be used from, narrow its scopes or let it expire sooner.

    Raises `KeyEndedError`, `ScopesWidenError`, `ExpiryOnlyShortensError` and `ExpiresInPastError`.
    """
    now = timezone.now()
    _require_live(key, at=now)
    fields = _tidy(changes)
    errors: list[DomainError] = []
    if not set(fields.get("scopes", ())) <= set(key.scopes):
        errors.append(ScopesWidenError())
    expires_at = fields.get("expires_at", key.expires_at)
    if expires_at > key.expires_at:
        errors.append(ExpiryOnlyShortensError())
    elif expires_at <= now:
        errors.append(ExpiresInPastError())
    raise_all(errors)
    seen = key.version
    crud.update(key, fields)
    if key.version != seen:
        record(action="api_key.changed", actor=by, subject=key, on_behalf_of=key.user_id, detail=_facts(key))
    return key


@transaction.atomic
def revoke_api_key(key: ApiKey, *, by: Actor | None) -> None:
    """Take a key back from the next request on; one that was revoked before stays as it is."""
    if key.revoked_at is None:
        crud.update(key, {"revoked_at": timezone.now()})
        record(action="api_key.revoked", actor=by, subject=key, on_behalf_of=key.user_id, detail=_facts(key))


@transaction.atomic
def rotate_api_key(
    key: ApiKey,
    *,
    by: Actor | None,
    at: datetime,
    expires_at: datetime | None = None,
    overlap_seconds: int | None = None,
) -> ApiKey:
    """Make the one successor of a key with the same rights, and let the key itself live on for a while.

    Without `expires_at` the successor lives as long as the key was meant to. Raises `KeyEndedError`,
    `OverlapTooLongError`, `ExpiresInPastError`, `ExpiresTooLateError` and `api_key_rotated`.
    """
    _require_live(key, at=at)
    overlap = settings.API_KEY_OVERLAP if overlap_seconds is None else timedelta(seconds=overlap_seconds)
    longest = at + settings.API_KEY_LONGEST_LIFE
    until = expires_at or min(at + (key.expires_at - key.created_at), longest)
    errors: list[DomainError] = [] if overlap <= settings.API_KEY_LONGEST_OVERLAP else [OverlapTooLongError()]
    raise_all(errors + _expiry_errors(until, at=at))
    values: ApiKeyValues = {
        "user": key.user,
        "name": key.name,
        "scopes": key.scopes,
        "ip_networks": key.ip_networks,
        "expires_at": until,
    }
    successor = _make(values, by=by, replaces=key)
    crud.update(key, {"expires_at": min(key.expires_at, at + overlap)})
    facts = _facts(successor) | {"replaces": key.prefix, "former_until": key.expires_at}
    record(action="api_key.rotated", actor=by, subject=successor, on_behalf_of=key.user_id, detail=facts)
    return successor


def note_use(key: ApiKey, *, address: str | None, at: datetime) -> None:
    """Write down that a key was used, unless that was done within the last minute."""
    last = key.use.last_used_at
    if last is None or last <= at - NOTED_EVERY:
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=at - NOTED_EVERY)
        ApiKeyUse.objects.filter(stale, key=key).update(last_used_at=at, last_used_ip=address)


@transaction.atomic
def note_misuse(key: ApiKey, *, address: str | None, at: datetime) -> None:
    """Put on record that a key was sent from where it may not be used, once in a minute: it may have been stolen."""
    stale = Q(last_refused_at__isnull=True) | Q(last_refused_at__lte=at - NOTED_EVERY)
    if ApiKeyUse.objects.filter(stale, key=key).update(last_refused_at=at, last_refused_ip=address):
        record(action="api_key.used_elsewhere", subject=key, on_behalf_of=key.user_id, detail={"prefix": key.prefix})


def note_refusal(key: ApiKey | None, *, fault: str, prefix: str, caller: str) -> None:
    """Put on record that what was sent as a key opened nothing, and why: of one key once in a minute.

    Of keys that nobody has, `caller`, an address, leaves one in a minute and all together leave sixty in ten minutes,
    beyond a few at once: a flood of guesses fills no log. What was sent stays unsaid but for its prefix.
    """
    strangers = [Demand(STRANGE, caller), Demand(STRANGE_TOGETHER, "all")]
    if limiter().spend([Demand(REFUSED, str(key.pk))] if key else strangers).is_admitted:
        account = key.user_id if key else None
        record(action="api_key.refused", subject=key, on_behalf_of=account, detail={"prefix": prefix, "fault": fault})


def _make(values: ApiKeyValues, *, by: Actor | None, replaces: ApiKey | None = None) -> ApiKey:
    secret, prefix = new_key()
    fields = _tidy(values) | {"prefix": prefix, "key_hash": hash_of(secret), "created_by": by, "replaces": replaces}
    key = crud.create(ApiKey, fields)
    key.use = ApiKeyUse.objects.create(key=key)
    key.secret = secret
    return key


def _tidy(values: ApiKeyValues) -> dict[str, Any]:
    """Write scopes and networks in one way, and each once."""
    fields: dict[str, Any] = dict(values)
    if "scopes" in fields:
        fields["scopes"] = sorted(set(fields["scopes"]))
    if "ip_networks" in fields:
        fields["ip_networks"] = sorted(set(map(_network, fields["ip_networks"])))
    return fields


def _network(text: str) -> str:
    try:
        return str(ip_network(text.strip(), strict=False))
    except ValueError:
        return text  # the column says what is wrong with it


def _require_live(key: ApiKey, *, at: datetime) -> None:
    if not key.is_live(at):
        raise KeyEndedError


def _scope_errors(user: User, scopes: Iterable[str]) -> list[DomainError]:
    asked = set(scopes)
    errors: list[DomainError] = []
    if unknown := asked - permissions_for_keys():
        errors.append(UnknownScopeError(meta={"scopes": sorted(unknown)}))
    if missing := (asked & permissions_for_keys()) - user.permissions:
        errors.append(ScopeNotHeldError(meta={"scopes": sorted(missing)}))
    return errors


def _expiry_errors(expires_at: datetime, *, at: datetime) -> list[DomainError]:
    if expires_at <= at:
        return [ExpiresInPastError()]
    longest: timedelta = settings.API_KEY_LONGEST_LIFE
    return [ExpiresTooLateError(meta={"most_days": longest.days})] if expires_at > at + longest else []


def _facts(key: ApiKey) -> dict[str, Any]:
    return {
        "prefix": key.prefix,
        "name": key.name,
        "scopes": key.scopes,
        "networks": key.ip_networks,
        "until": key.expires_at,
    }
