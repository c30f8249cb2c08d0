"""Courses, sections and meetings by the thousand, for imports, by the rules of the services for single ones."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from accounts.roles import ScopeKind
from accounts.selectors import require_unassigned
from core import bulk, snapshots
from core.errors import DomainError
from core.ids import new_id
from core.visibility import Actor
from courses.models import (
    Course,
    CourseVersion,
    Meeting,
    MeetingSection,
    Section,
    SectionInstructor,
)
from courses.services.catalogue import CONTENT, update_course
from courses.services.instructors import InstructorItem, sound_instructors
from courses.services.locking import lock_behind_courses, lock_timetables
from courses.services.sections import NoVersionInEffectError, move_section, update_section
from courses.services.timetable import ONE_DAY
from courses.services.versioning import touch_sections
from departments.models import Campus, Department, Term
from faculty.models import Faculty

# What the database keeps in a section by itself.
COUNTERS = ("enrolled_count", "held_count", "waitlisted_count")


# --- courses ---


def course_faults(*, values: Mapping[str, Any], course: Course | None) -> list[DomainError]:
    """Return what is wrong with the values of a course, as far as can be told without writing."""
    content, own = _content(values)
    return [
        *bulk.faults(Course, own, partial=course is not None, ignoring=("current_version",)),
        *bulk.faults(CourseVersion, content, partial=course is not None, ignoring=("course", "version_no", "valid")),
    ]


@transaction.atomic
def create_courses(*, rows: Sequence[Mapping[str, Any]], by: Actor | None) -> list[Course | DomainError]:
    """Add courses to the catalogue, each with its first version; return each, or why it was refused."""
    custom = bulk.CustomValues(Course, by=by)
    results: list[Course | DomainError] = []
    groups: list[list[models.Model]] = []
    for values in rows:
        content, own = _content(values)
        version = CourseVersion(**content, id=new_id(), version_no=1, valid=DateRange(None, None, "[)"))
        wrong = bulk.faults(CourseVersion, content, ignoring=("course", "version_no", "valid"))
        made = bulk.built(Course, {**own, "current_version_id": version.pk}, custom)
        if isinstance(made, DomainError):
            results.append(bulk.one_error([*made.violations, *wrong]) or made)
        elif wrong:
            results.append(bulk.one_error(wrong) or wrong[0])
        else:
            version.course = made
            results.append(made)
            groups.append([made, version])
            made.current_version = version
    refused = iter(bulk.insert(groups, custom))
    return [result if isinstance(result, DomainError) else next(refused) or result for result in results]


@transaction.atomic
def update_courses(
    *, changes: Sequence[tuple[Course, Mapping[str, Any]]], by: Actor | None
) -> list[DomainError | None]:
    """Change locked courses; return for each why it was refused, or None."""
    lock_behind_courses([course.pk for course, _ in changes], {name for _, values in changes for name in values})
    given = bulk.with_related(changes, department=Department)
    return [bulk.attempt(partial(update_course, course, by=by, **values)) for course, values in given]


def keep_courses(*, ids: Collection[UUID]) -> dict[UUID, list[snapshots.Kept]]:
    """Return what `restore` needs to bring courses and their versions back exactly."""
    versions = snapshots.keep_owned(CourseVersion, "course_id", ids)
    return {pk: [*kept, versions[pk]] for pk, kept in snapshots.keep_whole(Course, ids).items()}


@transaction.atomic
def remove_courses(*, ids: Collection[UUID]) -> None:
    """Delete courses with their versions; refused with `in_use` once they were offered or are named."""
    bulk.delete(Course, ids)


def _content(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    content = {name: value for name, value in values.items() if name in CONTENT}
    return content, {name: value for name, value in values.items() if name not in CONTENT}


# --- sections ---


def section_faults(*, values: Mapping[str, Any], section: Section | None) -> list[DomainError]:
    """Return what is wrong with the values of a section, as far as can be told without writing."""
    own = {name: value for name, value in values.items() if name != "instructors"}
    errors = bulk.faults(Section, own, partial=section is not None, ignoring=("course_version",))
    try:
        _instructors(values)
    except DomainError as error:
        errors.extend(error.violations)
    return errors


@transaction.atomic
def create_sections(*, rows: Sequence[Mapping[str, Any]], by: Actor | None) -> list[Section | DomainError]:
    """Offer courses in terms, with their instructors; return each section, or why it was refused.

    An instructor is `{"faculty_id", "role"?, "share"?}`.
    """
    custom = bulk.CustomValues(Section, by=by)
    versions = _versions_in_effect(rows)
    results: list[Section | DomainError] = []
    groups: list[list[models.Model]] = []
    for values in rows:
        wrong = section_faults(values=values, section=None)
        version_id = versions.get((values.get("course_id"), values.get("term_id")))
        if version_id is None and not wrong:
            wrong.append(NoVersionInEffectError())
        if wrong:
            results.append(bulk.one_error(wrong) or wrong[0])
            continue
        own = {name: value for name, value in values.items() if name != "instructors"}
        made = bulk.built(Section, {**own, "course_version_id": version_id}, custom)
        results.append(made)
        if isinstance(made, Section):
            groups.append([made, *(SectionInstructor(section=made, **item) for item in _instructors(values))])
    refused = iter(bulk.insert(groups, custom))
    return [result if isinstance(result, DomainError) else next(refused) or result for result in results]


@transaction.atomic
def update_sections(
    *, changes: Sequence[tuple[Section, Mapping[str, Any]]], by: Actor | None
) -> list[DomainError | None]:
    """Change locked sections; return for each why it was refused, or None."""
    given = bulk.with_related(changes, course=Course, term=Term, campus=Campus)
    return [bulk.attempt(partial(_update_section, section, values, by=by)) for section, values in given]


def _update_section(section: Section, fields: dict[str, Any], *, by: Actor | None) -> None:
    if "instructors" in fields:
        fields["instructors"] = _instructors(fields)
    status = fields.pop("status", section.status)
    if fields:
        update_section(section, by=by, **fields)
    if status != section.status:
        move_section(section, status=status, by=by, at=timezone.now(), reason="Reported by another system.")


def keep_sections(*, ids: Collection[UUID]) -> dict[UUID, list[snapshots.Kept]]:
    """Return what `restore` needs to bring sections and their instructors back exactly, seats taken apart."""
    instructors = snapshots.keep_owned(SectionInstructor, "section_id", ids)
    sections = snapshots.keep_whole(Section, ids, without=COUNTERS)
    return {pk: [*kept, instructors[pk]] for pk, kept in sections.items()}


@transaction.atomic
def remove_sections(*, ids: Collection[UUID]) -> None:
    """Delete sections nobody ever enrolled in and no role is held in; refused with `in_use` otherwise."""
    require_unassigned(ScopeKind.SECTION, ids)
    bulk.delete(Section, ids)


def completed_instructors(items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return `{"faculty_id", "role", "share"}` of each instructor of a section; raise what is wrong with them."""
    whole = _instructors({"instructors": items})
    return [{"faculty_id": one["faculty"].pk, "role": one["role"], "share": one["share"]} for one in whole]


def _instructors(values: Mapping[str, Any]) -> list[InstructorItem]:
    """Return the instructors among the values of a section, sound and complete; raise what is wrong with them."""
    items: list[Any] = [
        {
            **{name: value for name, value in item.items() if name != "faculty_id"},
            "faculty": Faculty(pk=item["faculty_id"]),
        }
        for item in values.get("instructors") or ()
    ]
    return sound_instructors(items)


def _versions_in_effect(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[Any, Any], UUID]:
    """Return the version of each course in effect when the term begins, by course and term."""
    wanted: defaultdict[Any, set[Any]] = defaultdict(set)
    for values in rows:
        wanted[values.get("term_id")].add(values.get("course_id"))
    starts: dict[UUID, date] = dict(Term.objects.filter(pk__in=wanted).values_list("pk", "starts_on"))
    found: dict[tuple[Any, Any], UUID] = {}
    for term_id, course_ids in wanted.items():
        if term_id in starts:
            versions = CourseVersion.objects.filter(course__in=course_ids, valid__contains=starts[term_id])
            found |= {(course_id, term_id): pk for course_id, pk in versions.values_list("course_id", "pk")}
    return found


# --- meetings ---


def meeting_faults(*, values: Mapping[str, Any], meeting: Meeting | None) -> list[DomainError]:
    """Return what is wrong with the values of a meeting, as far as can be told without writing."""
    own = {name: value for name, value in values.items() if name != "section_ids"}
    return bulk.faults(Meeting, own, partial=meeting is not None, ignoring=("dates",))


@transaction.atomic
def create_meetings(*, rows: Sequence[Mapping[str, Any]], by: Actor | None) -> list[Meeting | DomainError]:
    """Schedule meetings of the sections in `section_ids`, on the days of their term; return each, or why not."""
    served = {pk for values in rows for pk in values["section_ids"]}
    lock_timetables(section_ids=served)
    spans = _spans_of_terms(served)
    results: list[Meeting | DomainError] = []
    groups: list[list[models.Model]] = []
    for values in rows:
        own = {name: value for name, value in values.items() if name != "section_ids"}
        sections = sorted(set(values["section_ids"]))
        made = bulk.built(Meeting, {"dates": spans[sections[0]], **own}, None)
        results.append(made)
        if isinstance(made, Meeting):
            groups.append([made, *(MeetingSection(meeting=made, section_id=pk) for pk in sections)])
    refused = bulk.insert(groups)
    touch_sections(
        row.section_id
        for group, error in zip(groups, refused, strict=True)
        if error is None
        for row in group
        if isinstance(row, MeetingSection)
    )
    remaining = iter(refused)
    return [result if isinstance(result, DomainError) else next(remaining) or result for result in results]


@transaction.atomic
def update_meetings(
    *, changes: Sequence[tuple[Meeting, Mapping[str, Any]]], by: Actor | None
) -> list[DomainError | None]:
    """Change locked meetings, except which sections they serve; return for each why it was refused, or None."""
    refused = bulk.change(changes, by=by)
    changed = [meeting.pk for (meeting, _), error in zip(changes, refused, strict=True) if error is None]
    touch_sections(MeetingSection.objects.filter(meeting__in=changed).values_list("section_id", flat=True))
    return refused


def keep_meetings(*, ids: Collection[UUID]) -> dict[UUID, list[snapshots.Kept]]:
    """Return what `restore` needs to bring meetings and the sections they serve back exactly."""
    served = snapshots.keep_owned(MeetingSection, "meeting_id", ids)
    return {pk: [kept, served[pk]] for pk, kept in snapshots.keep(Meeting, ids).items()}


@transaction.atomic
def remove_meetings(*, ids: Collection[UUID]) -> None:
    """Take meetings off the timetable."""
    lock_timetables(meeting_ids=ids)
    bulk.delete(Meeting, ids)


def _spans_of_terms(section_ids: Collection[UUID]) -> dict[UUID, DateRange]:
    sections = Section.objects.filter(pk__in=list(section_ids)).values_list("pk", "term__starts_on", "term__ends_on")
    return {pk: DateRange(first, last + ONE_DAY, "[)") for pk, first, last in sections}


# --- all of them ---


def restore(*, kept: Iterable[snapshots.Kept]) -> None:
    """Bring courses, sections or meetings back exactly as they were kept."""
    snapshots.restore(kept)
