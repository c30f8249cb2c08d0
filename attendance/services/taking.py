"""What generation does with the rooms and the teachers of what the timetable wants: takes them, and says what clashes.

Whatever clashes alone is flagged: a meeting that is known to clash does so on some of its days, and on the others it
keeps everything else out like any other.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from attendance.models import ClassSession, SessionStatus, Substitution, SubstitutionStatus
from attendance.services.planning import Planned, called
from attendance.services.teaching import TEACHERS, teachers_of
from courses.models import Section, SectionInstructor
from departments.models import ReservationKind, RoomReservation
from departments.services import hold_rooms, holders, take_rooms
from faculty.models import FacultyReservation
from faculty.services import hold_faculty, release_faculty, want_only_faculty

Served = Mapping[UUID, Collection[Section]]
Clash = dict[str, Any]


def hold(wanted: Iterable[Planned], served: Served) -> None:
    """Let nobody else take the rooms of what is wanted, or want its teachers, until the transaction ends."""
    meetings = {each.meeting.pk: each.meeting for each in wanted}
    sections = {section.pk for pk in meetings for section in served[pk]}
    teaching = SectionInstructor.objects.filter(section__in=sections, role__in=TEACHERS).values_list("faculty")
    standing_in = Substitution.objects.filter(session__section__in=sections, status=SubstitutionStatus.ACCEPTED)
    people = teaching.union(standing_in.values_list("substitute")) if sections else ()
    hold_rooms({meeting.room_id for meeting in meetings.values() if meeting.room_id is not None})
    hold_faculty({faculty for (faculty,) in people})


def take(
    needed: Mapping[UUID, Planned], served: Served, *, at: datetime
) -> tuple[dict[UUID, UUID | None], list[Clash]]:
    """Take the rooms of gatherings; return the room that each has, and what clashed with what has it.

    What is over keeps its room, and so does a meeting that is known to clash: those are flagged.
    """
    roomed = [each for each in needed.values() if each.meeting.room_id is not None]
    free = take_rooms(_reservation(each, served) for each in roomed)
    clashing = [each for each in roomed if each.gathering not in free]
    kept = [each for each in clashing if each.meeting.conflict_waived or each.ends_at <= at]
    take_rooms(_reservation(each, served, waived=True) for each in kept)
    having = free | {each.gathering for each in kept}
    rooms = {each.gathering: each.meeting.room_id if each.gathering in having else None for each in needed.values()}
    return rooms, [_clash(each, served) for each in clashing if not each.meeting.conflict_waived]


def want(
    gatherings: Mapping[UUID, Planned],
    served: Served,
    *,
    settled: Collection[UUID],
    cancelled: Collection[tuple[UUID, UUID]],
) -> list[Clash]:
    """Want the teachers of gatherings, but of cancelled sessions, and for those that are settled nobody else.

    Return who is wanted twice.
    """
    teachers = teachers_of(
        {
            gathering: [section.pk for section in served[each.meeting.pk] if (section.pk, gathering) not in cancelled]
            for gathering, each in gatherings.items()
        }
    )
    wanted = [
        FacultyReservation(
            faculty_id=faculty_id,
            slot=DateTimeTZRange(each.starts_at, each.ends_at, "[)"),
            kind=ReservationKind.CLASS,
            what=called(served[each.meeting.pk])[:200],
            source=gathering,
        )
        for gathering, each in gatherings.items()
        for faculty_id in sorted(teachers[gathering])
    ]
    twice = want_only_faculty(wanted, among=settled)
    return [
        {"what": row.what, "starts_at": row.slot.lower.isoformat(), "wanted_twice": str(row.faculty_id)}
        for row in wanted
        if (row.faculty_id, row.source) in twice
    ]


def let_go(gatherings: Iterable[UUID], *, at: datetime) -> None:
    """Want nobody any more who teaches none of the sections that still gather there."""
    for gathering in sorted(gatherings):
        left = ClassSession.objects.filter(gathering=gathering, status=SessionStatus.SCHEDULED).values_list("section")
        stay = teachers_of({gathering: [section for (section,) in left]})[gathering]
        wanted = FacultyReservation.objects.there().filter(source=gathering).exclude(faculty__in=stay)
        release_faculty([gathering], at=at, faculty=wanted.values_list("faculty", flat=True))


def _reservation(each: Planned, served: Served, *, waived: bool = False) -> RoomReservation:
    return RoomReservation(
        room=each.meeting.room,
        slot=DateTimeTZRange(each.starts_at, each.ends_at, "[)"),
        kind=ReservationKind.CLASS,
        what=called(served[each.meeting.pk])[:200],
        source=each.gathering,
        conflict_waived=waived,
    )


def _clash(each: Planned, served: Served) -> Clash:
    room = each.meeting.room
    others = holders(room, each.starts_at, each.ends_at, but=each.gathering) if room is not None else []
    return {"what": called(served[each.meeting.pk]), "starts_at": each.starts_at.isoformat(), "taken_by": others}
