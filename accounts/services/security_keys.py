"""Security keys (WebAuthn) as second factors: phones, tokens and laptops that sign a challenge for this site alone.

The options are what browsers hand to `navigator.credentials`, the credentials what they return, both in the JSON
of WebAuthn Level 3 (5.1.8 and 5.1.10). What is kept of a key is public, encrypted all the same. Which site the keys are
for is configured: nothing here is taken from the `Host` of a request.
"""

import struct
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.exceptions import UnsupportedAlgorithm
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from accounts import means
from accounts.models import FactorKind, PendingLogIn, SecondFactor, User
from accounts.services.factors import BEGUN_FOR, Enrolled, NoEnrolmentError, let_count
from accounts.services.reauthentication import reauthenticate
from accounts.services.second_step import InvalidPendingLogInError, Opened, attempted, awaited, complete
from accounts.services.sessions import lock_users
from core import crud
from core.errors import ConflictError, InvalidError

PRODUCT = "CampusHub360"
MOST_KEYS = 10
VERIFICATION = UserVerificationRequirement.PREFERRED
# What the library raises on bytes that are no credential.
UNREADABLE = (
    *(ValueError, TypeError, KeyError, AttributeError, IndexError, AssertionError, OverflowError, RecursionError),
    *(struct.error, UnsupportedAlgorithm),
)


class TooManyKeysError(ConflictError):
    """An account has some security keys, not any number."""

    code = "too_many_factors"
    title = f"An account has at most {MOST_KEYS} security keys; remove one first."


class WrongCredentialError(InvalidError):
    """The key did not sign what it was asked to, or not for this site."""

    code = "wrong_credential"
    title = "The security key did not sign what it was asked to."
    field = "credential"


def begin_key(user: User, *, password: str, session_id: UUID, at: datetime) -> dict[str, Any]:
    """Return the options by which a browser makes a key for this account; it counts once it is confirmed.

    Raises what `reauthenticate` raises, and `TooManyKeysError`.
    """
    reauthenticate(user, password, session_id=session_id, at=at, field="password")
    with transaction.atomic():
        lock_users([user.pk])
        keys = SecondFactor.objects.filter(user=user, kind=FactorKind.KEY)
        present = [_credential(key) for key in keys.confirmed()]
        if len(present) >= MOST_KEYS:
            raise TooManyKeysError
        options, state = _server().register_begin(
            PublicKeyCredentialUserEntity(
                id=user.pk.bytes, name=user.email, display_name=str(user.person or user.email)
            ),
            credentials=present,
            resident_key_requirement=ResidentKeyRequirement.DISCOURAGED,
            user_verification=VERIFICATION,
        )
        keys.filter(confirmed_at__isnull=True).delete()
        # Until there is a key, the secret is what it has to sign.
        crud.create(SecondFactor, {"user": user, "kind": FactorKind.KEY, "secret": state["challenge"]})
    return dict(options)


def confirm_key(
    user: User, *, credential: Mapping[str, Any], name: str = "", session_id: UUID, at: datetime
) -> Enrolled:
    """Let a key count that a browser has made; raise `NoEnrolmentError` and `WrongCredentialError`."""
    begun = SecondFactor.objects.begun(at - BEGUN_FOR).filter(user=user, kind=FactorKind.KEY).first()
    if begun is None:
        raise NoEnrolmentError
    try:
        made = _server().register_complete(_state(begun.secret), credential)
    except UNREADABLE as error:
        raise WrongCredentialError from error
    with transaction.atomic():
        lock_users([user.pk])
        # Another one may have been begun meanwhile.
        if not SecondFactor.objects.filter(pk=begun.pk, confirmed_at__isnull=True).exists():
            raise NoEnrolmentError
        begun.secret, begun.counter = b64encode(made.credential_data or b"").decode(), made.counter
        begun.save(update_fields=["secret", "counter", "updated_at"])
        return let_count(user, begun, name=name, shown=means.KEY, session_id=session_id, at=at)


def begin_key_step(*, token: str, at: datetime) -> dict[str, Any]:
    """Return the options by which a browser asks a key for the second step; raise `InvalidPendingLogInError`."""
    pending, user = awaited(token)
    keys = [_credential(key) for key in _keys(user)]
    options, state = _server().authenticate_begin(keys, user_verification=VERIFICATION)
    waiting = PendingLogIn.objects.waiting(at).filter(pk=pending.pk)
    if not keys or not waiting.update(challenge=state["challenge"]):
        raise InvalidPendingLogInError
    return dict(options)


def complete_with_key(*, token: str, credential: Mapping[str, Any], at: datetime) -> Opened:
    """Open the session of a log-in that waits for a key; raise `InvalidPendingLogInError` and `WrongCodeError`."""
    pending, user = attempted(token, at=at)
    return complete(pending, user, lambda: _use_key(pending, user, credential, at), at=at)


def _use_key(pending: PendingLogIn, user: User, credential: Mapping[str, Any], at: datetime) -> str | None:
    """Take what a key signed; None when it is no key of the account, or not what this log-in asked it to sign."""
    keys = [(_credential(key), key.pk) for key in _keys(user)]
    if not pending.challenge or not keys:
        return None
    try:
        shown = AuthenticationResponse.from_dict(credential)
        used = _server().authenticate_complete(_state(pending.challenge), [credential for credential, _ in keys], shown)
        count = shown.response.authenticator_data.counter
    except UNREADABLE:
        return None
    # A count that does not grow is that of a copy (WebAuthn 7.2, 22); keys that count nothing always say 0.
    named = next(pk for credential, pk in keys if credential.credential_id == used.credential_id)
    accepted = SecondFactor.objects.filter(Q(counter__lt=count) if count else Q(counter__lte=0), pk=named)
    return means.KEY if accepted.update(counter=count, last_used_at=at) else None


def _keys(user: User) -> list[SecondFactor]:
    return list(SecondFactor.objects.confirmed().filter(user=user, kind=FactorKind.KEY))


def _credential(key: SecondFactor) -> AttestedCredentialData:
    return AttestedCredentialData(b64decode(key.secret))


def _state(challenge: str) -> dict[str, Any]:
    return {"challenge": challenge, "user_verification": VERIFICATION}


def _server() -> Fido2Server:
    site = PublicKeyCredentialRpEntity(id=settings.WEBAUTHN_RP_ID, name=settings.INSTITUTION_NAME or PRODUCT)
    return Fido2Server(site, verify_origin=lambda origin: origin in settings.WEBAUTHN_ORIGINS)
