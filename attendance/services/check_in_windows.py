"""Letting the students of a session check in by themselves, and what is shown to them meanwhile."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from ipaddress import ip_network

from django.db import transaction

from attendance import check_in_tokens as tokens
from attendance.models import CheckInEvent, CheckInWindow, ClassSession, Marking, Outcome, SessionStatus
from attendance.services.changing import SessionCancelledError
from attendance.services.closed_terms import require_open_term
from attendance.services.marking import EARLY, SessionClosedError, SessionLockedError
from attendance.services.own_classes import may_not_take
from attendance.services.window_ends import end_check_in
from core import crud
from core.errors import ConflictError, InvalidError
from core.visibility import Actor

USUAL = timedelta(minutes=15)
# Whoever comes to the very end of a class still has a moment.
LATE = timedelta(minutes=15)
SECRET_BYTES = 32


class OutsideSessionError(InvalidError):
    """One checks in while the class takes place, or shortly before or after."""

    code = "outside_session"
    title = "A check-in lasts from a quarter of an hour before the session to one after it, at most."
    field = "opens_at"


class InvalidNetworkError(InvalidError):
    """The text names no network."""

    code = "invalid_network"
    title = "A network is written as 10.1.0.0/16 or 2001:db8::/32."
    field = "networks"


class CheckInClosedError(ConflictError):
    """Nobody checks in now: no check-in was opened, or it is over."""

    code = "check_in_closed"
    title = "Nobody is checking in to this session."


class CheckInEarlyError(ConflictError):
    """The check-in opens later."""

    code = "check_in_early"
    title = "The check-in has not opened yet."


@dataclass(frozen=True)
class Place:
    """A point on the earth, in degrees, and how far from it one may be."""

    latitude: Decimal
    longitude: Decimal
    radius_m: int


@dataclass(frozen=True)
class Poster:
    """What the projector shows now, nothing while nobody checks in, and how many it has let in."""

    window: CheckInWindow | None
    token: tokens.Shown | None
    checked_in: int


@transaction.atomic
def open_check_in(
    session: ClassSession,
    *,
    by: Actor | None,
    at: datetime,
    opens_at: datetime | None = None,
    closes_at: datetime | None = None,
    networks: Sequence[str] = (),
    place: Place | None = None,
) -> CheckInWindow:
    """Let the students of a session check in: a quarter of an hour from now, unless said otherwise.

    What was open before ends, and none of its codes is good any more. Refused with `self_marking`, `session_cancelled`,
    `session_locked`, `session_closed`, `term_closed`, `ends_before_start`, `outside_session`, `invalid_network` or
    `invalid_place`.
    """
    may_not_take([session], by=by)
    if session.status == SessionStatus.CANCELLED:
        raise SessionCancelledError
    if session.marking == Marking.LOCKED:
        raise SessionLockedError
    if session.marking == Marking.CLOSED:
        raise SessionClosedError
    require_open_term(session)
    earliest, latest = session.starts_at - EARLY, session.ends_at + LATE
    opens_at = opens_at or max(at, earliest)
    closes_at = closes_at or min(opens_at + USUAL, latest)
    if opens_at < earliest or closes_at > latest or opens_at >= latest:
        raise OutsideSessionError(meta={"earliest": earliest.isoformat(), "latest": latest.isoformat()})
    values = {
        "opens_at": opens_at,
        "closes_at": closes_at,
        "secret": secrets.token_urlsafe(SECRET_BYTES),
        "networks": [_network(text) for text in networks],
        "latitude": place.latitude if place else None,
        "longitude": place.longitude if place else None,
        "radius_m": place.radius_m if place else None,
        "opened_by_id": by.pk if by else None,
    }
    known = CheckInWindow.objects.filter(session=session).first()
    return crud.update(known, values) if known else crud.create(CheckInWindow, {**values, "session_id": session.pk})


@transaction.atomic
def close_check_in(session: ClassSession, *, by: Actor | None, at: datetime) -> CheckInWindow:
    """End the check-in of a session now; refused with `check_in_closed` where none is open or to come."""
    window = end_check_in(session, at=at)
    if window is None:
        raise CheckInClosedError
    return window


def poster(session: ClassSession, *, by: Actor | None, at: datetime) -> Poster:
    """Return what is shown to those who check in now; refused with `self_marking` to whoever takes the class."""
    may_not_take([session], by=by)
    window = CheckInWindow.objects.filter(session=session).first()
    count = CheckInEvent.objects.filter(session=session, outcome=Outcome.ACCEPTED).count()
    if window is None or not window.opens_at <= at < window.closes_at:
        return Poster(window, None, count)
    return Poster(window, tokens.shown(window.secret, session.pk, at=at), count)


def require_open(window: CheckInWindow, *, at: datetime) -> None:
    """Raise `CheckInClosedError` or `CheckInEarlyError` unless students check in now."""
    if at >= window.closes_at:
        raise CheckInClosedError
    if at < window.opens_at:
        raise CheckInEarlyError(meta={"opens_at": window.opens_at.isoformat()})


def _network(text: str) -> str:
    try:
        return str(ip_network(text.strip(), strict=False))
    except ValueError as error:
        raise InvalidNetworkError from error
