"""Showing once more to be the owner of an account, for what a session alone does not open.

Whoever knows the password of an account says it. An account without one is logged in to at another institution, so
there its owner logs in anew, and goes on for a few minutes in the session that opened.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from accounts import hashing, means
from accounts.models import Session, User
from accounts.services.guesses import forget_guesses, reserve_guess, subject_of
from audit.services import record
from core.errors import ForbiddenError, InvalidError


class WrongPasswordError(InvalidError):
    """Whoever changes what opens an account says its password, whatever session they are in."""

    code = "wrong_password"
    title = "This is not the present password."
    field = "current_password"


class TooManyGuessesError(ForbiddenError):
    """A session is good for a few guesses at the password of its account."""

    code = "too_many_guesses"
    title = "Too many wrong passwords were tried; try again later."
    field = "current_password"


class FreshLogInRequiredError(ForbiddenError):
    """The account has no password to say, and its log-in elsewhere was too long ago, or was none."""

    code = "fresh_login_required"
    title = "The account has no password: log in again where you usually do, and do this within some minutes."


@dataclass(frozen=True)
class Reauthenticated:
    """That the owner of an account has shown to be it, just now."""

    user_id: UUID


def reauthenticate(
    user: User, password: str, *, session_id: UUID | None, at: datetime, field: str = "current_password"
) -> Reauthenticated:
    """Let the owner alone go on, by the password of the account or, where it has none, by a log-in elsewhere just now.

    Raises `WrongPasswordError`, `TooManyGuessesError` after a few wrong ones, `required` without any, and
    `FreshLogInRequiredError`. Call it outside a transaction: what was tried stays counted.
    """
    if user.has_usable_password():
        _require_password(user, password, session_id=session_id, at=at, field=field)
    elif not _is_fresh(user, session_id, at):
        record(action="reauthentication.failed", actor=user, subject=user)
        raise FreshLogInRequiredError(meta={"within_seconds": int(settings.FRESH_LOG_IN.total_seconds())})
    return Reauthenticated(user.pk)


def _require_password(user: User, password: str, *, session_id: UUID | None, at: datetime, field: str) -> None:
    """Compare a password; guesses are counted for the session, so that a stolen one keeps the owner out of nothing."""
    if not password:
        raise InvalidError("This field is required.", field=field, code="required")
    subject = subject_of("session", (session_id or user.pk).bytes)
    if reserve_guess(subject, at=at) is None:
        raise TooManyGuessesError(field=field)
    if not hashing.check(password, user.password)[0]:
        record(action="reauthentication.failed", actor=user, subject=user)
        raise WrongPasswordError(field=field)
    forget_guesses(subject)


def _is_fresh(user: User, session_id: UUID | None, at: datetime) -> bool:
    """Say whether a session was opened just now, by another institution's word. A refreshed one is as old as it is."""
    fresh = Session.objects.live(at).filter(
        user=user, amr__contains=[means.FEDERATED], created_at__gt=at - settings.FRESH_LOG_IN
    )
    return session_id is not None and fresh.filter(pk=session_id).exists()
