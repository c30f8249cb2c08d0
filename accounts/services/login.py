"""Logging in with a password.

Whoever fails is told one thing, at one cost, whatever was wrong: the address is unknown, the account inactive or
without a password, the password wrong, or too many were tried.
"""

import unicodedata
from datetime import datetime

from accounts import devices, hashing, means
from accounts.models import User
from accounts.services.attempts import record_attempt
from accounts.services.guesses import FREE, announce_lock, forget_guesses, reserve_guess, subject_of
from accounts.services.second_step import SecondStep, admit
from accounts.services.sessions import InvalidCredentialsError, Tokens


def log_in(
    *, email: str, password: str, device: str = "", user_agent: str = "", ip: str | None = None, at: datetime
) -> Tokens | SecondStep:
    """Open a session, or ask an account that has a second factor for it.

    Raises `InvalidCredentialsError`, at equal cost for whatever is wrong. `device` is what the device was given when
    its owner last logged in there.
    """
    user = authenticate(email=email, password=password, device=device, at=at)
    known = devices.device_of(device, user.pk, at=at)
    return admit(user, amr=[means.PASSWORD], device=known, user_agent=user_agent, ip=ip, at=at)


def authenticate(*, email: str, password: str, device: str = "", door: str = "api", at: datetime) -> User:
    """Return the active account that an address and a password are of; raise `InvalidCredentialsError` otherwise.

    A failure goes on record with the `door` it was at, unless it is one of a flood.
    """
    user = User.objects.with_assignments().select_related("person").addressed(email).first()
    subject, is_own_device = _subject(email, user, device, at)
    guesses = reserve_guess(subject, at=at)
    may_log_in = guesses is not None and user is not None and user.is_active
    is_correct, is_outdated = hashing.check(password, user.password if user and may_log_in else None)
    if not is_correct or user is None:
        if guesses == FREE and not is_own_device:
            announce_lock(user, at=at)
        # What was typed as an address stays unsaid: it may have been a password.
        record_attempt(action="login.failed", user=user, detail={"of": door}, at=at)
        raise InvalidCredentialsError
    forget_guesses(subject)
    if is_outdated:
        _upgrade(user, password)
    return user


def account_subject(user: User) -> bytes:
    """Return what guesses at an account are counted under."""
    return subject_of("account", user.pk.bytes)


def _subject(email: str, user: User | None, device: str, at: datetime) -> tuple[bytes, bool]:
    if user is None:
        typed = unicodedata.normalize("NFKC", email).strip().casefold()
        return subject_of("address", typed.encode(errors="surrogatepass")), False
    known = devices.device_of(device, user.pk, at=at)
    if known is None:
        return account_subject(user), False
    return subject_of("device", user.pk.bytes + known), True


def _upgrade(user: User, password: str) -> None:
    """Store the password under today's first hasher, as it was typed, unless it was replaced meanwhile."""
    upgraded = hashing.hashed(password)
    if User.objects.filter(pk=user.pk, password=user.password).update(password=upgraded):
        user.password = upgraded
