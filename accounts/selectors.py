"""What others ask of accounts: whose a token or an API key is, which keys verify tokens, where roles are held."""

import hmac
import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.db import connection
from django.db.models.base import ModelState
from jwt.algorithms import ECAlgorithm

from accounts.api_keys import hash_of, prefix_of
from accounts.assignments import unit_model
from accounts.models import ApiKey, RoleAssignment, Session, SigningKey, User
from accounts.roles import ScopeKind
from accounts.tokens import ALGORITHM, AccessClaims
from core.cache.generations import Reading, generations
from core.cache.local import LocalCache
from core.errors import InUseError

_IDENTIFY = """
    SELECT (found.account).*, found.held, found.seconds, found.records FROM accounts_identify(%s, %s, %s, %s) AS found
"""
# Who was found behind a log-in and a signing key, and the generations of everything this was read from.
MOST_IDENTIFIED, LONGEST_IDENTIFIED = 10_000, 60.0
_identified: LocalCache[str, tuple[Reading, User]] = LocalCache(most=MOST_IDENTIFIED, clock=time.monotonic)
# What the hash of a key that is not there is compared with.
DECOY = bytes(32)


def user_of(claims: AccessClaims, *, at: datetime) -> User | None:
    """Return the account that verified claims speak for, with its roles; None when its session has ended.

    One query asks for the account, the session, the roles held now and the key that signed the token; it is spared
    while the generations of all of them say that nothing has changed since. So whatever was taken back is taken back
    for the next request. Whether the token is of the account's present version is for the caller to compare.
    """
    name = claims.log_in
    # Inside a transaction one sees what others do not, and need not see what they have committed.
    reading = None if connection.in_atomic_block else generations().read(claims.tags)
    known = _identified.get(name) if reading is not None else None
    if known is not None and known[0] == reading:
        return _copy(known[1])
    asked = time.monotonic()
    user, seconds = _identify(claims, at)
    if user is None:
        return None
    user.good_until = asked + seconds
    if reading is None:
        return user
    user.vouched_by = (claims.tags, reading)
    _identified.add(name, (reading, _copy(user)), until=asked + min(seconds, LONGEST_IDENTIFIED))
    return user


def good_among(claims: Collection[AccessClaims], *, at: datetime) -> frozenset[AccessClaims]:
    """Return those whose session, account and signing key are as they were: two queries, however many there are.

    For who goes on without a request. Whether their tokens have expired they say themselves.
    """
    sessions = Session.objects.live(at).filter(pk__in={each.session_id for each in claims}, user__is_active=True)
    live = {pk: (user, version) for pk, user, version in sessions.values_list("pk", "user", "user__token_version")}
    trusted = frozenset(SigningKey.objects.trusted().values_list("kid", flat=True))
    return frozenset(
        each
        for each in claims
        if each.kid in trusted and live.get(each.session_id) == (each.user_id, each.token_version)
    )


def _identify(claims: AccessClaims, at: datetime) -> tuple[User | None, float]:
    """Return the account, and for how many seconds the mere passing of time will not change the answer."""
    with connection.cursor() as cursor:
        cursor.execute(_IDENTIFY, [claims.user_id, claims.session_id, claims.kid, at])
        row = cursor.fetchone()
        names = [column.name for column in cursor.description or ()]
    if row is None:
        return None, 0
    values = dict(zip(names, row, strict=True))
    held, seconds = json.loads(values.pop("held")), float(values.pop("seconds"))
    records = values.pop("records") or filter(None, [values["person_id"]])
    # A column that the other release of a rolling update knows of is no matter here; one that it lacks is read late.
    columns = [field for field in User._meta.concrete_fields if field.column in values]
    user = User.from_db(connection.alias, [f.attname for f in columns], [values[f.column] for f in columns])
    vars(user).update(held=held, records=frozenset(records))
    return user, seconds


def _copy(user: User) -> User:
    """Return the account as a row of its own, which the request may change; what is computed of it comes along."""
    copied = User.__new__(User)
    _ = user.permissions
    vars(copied).update(vars(user))
    copied._state = ModelState()
    copied._state.db, copied._state.adding = user._state.db, False
    return copied


@dataclass(frozen=True)
class Presented:
    """What was sent as a key: its prefix, the key that has it, and what is wrong, which is nothing with a good one."""

    prefix: str = ""
    key: ApiKey | None = None
    fault: str = ""


def key_presented(text: str, *, at: datetime) -> Presented:
    """Return what `text` is as a key, with its account and the roles held now.

    One query, so that whatever was taken back is taken back for the next request. What is wrong with a key makes no
    difference to the cost: a prefix that nobody has costs the same comparison.
    """
    prefix = prefix_of(text)
    if prefix is None:
        return Presented(fault="malformed")
    key = ApiKey.objects.with_account().filter(prefix=prefix).first()
    is_the_one = hmac.compare_digest(bytes(key.key_hash) if key else DECOY, hash_of(text))
    if key is None:
        return Presented(prefix, fault="unknown")
    return Presented(prefix, key, _fault_of(key, at) if is_the_one else "wrong")


def _fault_of(key: ApiKey, at: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if not key.is_live(at):
        return "expired"
    return "" if key.user.is_active and key.user.is_service else "disabled"


def require_unassigned(kind: ScopeKind, ids: Collection[UUID]) -> None:
    """Refuse with `in_use` while a role is held, or will be, within one of the units, and let nobody be given one.

    For the transaction that deletes the units, before it does. Assignments that have ended name the
    unit as it was and keep nobody from deleting it.
    """
    model = unit_model(kind)
    if model is not None:
        rows = model._base_manager.filter(pk__in=list(ids)).order_by("pk").select_for_update(of=("self",))
        list(rows.values_list("pk"))
    held = RoleAssignment.objects.lasting().filter(scope_kind=kind, scope_id__in=list(ids)).count()
    if held:
        raise InUseError(meta={"referred_to_by": {str(RoleAssignment._meta.verbose_name_plural): held}})


def published_keys() -> list[dict[str, Any]]:
    """Return the public keys that verify tokens, or will: a JSON Web Key each (RFC 7517)."""
    rows = SigningKey.objects.trusted().order_by("published_at", "id").values_list("kid", "public_key")
    return [_jwk(kid, pem) for kid, pem in rows]


def _jwk(kid: str, pem: str) -> dict[str, Any]:
    public: Any = load_pem_public_key(pem.encode())
    return {**ECAlgorithm.to_jwk(public, as_dict=True), "kid": kid, "use": "sig", "alg": ALGORITHM}
