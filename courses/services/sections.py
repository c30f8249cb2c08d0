"""What changes sections: what is offered in a term, for how many, and how far it has come."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.roles import ScopeKind
from accounts.selectors import require_unassigned
from core import crud
from core.errors import ConflictError
from core.events import publish
from core.steps import Steps
from core.visibility import Actor
from courses.events import SectionCancelled, SectionMoved
from courses.models import Course, CourseVersion, Section, SectionStatus, SectionStatusEvent
from courses.selectors import version_in_effect
from courses.services.instructors import InstructorItem, set_instructors
from courses.services.locking import lock_timetables, locked
from courses.services.timetable import MeetingItem, named_meetings, release_rooms, remove_meetings_of, set_meetings
from courses.services.versioning import touch_sections
from departments.models import Campus, Term

# Teaching may begin while registration is still open; a section that is being graded took place.
TRANSITIONS: dict[str, set[str]] = {
    SectionStatus.PLANNED: {SectionStatus.OPEN, SectionStatus.CANCELLED},
    SectionStatus.OPEN: {SectionStatus.CLOSED, SectionStatus.IN_PROGRESS, SectionStatus.CANCELLED},
    SectionStatus.CLOSED: {SectionStatus.OPEN, SectionStatus.IN_PROGRESS, SectionStatus.CANCELLED},
    SectionStatus.IN_PROGRESS: {SectionStatus.GRADING, SectionStatus.CANCELLED},
    SectionStatus.GRADING: {SectionStatus.COMPLETED},
    SectionStatus.COMPLETED: set(),
    SectionStatus.CANCELLED: set(),
}


class SectionValues(TypedDict, total=False):
    course: Course
    term: Term
    code: str
    campus: Campus | None
    mode: str
    status: str
    capacity: int
    override_seats: int
    waitlist_capacity: int
    instructors: Sequence[InstructorItem]
    meetings: Sequence[MeetingItem]
    custom_fields: dict[str, Any]


class SectionFullError(ConflictError):
    """Every seat of the section is taken."""

    code = "section_full"
    title = "The section is full."
    field = "section"


class WaitlistFullError(ConflictError):
    """Every place on the waiting list is taken, or more are taken than the list was to have."""

    code = "waitlist_full"
    title = "The waiting list of the section is full."
    field = "section"


class CapacityBelowEnrolledError(ConflictError):
    """More students are enrolled than the section was to have seats."""

    code = "capacity_below_enrolled"
    title = "A section has no fewer seats than are taken."
    field = "capacity"


class NoVersionInEffectError(ConflictError):
    """The course does not exist yet, or no longer, when the term begins."""

    code = "no_version_in_effect"
    title = "No version of the course is in effect when the term begins."
    field = "course"


class SectionTransitionError(ConflictError):
    """The section cannot go from its status to the one asked for."""

    code = "illegal_transition"
    title = "The section cannot move to this status."
    field = "status"


STEPS = Steps("A section that is", TRANSITIONS, SectionTransitionError, SectionStatusEvent, "section")


@transaction.atomic
def create_section(*, by: Actor | None, **values: Unpack[SectionValues]) -> Section:
    """Offer a course in a term, with its instructors and meetings, planned or open at once.

    Refused with `code_taken`, `no_version_in_effect`, `shares_not_100` and `room_conflict`.
    """
    own, instructors, meetings = _parted(values)
    lock_timetables(meeting_ids=named_meetings(meetings or ()))
    status = own.pop("status", SectionStatus.PLANNED)
    section = crud.create(Section, own | _version_of(own.get("course"), own.get("term")), by=by)
    if instructors:
        set_instructors(section, instructors)
    if meetings:
        set_meetings(section, meetings, by=by)
    if status != section.status:
        move_section(section, status=status, by=by, at=timezone.now())
    return section


@transaction.atomic
def update_section(section: Section, *, by: Actor | None, **changes: Unpack[SectionValues]) -> Section:
    """Change a section; a list of instructors or meetings replaces the former one, a status is a move.

    Refused with `capacity_below_enrolled` when fewer seats would be left than are taken, and with
    `in_use` when students are enrolled and it were to become a section of another course or term.
    """
    own, instructors, meetings = _parted(changes)
    status, before = own.pop("status", section.status), section.version
    if meetings is not None:
        lock_timetables(section_ids=[section.pk], meeting_ids=named_meetings(meetings))
    if {"capacity", "override_seats"} & own.keys():
        _refuse_shrinking(section, own)
    if {"course", "term"} & own.keys():
        own |= _version_of(own.get("course", section.course), own.get("term", section.term))
    crud.update(section, own, by=by)
    changed = instructors is not None and set_instructors(section, instructors)
    touched = set_meetings(section, meetings, by=by) if meetings is not None else set()
    touch_sections(touched - {section.pk})
    if (changed or section.pk in touched) and section.version == before:
        crud.touch(section)
    if status != section.status:
        move_section(section, status=status, by=by, at=timezone.now())
    return section


@transaction.atomic
def delete_section(section: Section, *, by: Actor | None) -> None:
    """Delete a section nobody ever enrolled in and no role is held in; refused with `in_use` otherwise."""
    lock_timetables(section_ids=[section.pk])
    require_unassigned(ScopeKind.SECTION, [section.pk])
    remove_meetings_of(section)
    crud.delete(section)


@transaction.atomic
def move_section(section: Section, *, status: str, by: Actor | None, at: datetime, reason: str = "") -> Section:
    """Move a section to another status and announce it; refused with `illegal_transition`.

    A cancelled section leaves its rooms at once; its enrolments end as the announcement is heard.
    """
    if status == SectionStatus.CANCELLED:
        lock_timetables(section_ids=[section.pk])
    before = STEPS.take(section, status, by=by, at=at, reason=reason)
    publish(SectionMoved(section_id=section.pk, from_status=before, to_status=status, happened_at=at))
    if status == SectionStatus.CANCELLED:
        touch_sections(release_rooms(section) - {section.pk})
        publish(SectionCancelled(section_id=section.pk, actor_id=by.pk if by else None, reason=reason, happened_at=at))
    return section


def grant_seats(seats: Mapping[UUID, int]) -> None:
    """Raise the override seats of locked sections just so far that the given numbers of students fit in."""
    for section_id, needed in sorted(seats.items()):
        wanted = F("enrolled_count") + F("held_count") + needed - F("capacity")
        Section.objects.filter(pk=section_id, override_seats__lt=wanted).update(
            override_seats=wanted, version=F("version") + 1
        )


def _parted(
    values: Mapping[str, Any],
) -> tuple[dict[str, Any], Sequence[InstructorItem] | None, Sequence[MeetingItem] | None]:
    """Part a section's own columns from its instructors and meetings."""
    own = dict(values)
    return own, own.pop("instructors", None), own.pop("meetings", None)


def _version_of(course: Course | None, term: Term | None) -> dict[str, CourseVersion]:
    if course is None or term is None:
        return {}
    version = version_in_effect(course.pk, term.starts_on)
    if version is None:
        raise NoVersionInEffectError
    return {"course_version": version}


def _refuse_shrinking(section: Section, changes: Mapping[str, Any]) -> None:
    counts = locked(Section.objects.filter(pk=section.pk)).values_list("enrolled_count", "held_count")
    taken = sum(counts.get())
    capacity = changes.get("capacity", section.capacity)
    seats = capacity + changes.get("override_seats", section.override_seats)
    # More seats than before are always welcome, and what is no number is refused as a field.
    if isinstance(seats, int) and capacity >= 0 and seats < min(taken, section.capacity + section.override_seats):
        raise CapacityBelowEnrolledError(
            f"{taken} seats are taken.", field=next(iter(changes)) if len(changes) == 1 else None, meta={"taken": taken}
        )
