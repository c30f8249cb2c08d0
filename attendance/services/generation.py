"""Sessions from the weekly timetable: as many as the calendar has days, once each, however often it is done.

What somebody has moved or cancelled stays as they left it, unless its section is cancelled, and so does what has begun.
What is yet to come follows the timetable: new days come, days that became holidays go, another time or room is taken
over. Of a day that is declared a holiday when it has begun the classes go too in which nobody has been marked yet. A
session that has begun, or in which somebody was asked to substitute, does not go: it is cancelled, and comes back with
its day and its substitute.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Exists, F, OuterRef, Q

from attendance.models import (
    AttendanceRecord,
    ClassSession,
    ClassSessionQuerySet,
    Marking,
    SessionStatus,
    Substitution,
)
from attendance.services import taking
from attendance.services.planning import Planned, campus_of, planned, zone_of
from core.db.locks import hold_named
from courses.models import Meeting, Section, SectionStatus
from departments.models import ReservationKind, RoomReservation, Term, TermState
from departments.selectors import TeachingCalendar, teaching_calendar
from departments.services import forget_rooms
from faculty.models import FacultyReservation
from faculty.services import forget_faculty

logger = logging.getLogger(__name__)

# Terms whose timetable is being taught, or about to be.
TAUGHT = (TermState.REGISTRATION, TermState.IN_PROGRESS)
BATCH = 200
# For so long a day that was taught, as far as anybody knows, may be declared a holiday after all.
RECENT = timedelta(days=31)
ONE_DAY = timedelta(days=1)
# What says of a session that the timetable took it off, and may bring it back.
OFF = "Not on the timetable."
LOCK = ("attendance.generation", "sessions")
Key = tuple[UUID, UUID]


@dataclass
class Generated:
    """What a run did: sessions made, changed and taken away, and what clashed, with both sides by name."""

    made: int = 0
    changed: int = 0
    removed: int = 0
    clashes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def written(self) -> int:
        return self.made + self.changed + self.removed


def generate_sessions(*, at: datetime, term: Term | None = None) -> Generated:
    """Bring the sessions of a term, or of all that are taught, in line with their timetables.

    A class whose room is taken gets its session without the room, and what has it is named among the clashes; one that
    is over keeps the room and is flagged. Raises `LockHeldError` where somebody else is at it.
    """
    done = Generated()
    terms = Term.objects.filter(state__in=TAUGHT) if term is None else Term.objects.filter(pk=term.pk)
    for each in terms.order_by("starts_on", "pk"):
        meetings = Meeting.objects.filter(sections__term=each).order_by("pk").distinct().values_list("pk", flat=True)
        _bring_in_line(list(meetings), at, done)
        done.removed += _tidy(each, at)
    return _told(done)


def generate_days(first: date, last: date, *, at: datetime, taught_as: int | None = None) -> Generated:
    """Bring the sessions of all meetings in line that take place on some days, both included, or would as usual.

    `taught_as` is the weekday, 1 for Monday to 7, as which the calendar has them taught. Raises `LockHeldError` where
    somebody else is at it.
    """
    weekdays = {(first + ONE_DAY * number).isoweekday() for number in range(min((last - first).days, 6) + 1)}
    taught = Meeting.objects.filter(sections__term__state__in=TAUGHT, dates__overlap=DateRange(first, last, "[]"))
    meetings = taught.filter(weekday__in=weekdays | {taught_as} - {None}).order_by("pk").distinct()
    done = Generated()
    _bring_in_line(list(meetings.values_list("pk", flat=True)), at, done)
    return _told(done)


def _bring_in_line(ids: Sequence[UUID], at: datetime, done: Generated) -> None:
    calendars: dict[UUID | None, TeachingCalendar] = {}
    for start in range(0, len(ids), BATCH):
        _Batch(ids[start : start + BATCH], calendars, at, done).run()


def _told(done: Generated) -> Generated:
    for clash in done.clashes:
        logger.warning("sessions.clash", extra=clash)
    return done


@transaction.atomic
def _tidy(term: Term, at: datetime) -> int:
    """Take away sessions to come whose meeting is off the timetable, and what is held for classes that are no more."""
    hold_named(*LOCK)
    goes = Q(changed_by_hand=False) | Q(section__status=SectionStatus.CANCELLED)
    lost = ClassSession.objects.filter(goes, section__term=term, meeting=None, starts_at__gt=at)
    removed = _take_off(lost.filter(status=SessionStatus.SCHEDULED, marking=Marking.SCHEDULED), at)
    there = ClassSession.objects.filter(gathering=OuterRef("source")).exclude(note=OFF, status=SessionStatus.CANCELLED)
    rooms = RoomReservation.objects.filter(~Exists(there), kind=ReservationKind.CLASS, source__isnull=False)
    forget_rooms({source for source in rooms.values_list("source", flat=True) if source is not None})
    wanted = FacultyReservation.objects.filter(~Exists(there), kind=ReservationKind.CLASS)
    forget_faculty(set(wanted.values_list("source", flat=True)))
    return removed


def _take_off(rows: ClassSessionQuerySet, at: datetime) -> int:
    """Delete sessions, and cancel those that have begun or have been substituted in; return how many there were."""
    asked = rows.filter(Q(starts_at__lte=at) | Exists(Substitution.objects.filter(session=OuterRef("pk"))))
    off = {"status": SessionStatus.CANCELLED, "note": OFF, "changed_by_hand": False}
    cancelled = asked.update(**off, version=F("version") + 1)
    return cancelled + rows.filter(status=SessionStatus.SCHEDULED).delete()[0]


class _Batch:
    """The sessions of some meetings, in one transaction."""

    def __init__(
        self, ids: Sequence[UUID], calendars: dict[UUID | None, TeachingCalendar], at: datetime, done: Generated
    ) -> None:
        self._ids, self._calendars, self._at, self._done = ids, calendars, at, done
        self._served: Mapping[UUID, list[Section]] = {}
        self._wanted: dict[Key, Planned] = {}
        self._cancelled: set[UUID] = set()
        self._taught: dict[UUID, tuple[int, TeachingCalendar]] = {}

    @transaction.atomic
    def run(self) -> None:
        hold_named(*LOCK)
        self._plan()
        sessions = ClassSession.objects.filter(meeting__in=self._ids)
        held = sessions.order_by("pk").select_for_update(no_key=True)
        present = {(row.section_id, row.gathering): row for row in held}
        taking.hold(self._wanted.values(), self._served)
        self._remove(self._unmarked([row for key, row in present.items() if key not in self._wanted]))
        changed = [
            row
            for key, row in present.items()
            if key in self._wanted and self._is_open(row) and self._differs(row, self._wanted[key])
        ]
        moved = {row.gathering for row in changed if not self._only_lacks_room(row)}
        forget_rooms(moved)
        forget_faculty(moved)
        new = {key: each for key, each in self._wanted.items() if key not in present}
        needed = {each.gathering: each for each in new.values()}
        needed |= {row.gathering: self._wanted[row.section_id, row.gathering] for row in changed}
        rooms, clashes = taking.take(needed, self._served, at=self._at)
        settled = self._open_gatherings(present)
        cancelled = {
            key for key, row in present.items() if row.status == SessionStatus.CANCELLED and not self._is_off(row)
        }
        self._make(new, rooms)
        # Before their teachers: what comes back is wanted with its substitute.
        self._change(changed, rooms)
        twice = taking.want({**needed, **settled}, self._served, settled=settled.keys(), cancelled=cancelled)
        self._done.clashes += [*clashes, *twice]

    def _plan(self) -> None:
        meetings = Meeting.objects.filter(pk__in=self._ids).select_related("room__building__campus")
        served: defaultdict[UUID, list[Section]] = defaultdict(list)
        links = Meeting.sections.through.objects.filter(meeting__in=self._ids)
        for link in links.select_related("section__course", "section__campus").order_by("section"):
            if link.section.status == SectionStatus.CANCELLED:
                self._cancelled.add(link.section_id)
            else:
                served[link.meeting_id].append(link.section)
        self._served = served
        for meeting in meetings:
            sections = served.get(meeting.pk, [])
            campus = campus_of(meeting.room, sections)
            calendar = self._calendar(campus.pk if campus else None, meeting)
            self._taught[meeting.pk] = meeting.weekday, calendar
            for each in planned(meeting, calendar, zone_of(campus)) if sections else ():
                self._wanted.update({(section.pk, each.gathering): each for section in sections})

    def _calendar(self, campus_id: UUID | None, meeting: Meeting) -> TeachingCalendar:
        known = self._calendars.get(campus_id)
        first, last = meeting.dates.lower, meeting.last_day
        if known is None or first < known.first or last > known.last:
            if known is not None:
                first, last = min(first, known.first), max(last, known.last)
            known = self._calendars[campus_id] = teaching_calendar(campus_id=campus_id, first=first, last=last)
        return known

    def _is_open(self, row: ClassSession) -> bool:
        """Say whether the timetable still decides about a session: one that it took off comes back."""
        return self._is_to_come(row) or (self._is_off(row) and row.starts_at > self._at - RECENT)

    def _is_to_come(self, row: ClassSession) -> bool:
        return not row.changed_by_hand and self._is_untouched(row) and row.starts_at > self._at

    def _is_untouched(self, row: ClassSession) -> bool:
        return row.marking == Marking.SCHEDULED and row.status == SessionStatus.SCHEDULED

    def _goes(self, row: ClassSession) -> bool:
        """Say whether a session that nobody wants goes: to come, or of a day that is no day of classes after all."""
        if not self._is_untouched(row):
            return False
        if row.starts_at > self._at:
            return not row.changed_by_hand or row.section_id in self._cancelled
        weekday, calendar = self._taught[row.meeting_id]  # type: ignore[index]  # they are of these meetings
        is_day = calendar.exceptions.get(row.planned_on, weekday) == weekday
        return not is_day and not row.changed_by_hand and row.starts_at > self._at - RECENT

    def _unmarked(self, unwanted: Sequence[ClassSession]) -> list[ClassSession]:
        """Return those that go: an excuse marks in what has begun without anybody opening the sheet."""
        rows = [row for row in unwanted if self._goes(row)]
        begun = [row for row in rows if row.starts_at <= self._at]
        if not begun:
            return rows
        days = {row.local_date for row in begun}
        marked = set(AttendanceRecord.objects.filter(session__in=begun, local_date__in=days).values_list("session"))
        return [row for row in rows if (row.pk,) not in marked]

    def _is_off(self, row: ClassSession) -> bool:
        return row.status == SessionStatus.CANCELLED and not row.changed_by_hand and row.note == OFF

    def _differs(self, row: ClassSession, each: Planned) -> bool:
        wanted = (each.starts_at, each.ends_at, each.meeting.room_id)
        return self._is_off(row) or (row.starts_at, row.ends_at, row.room_id) != wanted

    def _only_lacks_room(self, row: ClassSession) -> bool:
        each = self._wanted[row.section_id, row.gathering]
        return row.room_id is None and (row.starts_at, row.ends_at) == (each.starts_at, each.ends_at)

    def _remove(self, rows: Sequence[ClassSession]) -> None:
        _take_off(ClassSession.objects.filter(pk__in=[row.pk for row in rows]), self._at)
        left = {row.gathering for row in rows}
        there = ClassSession.objects.filter(gathering__in=left).exclude(note=OFF, status=SessionStatus.CANCELLED)
        others = set(there.values_list("gathering", flat=True))
        forget_rooms(left - others)
        forget_faculty(left - others)
        # Of what somebody has moved, the timetable decides nothing about the teachers.
        taking.let_go({row.gathering for row in rows if row.changed_by_hand} & others, at=self._at)
        self._done.removed += len(rows)

    def _open_gatherings(self, present: Mapping[Key, ClassSession]) -> dict[UUID, Planned]:
        """Return those whose teachers the timetable decides about: none that somebody has moved."""
        moved = {
            row.gathering for row in present.values() if row.changed_by_hand and row.status != SessionStatus.CANCELLED
        }
        return {
            row.gathering: self._wanted[key]
            for key, row in present.items()
            if key in self._wanted and self._is_open(row) and row.gathering not in moved
        }

    def _make(self, new: Mapping[Key, Planned], rooms: Mapping[UUID, UUID | None]) -> None:
        ClassSession.objects.bulk_create(
            (
                ClassSession(
                    section_id=section_id,
                    meeting=each.meeting,
                    gathering=gathering,
                    planned_on=each.day,
                    local_date=each.day,
                    starts_at=each.starts_at,
                    ends_at=each.ends_at,
                    room_id=rooms[gathering],
                )
                for (section_id, gathering), each in new.items()
            ),
            batch_size=1000,
        )
        self._done.made += len(new)

    def _change(self, rows: Sequence[ClassSession], rooms: Mapping[UUID, UUID | None]) -> None:
        changed = []
        for row in rows:
            each = self._wanted[row.section_id, row.gathering]
            wanted: dict[str, Any] = {
                "starts_at": each.starts_at, "ends_at": each.ends_at, "room_id": rooms[row.gathering],
                "status": SessionStatus.SCHEDULED, "note": "" if self._is_off(row) else row.note,
            }  # fmt: skip
            if any(getattr(row, name) != value for name, value in wanted.items()):
                for name, value in wanted.items():
                    setattr(row, name, value)
                row.version += 1
                changed.append(row)
        columns = ["starts_at", "ends_at", "room", "status", "note", "version"]
        ClassSession.objects.bulk_update(changed, columns, batch_size=500)
        self._done.changed += len(changed)
