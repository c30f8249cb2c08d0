"""Sessions from the weekly timetable: as many as the calendar has days, once each, however often it is done.

What somebody has moved or cancelled stays as they left it, and so does what has begun. What is yet to come follows the
timetable: new days come, days that became holidays go, and another time or room is taken over. A session in which
somebody was asked to substitute does not go: it is cancelled, and comes back with its day and its substitute.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Exists, F, OuterRef

from attendance.models import ClassSession, ClassSessionQuerySet, Marking, SessionStatus, Substitution
from attendance.services.planning import Planned, called, campus_of, planned, zone_of
from attendance.services.teaching import teachers_of
from core.db.locks import hold_named
from courses.models import Meeting, Section, SectionStatus
from departments.models import ReservationKind, RoomReservation, Term, TermState
from departments.selectors import TeachingCalendar, teaching_calendar
from departments.services import forget_rooms, holders, take_rooms
from faculty.models import FacultyReservation
from faculty.services import forget_faculty, want_only_faculty

logger = logging.getLogger(__name__)

# Terms whose timetable is being taught, or about to be.
TAUGHT = (TermState.REGISTRATION, TermState.IN_PROGRESS)
BATCH = 200
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
        ids = list(meetings)
        calendars: dict[UUID | None, TeachingCalendar] = {}
        for start in range(0, len(ids), BATCH):
            _Batch(ids[start : start + BATCH], calendars, at, done).run()
        done.removed += _tidy(each, at)
    for clash in done.clashes:
        logger.warning("sessions.clash", extra=clash)
    return done


@transaction.atomic
def _tidy(term: Term, at: datetime) -> int:
    """Take away sessions to come whose meeting is off the timetable, and what is held for classes that are no more."""
    hold_named(*LOCK)
    lost = ClassSession.objects.filter(section__term=term, meeting=None, starts_at__gt=at, changed_by_hand=False)
    removed = _take_off(lost.filter(status=SessionStatus.SCHEDULED, marking=Marking.SCHEDULED))
    there = ClassSession.objects.filter(gathering=OuterRef("source")).exclude(note=OFF, status=SessionStatus.CANCELLED)
    rooms = RoomReservation.objects.filter(~Exists(there), kind=ReservationKind.CLASS, source__isnull=False)
    forget_rooms({source for source in rooms.values_list("source", flat=True) if source is not None})
    wanted = FacultyReservation.objects.filter(~Exists(there), kind=ReservationKind.CLASS)
    forget_faculty(set(wanted.values_list("source", flat=True)))
    return removed


def _take_off(rows: ClassSessionQuerySet) -> int:
    """Delete sessions, and cancel those in which somebody was asked to substitute; return how many there were."""
    asked = rows.filter(Exists(Substitution.objects.filter(session=OuterRef("pk"))))
    cancelled = asked.update(status=SessionStatus.CANCELLED, note=OFF, version=F("version") + 1)
    return cancelled + rows.filter(status=SessionStatus.SCHEDULED).delete()[0]


class _Batch:
    """The sessions of some meetings, in one transaction."""

    def __init__(
        self, ids: Sequence[UUID], calendars: dict[UUID | None, TeachingCalendar], at: datetime, done: Generated
    ) -> None:
        self._ids, self._calendars, self._at, self._done = ids, calendars, at, done
        self._served: Mapping[UUID, list[Section]] = {}
        self._wanted: dict[Key, Planned] = {}

    @transaction.atomic
    def run(self) -> None:
        hold_named(*LOCK)
        self._plan()
        sessions = ClassSession.objects.filter(meeting__in=self._ids)
        held = sessions.order_by("pk").select_for_update(no_key=True)
        present = {(row.section_id, row.gathering): row for row in held}
        self._remove([row for key, row in present.items() if key not in self._wanted and self._is_to_come(row)])
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
        rooms = self._take(needed)
        settled = self._open_gatherings(present)
        cancelled = {
            key for key, row in present.items() if row.status == SessionStatus.CANCELLED and not self._is_off(row)
        }
        self._make(new, rooms)
        # Before their teachers: what comes back is wanted with its substitute.
        self._change(changed, rooms)
        self._want_teachers(needed, settled, cancelled)

    def _plan(self) -> None:
        meetings = Meeting.objects.filter(pk__in=self._ids).select_related("room__building__campus")
        served: defaultdict[UUID, list[Section]] = defaultdict(list)
        links = Meeting.sections.through.objects.filter(meeting__in=self._ids)
        for link in links.select_related("section__course", "section__campus").order_by("section"):
            if link.section.status != SectionStatus.CANCELLED:
                served[link.meeting_id].append(link.section)
        self._served = served
        for meeting in meetings:
            sections = served.get(meeting.pk, [])
            campus = campus_of(meeting.room, sections)
            calendar = self._calendar(campus.pk if campus else None, meeting)
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
        return self._is_to_come(row) or (self._is_off(row) and row.starts_at > self._at)

    def _is_to_come(self, row: ClassSession) -> bool:
        decided = row.changed_by_hand or row.marking != Marking.SCHEDULED
        return not decided and row.status == SessionStatus.SCHEDULED and row.starts_at > self._at

    def _is_off(self, row: ClassSession) -> bool:
        return row.status == SessionStatus.CANCELLED and not row.changed_by_hand and row.note == OFF

    def _differs(self, row: ClassSession, each: Planned) -> bool:
        wanted = (each.starts_at, each.ends_at, each.meeting.room_id)
        return self._is_off(row) or (row.starts_at, row.ends_at, row.room_id) != wanted

    def _only_lacks_room(self, row: ClassSession) -> bool:
        each = self._wanted[row.section_id, row.gathering]
        return row.room_id is None and (row.starts_at, row.ends_at) == (each.starts_at, each.ends_at)

    def _remove(self, rows: Sequence[ClassSession]) -> None:
        _take_off(ClassSession.objects.filter(pk__in=[row.pk for row in rows]))
        left = {row.gathering for row in rows}
        there = ClassSession.objects.filter(gathering__in=left).exclude(note=OFF, status=SessionStatus.CANCELLED)
        left -= set(there.values_list("gathering", flat=True))
        forget_rooms(left)
        forget_faculty(left)
        self._done.removed += len(rows)

    def _take(self, needed: Mapping[UUID, Planned]) -> dict[UUID, UUID | None]:
        """Take the rooms of gatherings; return the room that each has."""
        roomed = [each for each in needed.values() if each.meeting.room_id is not None]
        free = take_rooms(self._reservation(each) for each in roomed)
        over = [each for each in roomed if each.gathering not in free and each.ends_at <= self._at]
        take_rooms(self._reservation(each, waived=True) for each in over)
        for each in roomed:
            if each.gathering not in free:
                self._report(each)
        kept = free | {each.gathering for each in over}
        return {each.gathering: each.meeting.room_id if each.gathering in kept else None for each in needed.values()}

    def _reservation(self, each: Planned, *, waived: bool = False) -> RoomReservation:
        return RoomReservation(
            room=each.meeting.room,
            slot=DateTimeTZRange(each.starts_at, each.ends_at, "[)"),
            kind=ReservationKind.CLASS,
            what=called(self._served[each.meeting.pk])[:200],
            source=each.gathering,
            conflict_waived=waived or each.meeting.conflict_waived,
        )

    def _report(self, each: Planned) -> None:
        if each.meeting.room is None:
            return
        others = holders(each.meeting.room, each.starts_at, each.ends_at, but=each.gathering)
        what = called(self._served[each.meeting.pk])
        self._done.clashes.append({"what": what, "starts_at": each.starts_at.isoformat(), "taken_by": others})

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

    def _want_teachers(
        self, needed: Mapping[UUID, Planned], settled: Mapping[UUID, Planned], cancelled: Collection[Key]
    ) -> None:
        """Want the teachers of gatherings, but of cancelled sessions, and for those that are settled nobody else."""
        gatherings = {**needed, **settled}
        teachers = teachers_of(
            {
                gathering: [
                    section.pk for section in self._served[each.meeting.pk] if (section.pk, gathering) not in cancelled
                ]
                for gathering, each in gatherings.items()
            }
        )
        wanted = [
            FacultyReservation(
                faculty_id=faculty_id,
                slot=DateTimeTZRange(each.starts_at, each.ends_at, "[)"),
                kind=ReservationKind.CLASS,
                what=called(self._served[each.meeting.pk])[:200],
                source=each.gathering,
            )
            for gathering, each in gatherings.items()
            for faculty_id in sorted(teachers[gathering])
        ]
        twice = want_only_faculty(wanted, among=settled.keys())
        self._done.clashes += [
            {"what": row.what, "starts_at": row.slot.lower.isoformat(), "wanted_twice": str(row.faculty_id)}
            for row in wanted
            if (row.faculty_id, row.source) in twice
        ]

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
