"""Logging in, staying logged in, logging out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import Q

from accounts import tokens
from accounts.models import Session, User

# Two tabs that refresh at the same moment are not a theft.
REUSE_GRACE = timedelta(seconds=10)


class InvalidCredentialsError(Exception):
    """The address is unknown, the account inactive or the password wrong; which one is not said."""


class InvalidRefreshError(Exception):
    """The refresh token is unknown, used up, expired or revoked."""


@dataclass(frozen=True)
class Tokens:
    """What a client needs to act for an account."""

    access: str
    refresh: str
    session: Session
    user: User


def log_in(*, email: str, password: str, user_agent: str, at: datetime) -> Tokens:
    """Open a session; raise `InvalidCredentialsError`, at equal cost for whatever is wrong."""
    user = User.objects.with_assignments().select_related("person").addressed(email.strip()).first()
    if user is None or not user.is_active:
        make_password(password)
        raise InvalidCredentialsError
    if not check_password(password, user.password, setter=lambda raw: _upgrade(user, raw)):
        raise InvalidCredentialsError
    refresh = tokens.new_refresh()
    session = _open_session(user, refresh, user_agent=user_agent, at=at)
    return Tokens(access=_access(session, user, at), refresh=refresh, session=session, user=user)


@transaction.atomic
def _open_session(user: User, refresh: str, *, user_agent: str, at: datetime) -> Session:
    # Waits for whoever is changing the account: a password that was replaced meanwhile opens nothing any more.
    unchanged = User.objects.filter(pk=user.pk, is_active=True, token_version=user.token_version)
    if not unchanged.update(last_login=at):
        raise InvalidCredentialsError
    return Session.objects.create(
        user=user,
        current_refresh_hash=tokens.hash_of(refresh),
        rotated_at=at,
        expires_at=at + settings.REFRESH_TOKEN_LIFETIME,
        absolute_expires_at=at + settings.SESSION_ABSOLUTE_LIFETIME,
        user_agent=user_agent[:200],
    )


@transaction.atomic
def _rotate(refresh: str, at: datetime) -> Tokens | None:
    """Exchange a refresh token for its successor; None when the session has just been revoked."""
    presented = tokens.hash_of(refresh)
    session = (
        Session.objects.select_for_update()
        .filter(Q(current_refresh_hash=presented) | Q(previous_refresh_hash=presented))
        .filter(revoked_at__isnull=True, expires_at__gt=at, absolute_expires_at__gt=at)
        .first()
    )
    if session is None:
        raise InvalidRefreshError
    user = User.objects.with_assignments().select_related("person").get(pk=session.user_id)
    if not user.is_active:
        raise InvalidRefreshError
    successor = tokens.successor_of(refresh)
    if bytes(session.current_refresh_hash) == presented:
        session.previous_refresh_hash = presented
        session.current_refresh_hash = tokens.hash_of(successor)
        session.rotated_at = at
        session.expires_at = min(at + settings.REFRESH_TOKEN_LIFETIME, session.absolute_expires_at)
    elif at - session.rotated_at > REUSE_GRACE:
        session.revoked_at = at
    session.save()
    if session.revoked_at is not None:
        return None
    return Tokens(access=_access(session, user, at), refresh=successor, session=session, user=user)


def refresh_session(*, refresh: str, at: datetime) -> Tokens:
    """Exchange a refresh token for a new pair; reuse of an old one revokes the whole session."""
    rotated = _rotate(refresh, at)
    if rotated is None:
        raise InvalidRefreshError
    return rotated


def log_out(*, session: Session, at: datetime) -> None:
    """End a session: neither its refresh token nor its access tokens are accepted any more."""
    Session.objects.filter(pk=session.pk, revoked_at__isnull=True).update(revoked_at=at)


def _access(session: Session, user: User, at: datetime) -> str:
    claims = tokens.AccessClaims(user_id=user.pk, session_id=session.pk, token_version=user.token_version)
    return tokens.issue_access(claims, at=at)


def _upgrade(user: User, raw: str) -> None:
    """Store the password under today's first hasher, as it was typed."""
    User.objects.filter(pk=user.pk).update(password=make_password(raw))
