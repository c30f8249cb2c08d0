"""Changing a password: by its owner, who knows the present one, or has just logged in where none is asked for."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import hashing, tokens
from accounts.models import MailKind, Session, User
from accounts.services.guesses import forget_guesses
from accounts.services.login import account_subject
from accounts.services.mails import request_mail
from accounts.services.password_rules import require_acceptable, words_about
from accounts.services.reauthentication import reauthenticate
from accounts.services.sessions import end_sessions
from accounts.services.signing_keys import issue_access
from audit.services import record
from core import crud
from core.errors import InvalidError


class PasswordUnchangedError(InvalidError):
    """The new password is the present one."""

    code = "password_unchanged"
    title = "This is the present password."
    field = "new_password"


@dataclass(frozen=True)
class Continued:
    """The session that goes on after a change of the account, and an access token for the account as it is now."""

    session_id: UUID
    access: str


def change_password(
    user: User, *, current_password: str, new_password: str, session_id: UUID | None = None, at: datetime
) -> None:
    """Give an account the password its owner chose, and end every session but the present one.

    Raises what `reauthenticate` raises, `PasswordUnchangedError` and what the rules refuse.
    """
    reauthenticate(user, current_password, session_id=session_id, at=at)
    if new_password == current_password:
        raise PasswordUnchangedError
    set_password(user, new_password, keep=session_id, at=at)


def continue_session(user: User, claims: tokens.AccessClaims, *, at: datetime) -> Continued:
    """Return an access token for a session that goes on although its account has changed."""
    now = tokens.AccessClaims(
        user_id=user.pk, session_id=claims.session_id, token_version=user.token_version, amr=claims.amr
    )
    return Continued(claims.session_id, issue_access(now, at=at))


def set_password(user: User, password: str, *, keep: UUID | None = None, at: datetime) -> None:
    """Store the password that the owner of an account chose, and end the sessions but `keep`.

    Raises what the rules refuse, and `EditConflictError` when the account was changed since `user` was read.
    """
    store_password(user, accepted_hash(user, password), keep=keep, at=at)


def accepted_hash(user: User, password: str) -> str:
    """Return the hash of a password that the owner of an account chose; raise what the rules refuse."""
    try:
        require_acceptable(password, about=words_about(user.email, user.person))
    except InvalidError as refused:
        refused.field = "new_password"
        raise
    return hashing.hashed(password)


@transaction.atomic
def store_password(
    user: User, hashed: str, *, keep: UUID | None = None, action: str = "password.changed", at: datetime
) -> None:
    """Store the hash of a password that was accepted, end the sessions but `keep`, and let the owner know by mail.

    Raises `EditConflictError` when the account was changed since `user` was read.
    """
    fields = {"password": hashed, "must_change_password": False, "token_version": user.token_version + 1}
    crud.update(user, fields)
    ended = Session.objects.filter(user=user)
    end_sessions(ended.exclude(pk=keep) if keep else ended, at=at)
    forget_guesses(account_subject(user))
    record(action=action, actor=user, subject=user)
    request_mail(MailKind.PASSWORD_CHANGED, user, at=at)
