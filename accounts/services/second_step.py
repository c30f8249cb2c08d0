"""The second step of a log-in: whoever has shown one means and has a second one shows that as well.

Between the steps there is a token that opens nothing by itself. It is good for five minutes, one log-in and five wrong
codes, and only while the account stays as it was. Wrong codes are counted for the account, too, or for the known device
they come from, exactly as wrong passwords are: asking for another token gives nobody more guesses.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import transaction
from django.db.models import F

from accounts import means
from accounts.models import PendingLogIn, RecoveryCode, SecondFactor, User
from accounts.services.codes import use_code
from accounts.services.guesses import FREE, announce_lock, forget_guesses, reserve_guess, subject_of
from accounts.services.sessions import LONGEST_USER_AGENT, InvalidCredentialsError, Tokens, open_session
from audit.services import record

PENDING_FOR = timedelta(minutes=5)
TOKEN_BYTES = 32

ShownT = TypeVar("ShownT")


class InvalidPendingLogInError(Exception):
    """The token is of no log-in that waits: made up, expired, used, used up, or of an account that has changed."""


class WrongCodeError(Exception):
    """The code is not one of the account's, was used before, or too many were tried."""


@dataclass(frozen=True)
class SecondStep:
    """A log-in that waits for a second factor: the token that goes on with it, and what it may go on by."""

    token: str
    kinds: tuple[str, ...]
    expires_in: int


@dataclass(frozen=True)
class Opened:
    """A session that was opened in two steps, and the known device that was, if it was one."""

    tokens: Tokens
    device: bytes | None


def admit(
    user: User, *, amr: Sequence[str], device: bytes | None = None, user_agent: str = "", ip: str | None = None,
    at: datetime,
) -> Tokens | SecondStep:  # fmt: skip
    """Open a session, or ask for the second factor of an account that has one and has not shown it.

    Raises `InvalidCredentialsError` when the account has changed since `user` was read.
    """
    kinds = () if means.has_second(amr) else kinds_of(user)
    if not kinds:
        return open_session(user, amr=amr, user_agent=user_agent, ip=ip, at=at)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    PendingLogIn.objects.create(
        user=user,
        token_hash=_hash(token),
        token_version=user.token_version,
        amr=list(amr),
        device=device,
        user_agent=user_agent[:LONGEST_USER_AGENT],
        ip=ip,
        expires_at=at + PENDING_FOR,
    )
    return SecondStep(token, kinds, int(PENDING_FOR.total_seconds()))


def kinds_of(user: User) -> tuple[str, ...]:
    """Return the kinds of second factors that an account has; none when it has no second factor."""
    factors = SecondFactor.objects.confirmed().filter(user=user)
    kinds = sorted(set(factors.values_list("kind", flat=True)))
    if kinds and RecoveryCode.objects.filter(user=user, used_at__isnull=True).exists():
        kinds.append(means.RECOVERY)
    return tuple(kinds)


def complete_log_in(*, token: str, code: str, at: datetime) -> Opened:
    """Open the session of a log-in that waits for this code.

    Raises `InvalidPendingLogInError` and `WrongCodeError`. Call it outside a transaction: what was tried stays counted.
    """
    pending, user = attempted(token, at=at)
    return complete(pending, user, lambda: use_code(user, code, at=at), at=at)


def complete(pending: PendingLogIn, user: User, show: Callable[[], str | None], *, at: datetime) -> Opened:
    """Open the session of a log-in whose owner shows a second factor: `show` returns by which means, or None."""
    device = bytes(pending.device) if pending.device else None

    def opened() -> Tokens | None:
        with transaction.atomic():
            shown = show()
            return _open(pending, user, shown, at) if shown else None

    return Opened(prove(user, opened, device=device, door="second step", at=at), device)


def show_code(user: User, code: str, *, door: str, at: datetime) -> str:
    """Take a code of an account and return which means it is; raise `WrongCodeError`. It is counted as a guess."""
    return prove(user, lambda: use_code(user, code, at=at), door=door, at=at)


def prove(
    user: User, attempt: Callable[[], ShownT | None], *, device: bytes | None = None, door: str, at: datetime
) -> ShownT:
    """Let somebody attempt to show a second factor; raise `WrongCodeError` when they fail or have failed too often."""
    subject = _subject(user, device)
    guesses = reserve_guess(subject, at=at)
    shown = attempt() if guesses is not None else None
    if shown is None:
        if guesses == FREE and device is None:
            announce_lock(user, at=at)
        record(action="second_factor.failed", subject=user, detail={"of": door})
        raise WrongCodeError
    forget_guesses(subject)
    return shown


def attempted(token: str, *, at: datetime) -> tuple[PendingLogIn, User]:
    """Count an attempt at a log-in that waits and return it with its account; raise `InvalidPendingLogInError`."""
    waiting = PendingLogIn.objects.waiting(at).filter(token_hash=_hash(token))
    if not waiting.update(attempts=F("attempts") + 1):
        raise InvalidPendingLogInError
    return awaited(token)


def awaited(token: str) -> tuple[PendingLogIn, User]:
    """Return the log-in that a token is of and its account; raise `InvalidPendingLogInError` when that has changed."""
    pending = PendingLogIn.objects.filter(token_hash=_hash(token)).first()
    if pending is None:
        raise InvalidPendingLogInError
    unchanged = {"pk": pending.user_id, "is_active": True, "token_version": pending.token_version}
    user = User.objects.for_api().filter(**unchanged).first()
    if user is None:
        raise InvalidPendingLogInError
    return pending, user


def _open(pending: PendingLogIn, user: User, shown: str, at: datetime) -> Tokens:
    """Complete a log-in, which only one of those who come at one moment does."""
    if not PendingLogIn.objects.filter(pk=pending.pk, completed_at__isnull=True).update(completed_at=at):
        raise InvalidPendingLogInError
    try:
        return open_session(user, amr=[*pending.amr, shown], user_agent=pending.user_agent, ip=pending.ip, at=at)
    except InvalidCredentialsError as changed:
        raise InvalidPendingLogInError from changed


def _subject(user: User, device: bytes | None) -> bytes:
    if device is None:
        return subject_of("second factor", user.pk.bytes)
    return subject_of("second factor on a device", user.pk.bytes + device)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
