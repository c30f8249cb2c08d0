"""Being logged in: opening a session, staying in it, ending it."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session as AdminSession
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.module_loading import import_string

from accounts import tokens
from accounts.events import AccessEnded, SessionReused
from accounts.models import FederatedLogIn, PendingLogIn, SecondFactor, Session, User
from accounts.services.signing_keys import issue_access
from audit.services import record
from core.db.purging import purge
from core.events import publish
from core.ids import new_id
from core.privacy.retention import spared

# Two tabs that refresh at the same moment are not a theft.
REUSE_GRACE = timedelta(seconds=10)
LONGEST_USER_AGENT = 200
# What was begun is good for minutes; for a day it may be looked into.
BEGUN_KEPT = timedelta(days=1)

logger = logging.getLogger(__name__)


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


@transaction.atomic
def open_session(
    user: User, *, amr: Sequence[str], user_agent: str = "", ip: str | None = None, at: datetime
) -> Tokens:
    """Open a session of an account that has proved itself by the means `amr` names.

    Raises `InvalidCredentialsError` when the account has changed since `user` was read, or is one of a program.
    """
    # Waits for whoever is changing the account: a password that was replaced meanwhile opens nothing any more.
    unchanged = User.objects.filter(pk=user.pk, is_active=True, is_service=False, token_version=user.token_version)
    if not unchanged.update(last_login=at):
        raise InvalidCredentialsError
    session_id = new_id()
    refresh = tokens.new_refresh(session_id)
    session = Session.objects.create(
        id=session_id,
        user=user,
        current_refresh_hash=tokens.hash_of(refresh),
        rotated_at=at,
        expires_at=at + settings.REFRESH_TOKEN_LIFETIME,
        absolute_expires_at=at + settings.SESSION_ABSOLUTE_LIFETIME,
        user_agent=user_agent[:LONGEST_USER_AGENT],
        ip=ip,
        amr=list(amr),
    )
    record(action="session.opened", actor=user, subject=session, detail={"means": list(amr)})
    return Tokens(access=_access(session, user, at), refresh=refresh, session=session, user=user)


def refresh_session(*, refresh: str, ip: str | None = None, at: datetime) -> Tokens:
    """Exchange a refresh token for a new pair; the same one within 10 seconds gives the same successor.

    Raises `InvalidRefreshError`. A token that was exchanged longer ago is held by two parties: the whole session ends
    for both of them, and `SessionReused` is announced.
    """
    try:
        session_id = tokens.session_of(refresh)
    except tokens.InvalidTokenError as error:
        raise InvalidRefreshError from error
    rotated = _rotate(session_id, refresh, ip, at)
    if rotated is None:
        raise InvalidRefreshError
    return rotated


@transaction.atomic
def _rotate(session_id: UUID, refresh: str, ip: str | None, at: datetime) -> Tokens | None:
    """Exchange a refresh token for its successor; None when that ended the session, which is to be committed."""
    # The lock makes one winner of those who come together; the others find their token to be the previous one.
    session = Session.objects.select_for_update().filter(pk=session_id).live(at).first()
    if session is None:
        raise InvalidRefreshError
    user = User.objects.with_assignments().select_related("person").filter(pk=session.user_id, is_active=True).first()
    if user is None:
        raise InvalidRefreshError
    presented, successor = tokens.hash_of(refresh), tokens.successor_of(refresh)
    if bytes(session.current_refresh_hash) == presented:
        session.previous_refresh_hash, session.current_refresh_hash = presented, tokens.hash_of(successor)
        session.rotated_at = at
        session.expires_at = min(at + settings.REFRESH_TOKEN_LIFETIME, session.absolute_expires_at)
        session.ip = ip or session.ip
        session.save()
    elif bytes(session.previous_refresh_hash or b"") != presented or at - session.rotated_at > REUSE_GRACE:
        if not tokens.was_issued(refresh):
            raise InvalidRefreshError
        _end_reused(session, at)
        return None
    return Tokens(access=_access(session, user, at), refresh=successor, session=session, user=user)


def _end_reused(session: Session, at: datetime) -> None:
    session.revoked_at = at
    session.save(update_fields=["revoked_at", "updated_at"])
    publish(SessionReused(session_id=session.pk, user_id=session.user_id, happened_at=at))
    record(action="session.reused", subject=session, on_behalf_of=session.user_id)
    logger.warning("session.reused", extra={"family": str(session.pk), "user_id": str(session.user_id)})


def log_out(*, session: Session, at: datetime) -> None:
    """End a session: neither its refresh token nor its access tokens are accepted any more."""
    end_sessions(Session.objects.filter(pk=session.pk), at=at)


@transaction.atomic
def end_sessions(sessions: QuerySet[Session], *, at: datetime) -> int:
    """End those of the sessions that have not ended yet; return how many."""
    live = list(sessions.filter(revoked_at__isnull=True).select_for_update(of=("self",)))
    ended = Session.objects.filter(pk__in=[session.pk for session in live]).update(revoked_at=at)
    for session in live:
        record(action="session.ended", subject=session, on_behalf_of=session.user_id)
    return ended


@transaction.atomic
def end_access(user_id: UUID, *, at: datetime) -> None:
    """Have all else end that opens something of an account whose log-ins are ended: somebody else may have made it."""
    publish(AccessEnded(user_id=user_id, happened_at=at))


def leave_administration(user: User, *, at: datetime) -> None:
    """End the log-ins of an account to the administration pages, each of which is looked at: staff alone has any.

    Call it outside a transaction: until a commit others would find the log-in, and keep it in the cache again.
    """
    store = import_string(f"{settings.SESSION_ENGINE}.SessionStore")()
    for entered in AdminSession.objects.filter(expire_date__gt=at).iterator():
        if entered.get_decoded().get(SESSION_KEY) == str(user.pk):
            store.delete(entered.session_key)
            record(action="session.ended", subject=user, on_behalf_of=user.pk, detail={"of": "administration"})


def lock_users(ids: Iterable[UUID]) -> None:
    """Lock accounts until the transaction ends, in the order of their ids; before the roles that they are given."""
    list(User.objects.filter(pk__among=list(ids)).order_by("pk").select_for_update(no_key=True).values_list("pk"))


def outdate_tokens(*users: User) -> None:
    """Refuse the access tokens that accounts have now; their sessions go on with new ones."""
    for user in sorted(users, key=lambda user: user.pk):
        User.objects.filter(pk=user.pk).update(token_version=F("token_version") + 1)
        user.refresh_from_db(fields=["token_version"])


def purge_sessions(*, at: datetime, batch: int = 5000) -> int:
    """Forget log-ins that ended longer ago than `ENDED_SESSIONS_KEPT`, in small transactions; return how many sessions.

    Log-ins elsewhere and second factors that were begun and not completed are forgotten after `BEGUN_KEPT`.
    Raises `LockHeldError` when somebody else is at it.
    """
    purge(federated_log_ins_due(at), order="expires_at", batch=batch)
    purge(begun_factors_due(at), order="created_at", batch=batch)
    purge(pending_log_ins_due(at), order="expires_at", batch=batch)
    return purge(sessions_due(at), order="ended_at", batch=batch)


def sessions_due(at: datetime) -> QuerySet[Session]:
    """Return the log-ins that ended long enough ago, but for those of people whose records are held."""
    return spared(Session.objects.ended_before(at - settings.ENDED_SESSIONS_KEPT), "user__person")


def pending_log_ins_due(at: datetime) -> QuerySet[PendingLogIn]:
    """Return the log-ins that were begun long enough ago, but for those of people whose records are held."""
    return spared(PendingLogIn.objects.filter(expires_at__lt=at - settings.ENDED_SESSIONS_KEPT), "user__person")


def federated_log_ins_due(at: datetime) -> QuerySet[FederatedLogIn]:
    """Return the log-ins elsewhere that are over; nothing in them says whose they were."""
    return FederatedLogIn.objects.filter(expires_at__lt=at - BEGUN_KEPT)


def begun_factors_due(at: datetime) -> QuerySet[SecondFactor]:
    """Return the second factors that nobody has confirmed, but for those of people whose records are held."""
    begun = SecondFactor.objects.filter(confirmed_at__isnull=True, created_at__lt=at - BEGUN_KEPT)
    return spared(begun, "user__person")


def purge_admin_sessions(*, at: datetime, batch: int = 5000) -> int:
    """Forget expired log-ins of the administration pages, in small transactions; return how many.

    Raises `LockHeldError` when somebody else is at it.
    """
    return purge(AdminSession.objects.filter(expire_date__lt=at), order="expire_date", batch=batch)


def _access(session: Session, user: User, at: datetime) -> str:
    claims = tokens.AccessClaims(
        user_id=user.pk, session_id=session.pk, token_version=user.token_version, amr=tuple(session.amr)
    )
    return issue_access(claims, at=at)
