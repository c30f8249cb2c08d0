"""What a student does who checks in, and what a person does who looks at what was flagged.

Every attempt of a student is kept, whatever became of it: those that were refused show what was tried. An attempt is
refused with the first thing that stands against it; of two at once that exclude each other the constraints decide.
Whatever looks strange is flagged for a person and has no other consequence.
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import asin, cos, radians, sin, sqrt
from typing import Any, Protocol

from django.conf import settings
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q, QuerySet

from attendance import check_in_tokens as tokens
from attendance.models import CheckInEvent, CheckInWindow, ClassSession, Flag, Marking, Outcome, Punch, Source
from attendance.selectors import expected_in
from attendance.services.arrivals import arrived, on_time
from attendance.services.check_in_windows import CheckInClosedError, require_open
from attendance.services.marking import mark_roster
from attendance.services.own_classes import SelfMarkingError, may_mark
from core import crud
from core.duties import may_not_be_same
from core.errors import ConflictError, DomainError, ForbiddenError
from core.privacy.retention import spared
from core.security.addresses import Address, is_within
from core.visibility import Actor
from enrollment.models import Enrollment
from students.models import Student

EARTH_M = 6_371_000
# Beyond this, in metres a second, nobody gets from one place to another: the speed of a fast train.
FASTEST = 90
# A telephone that finds itself is wrong by so much.
VAGUE_M = 500
LOOKED_BACK = timedelta(days=60)
BURST, BURST_WITHIN = 5, timedelta(minutes=1)
ROUGHLY = Decimal("0.001")


class TokenInvalidError(ConflictError):
    """The token was not signed for this session's check-in."""

    code = Outcome.TOKEN_INVALID.value
    title = "This is no code of this check-in."
    field = "token"


class OwnCheckInError(ForbiddenError):
    """Whoever tried to check in does not say what came of looking at it."""

    code = "own_check_in"
    title = "Somebody else looks at your own check-ins."


class TokenEarlyError(ConflictError):
    """The token has not been shown yet."""

    code = Outcome.TOKEN_EARLY.value
    title = "This code has not been shown yet."
    field = "token"


class TokenExpiredError(ConflictError):
    """Another token is shown by now."""

    code = Outcome.TOKEN_EXPIRED.value
    title = "This code is shown no more: take the one that is on the wall now."
    field = "token"


class NotExpectedError(ConflictError):
    """The student is not in the section, or was not when the session took place."""

    code = Outcome.NOT_EXPECTED.value
    title = "You are not expected in this session."


class CheckInReplayedError(ConflictError):
    """The student has checked in to the session."""

    code = Outcome.REPLAYED.value
    title = "You have checked in to this session already."


class WrongNetworkError(ConflictError):
    """The request came from elsewhere than the networks of the window."""

    code = Outcome.WRONG_NETWORK.value
    title = "One checks in to this session from the network of the campus."


class WrongPlaceError(ConflictError):
    """The device is elsewhere than where the class is, or says nothing of where it is."""

    code = Outcome.WRONG_PLACE.value
    title = "One checks in to this session from where it takes place."
    field = "latitude"


class DeviceSharedError(ConflictError):
    """Somebody else has checked in with the device, to this session or to one at the same time."""

    code = Outcome.DEVICE_SHARED.value
    title = "Somebody else has checked in with this device."
    field = "device_key"


class DeviceElsewhereError(ConflictError):
    """The device is in another session at that time."""

    code = Outcome.DEVICE_ELSEWHERE.value
    title = "You have checked in to another session at this time with this device."
    field = "device_key"


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What a student sends: the token that was shown, what their device calls itself, and where they say it is."""

    token: str
    device_key: str
    address: Address | None = None
    latitude: Decimal | None = None
    longitude: Decimal | None = None

    @property
    def device_hash(self) -> bytes:
        """What the device is known by here; without `BLIND_INDEX_KEY` nobody tells from it which device it is."""
        return hmac.digest(settings.BLIND_INDEX_KEY, f"attendance.device:{self.device_key}".encode(), "sha256")


class Placed(Protocol):
    """Whatever is somewhere, in degrees, or does not say where."""

    @property
    def latitude(self) -> Decimal | None: ...

    @property
    def longitude(self) -> Decimal | None: ...


def check_in(session: ClassSession, attempt: Attempt, *, by: Actor, at: datetime) -> CheckInEvent:
    """Mark whoever acts as having come to a session; keep the attempt, and raise if it is refused.

    Refused with the code of any outcome but `accepted`: whoever may mark the class could have shown the code to
    themselves, and is marked by somebody else (`self_marking`). A mark that outranks the check-in stays as it is. Where
    nobody has ever opened a check-in, there is nothing to attempt and nothing is kept.
    """
    with transaction.atomic():
        rows = ClassSession.objects.select_related("section__term")
        held = rows.select_for_update(of=("self",), no_key=True).get(pk=session.pk)
        window = CheckInWindow.objects.filter(session=held).first()
        if window is None:
            raise CheckInClosedError
        person = getattr(by, "person_id", None)
        enrollment = expected_in(held).filter(student__person=person).select_related("student").first()
        student = enrollment.student if enrollment else Student.objects.filter(person=person).first()
        if student is None:
            raise NotExpectedError
        event, refused = _decide(window, held, attempt, student, enrollment, by=by, at=at)
    if refused is not None:
        raise refused
    return event


@transaction.atomic
def review_check_in(event: CheckInEvent, *, by: Actor | None, at: datetime, note: str = "") -> CheckInEvent:
    """Say what came of looking at an attempt; its outcome stays, and a mark is for its sheet to change."""
    may_not_be_same(by, OwnCheckInError, people=[event.student.person_id])
    return crud.update(event, {"reviewed_at": at, "reviewed_by_id": by.pk if by else None, "note": note})


def arrivals_due(model: type[CheckInEvent] | type[Punch], at: datetime) -> QuerySet[Any]:
    """Return the attempts, or the punches, that have been kept for as long as they may be, of nobody who is held."""
    rows: QuerySet[Any] = model._default_manager.filter(at__lt=at - settings.CHECK_INS_KEPT)
    return spared(rows, "student__person")


def purge_arrivals(model: type[CheckInEvent] | type[Punch], at: datetime) -> int:
    """Delete the attempts, or the punches, whose time is over, and return how many they were."""
    return int(arrivals_due(model, at).delete()[0])


def _decide(
    window: CheckInWindow,
    session: ClassSession,
    attempt: Attempt,
    student: Student,
    enrollment: Enrollment | None,
    *,
    by: Actor,
    at: datetime,
) -> tuple[CheckInEvent, DomainError | None]:
    """Accept an attempt and mark the student, or keep it with what stood against it."""
    facts = {
        "session_id": session.pk,
        "section_id": session.section_id,
        "student_id": student.pk,
        "enrollment_id": enrollment.pk if enrollment else None,
        "at": at,
        "during": DateTimeTZRange(session.starts_at, session.ends_at, "[)"),
        "device_hash": attempt.device_hash,
        "address": str(attempt.address) if attempt.address else None,
        "latitude": _rough(attempt.latitude),
        "longitude": _rough(attempt.longitude),
        "flags": _flags(attempt, session, student, at),
    }
    try:
        with transaction.atomic():
            _require_acceptable(window, attempt, at)
            if enrollment is None:
                raise NotExpectedError
            if may_mark(session, by):
                raise SelfMarkingError
            _require_there(window, attempt)
            _require_free(session, attempt, student)
            event = crud.create(CheckInEvent, {**facts, "outcome": Outcome.ACCEPTED})
            mark = arrived(session, enrollment.pk, at=at, on_time=on_time([enrollment.pk])[enrollment.pk])
            # Whoever comes first opens the sheet, with all who are excused. A hall waits for the lock of its session:
            # the others are read by themselves.
            alone = None if session.marking == Marking.SCHEDULED else [student.pk]
            mark_roster(session, marks=[mark], by=by, at=at, source=Source.QR, students=alone)
            return event, None
    except DomainError as refused:
        outcome = refused.violations[0].error_code
        if outcome not in Outcome.values:
            raise
        return crud.create(CheckInEvent, {**facts, "outcome": outcome}), refused


def _require_acceptable(window: CheckInWindow, attempt: Attempt, at: datetime) -> None:
    """Refuse a token that is not the one on the wall."""
    require_open(window, at=at)
    number = tokens.slice_of(attempt.token, window.secret, window.session_id)
    if number is None:
        raise TokenInvalidError
    if tokens.is_early(number, at=at):
        raise TokenEarlyError
    if tokens.is_over(number, at=at):
        raise TokenExpiredError


def _require_there(window: CheckInWindow, attempt: Attempt) -> None:
    """Refuse whoever is elsewhere."""
    if window.networks and not is_within(attempt.address, window.networks):
        raise WrongNetworkError
    if window.radius_m is not None and not _is_there(attempt, window):
        raise WrongPlaceError


def _require_free(session: ClassSession, attempt: Attempt, student: Student) -> None:
    """Refuse a second check-in, and a device that has served for another one at the time."""
    own = Q(session=session, student=student)
    during = DateTimeTZRange(session.starts_at, session.ends_at, "[)")
    known = CheckInEvent.objects.filter(
        own | Q(device_hash=attempt.device_hash, during__overlap=during), outcome=Outcome.ACCEPTED
    )
    for session_id, student_id in known.values_list("session", "student"):
        if student_id != student.pk:
            raise DeviceSharedError
        raise CheckInReplayedError if session_id == session.pk else DeviceElsewhereError


def _flags(attempt: Attempt, session: ClassSession, student: Student, at: datetime) -> list[str]:
    """Return what a person should look at."""
    return sorted(_strange(attempt, session, student, at))


def _strange(attempt: Attempt, session: ClassSession, student: Student, at: datetime) -> Iterator[str]:
    during = DateTimeTZRange(session.starts_at, session.ends_at, "[)")
    elsewhere = CheckInEvent.objects.filter(student=student, outcome=Outcome.ACCEPTED, during__overlap=during)
    # Another device is what somebody has who gave theirs away.
    if elsewhere.exclude(session=session).exists():
        yield Flag.TWO_PLACES
    known = CheckInEvent.objects.filter(at__gt=at - LOOKED_BACK)
    if known.filter(device_hash=attempt.device_hash).exclude(student=student).exists():
        yield Flag.SHARED_DEVICE
    if known.filter(student=student, at__gt=at - BURST_WITHIN).count() + 1 >= BURST:
        yield Flag.BURST
    placed = known.filter(student=student, latitude__isnull=False).order_by("-at")
    before = placed.first()
    if before is not None and _metres(before, attempt) - VAGUE_M > FASTEST * (at - before.at).total_seconds():
        yield Flag.IMPOSSIBLE_PLACE


def _is_there(attempt: Attempt, window: CheckInWindow) -> bool:
    said = attempt.latitude is not None and attempt.longitude is not None
    return said and _metres(attempt, window) <= (window.radius_m or 0)


def _metres(one: Placed, other: Placed) -> float:
    """Return the way between two places by the haversine formula, good to half a percent; 0 where one is unknown."""
    if one.latitude is None or one.longitude is None or other.latitude is None or other.longitude is None:
        return 0
    lat1, lon1, lat2, lon2 = map(radians, (one.latitude, one.longitude, other.latitude, other.longitude))
    chord = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_M * asin(min(1.0, sqrt(chord)))


def _rough(degrees: Decimal | None) -> Decimal | None:
    return None if degrees is None else degrees.quantize(ROUGHLY)
