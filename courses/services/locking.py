"""The order in which everybody who changes the catalogue, the offer or the timetable takes locks.

    1. courses          their rows
    2. requisites       their rows, of those that name a course whose code changes
    3. sections         their rows, and shared the states of their terms for whom relies on these
    4. meetings         their rows, and the rooms that they take

Each kind in the order of its ids, and whoever needs several rows of a kind takes them together. A
meeting is changed by whoever holds every section that it serves, so that of two who want the same
meeting one waits before holding anything the other needs. What else comes before sections, and what
after, stands in `enrollment.services.locking`.
"""

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from courses.models import Course, MeetingSection, Requisite, Section
from departments.services import term_state_kept

# What of a course is named by requisites, and what enrolments in its sections were made under.
NAMED = frozenset({"code"})
SETTLED_BY_USE = frozenset({"credits", "credits_max"})


def lock_courses(ids: Iterable[UUID]) -> None:
    """Lock courses until the transaction ends, in the order of their ids."""
    courses = Course.objects.filter(pk__among=list(ids)).order_by("pk")
    list(courses.select_for_update(no_key=True).values_list("pk"))


def lock_behind_courses(ids: Collection[UUID], names: Collection[str]) -> None:
    """Lock what a change of these fields of locked courses concerns: requisites by the code, sections by the credits.

    Before the courses are written: who has changed the code of one keeps everybody from referring to it.
    """
    if NAMED & set(names):
        naming = Requisite.objects.filter(pk__in=Requisite.objects.filter(named_courses__course__in=ids).values("pk"))
        list(naming.order_by("pk").select_for_update(no_key=True).values_list("pk"))
    if SETTLED_BY_USE & set(names):
        versions = Course.objects.filter(pk__in=ids).values("current_version")
        list(locked(Section.objects.filter(course_version__in=versions)).values_list("pk"))


def lock_sections(ids: Iterable[UUID]) -> None:
    """Keep the seats of sections, and the states of their terms, from changing until the transaction ends.

    In the order of their ids, so that two transactions that need the same sections never wait for
    each other. What is kept is read afterwards, by a statement of its own.
    """
    list(locked(Section.objects.filter(pk__in=list(ids))).values_list("pk", term_state_kept()))


def lock_timetables(*, section_ids: Iterable[UUID] = (), meeting_ids: Iterable[UUID] = ()) -> None:
    """Lock sections, those that meet together with them, and those that meetings serve.

    Before the meetings are locked, which then go on to serve the same sections.
    """
    sections, meetings = set(section_ids), set(meeting_ids)
    wanted = sections | _concerned(sections, meetings)
    while missing := _lock_unless_others_joined(wanted, sections, meetings):
        wanted |= missing


def _lock_unless_others_joined(wanted: set[UUID], sections: set[UUID], meetings: set[UUID]) -> set[UUID]:
    """Lock sections, or let go of them and return which others have come to meet with them meanwhile."""
    with transaction.atomic():
        list(locked(Section.objects.filter(pk__in=wanted)).values_list("pk"))
        missing = _concerned(sections, meetings) - wanted
        transaction.set_rollback(bool(missing))
    return missing


def _concerned(sections: set[UUID], meetings: set[UUID]) -> set[UUID]:
    """Return the sections that meetings serve, and those that share a meeting with one of the sections."""
    shared = MeetingSection.objects.filter(section__in=sections).values("meeting")
    served = MeetingSection.objects.filter(Q(meeting__in=meetings) | Q(meeting__in=shared))
    return set(served.values_list("section_id", flat=True))


def locked(sections: QuerySet[Section]) -> QuerySet[Section]:
    """Return sections that are locked, in the order of their ids, as they are read."""
    return sections.order_by("pk").select_for_update(of=("self",), no_key=True)
