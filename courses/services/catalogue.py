"""What changes courses and their versions."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Model
from django.utils import timezone

from core import crud
from core.db.locks import hold_named
from core.errors import ConflictError
from core.ids import new_id
from core.visibility import Actor
from courses.models import Course, CourseVersion, Section
from courses.services.locking import SETTLED_BY_USE, lock_behind_courses
from courses.services.requisites import copy_requisites, rename_course
from departments.models import Department


class VersionValues(TypedDict, total=False):
    title: str
    description: str
    credits: Decimal
    credits_max: Decimal | None
    is_repeatable: bool


class CourseValues(VersionValues, total=False):
    code: str
    department: Department
    level: str
    is_active: bool
    custom_fields: dict[str, Any]


CONTENT = frozenset(VersionValues.__annotations__)


class VersionInUseError(ConflictError):
    """Students are enrolled under the credits that were to change."""

    code = "version_in_use"
    title = "Students are enrolled under these credits; begin a version of the course instead."
    field = "credits"


class VersionOverlapError(ConflictError):
    """The version would begin before the latest one has."""

    code = "effective_overlap"
    title = "A version of a course begins after the one before it."
    field = "starts_on"


@transaction.atomic
def create_course(*, by: Actor | None, starts_on: date | None = None, **values: Unpack[CourseValues]) -> Course:
    """Add a course to the catalogue with its first version, in effect since ever unless `starts_on` says otherwise."""
    content = {name: value for name, value in values.items() if name in CONTENT}
    own = {name: value for name, value in values.items() if name not in CONTENT}
    version_id = new_id()
    course = crud.create(Course, {**own, "current_version_id": version_id}, by=by)
    course.current_version = crud.create(
        CourseVersion,
        {**content, "id": version_id, "course": course, "version_no": 1, "valid": DateRange(starts_on, None, "[)")},
    )
    return course


@transaction.atomic
def update_course(course: Course, *, by: Actor | None, **changes: Unpack[CourseValues]) -> Course:
    """Change a course; its title, description and credits are corrected in the version in effect.

    Credits under which students are enrolled stay as they are: `version_in_use`.
    """
    before, former_code = course.version, course.code
    content = {name: value for name, value in changes.items() if name in CONTENT}
    lock_behind_courses([course.pk], _differing(course, changes) | _differing(course.current_version, content))
    crud.update(course, {name: value for name, value in changes.items() if name not in CONTENT}, by=by)
    if course.code != former_code:
        rename_course(course, former_code)
    if content and _correct(course.current_version, content) and course.version == before:
        crud.touch(course)
    return course


@transaction.atomic
def delete_course(course: Course, *, by: Actor | None) -> None:
    """Delete a course that was never offered and that no requisite names; refused with `in_use` otherwise."""
    crud.delete(course)


@transaction.atomic
def start_version(
    course: Course, *, by: Actor | None, starts_on: date, **values: Unpack[VersionValues]
) -> CourseVersion:
    """Let a course be something else from a day on; what is not given, and the requisites, stay as they were.

    Refused with `effective_overlap` unless the day lies after the beginning of the latest version.
    """
    # Versions of one course are begun one after the other.
    Course.objects.select_for_update(no_key=True).get(pk=course.pk)
    latest = CourseVersion.objects.filter(course=course).latest("version_no")
    if latest.valid.lower is not None and latest.valid.lower >= starts_on:
        raise VersionOverlapError(
            f"The latest version begins on {latest.valid.lower}.", meta={"latest_starts_on": str(latest.valid.lower)}
        )
    former = {name: getattr(latest, name) for name in CONTENT}
    crud.update(latest, {"valid": DateRange(latest.valid.lower, starts_on, "[)")})
    begun = crud.create(
        CourseVersion,
        {
            **former,
            **values,
            "course": course,
            "version_no": latest.version_no + 1,
            "valid": DateRange(starts_on, None, "[)"),
        },
    )
    copy_requisites(latest, begun)
    adopt_versions(on=timezone.localdate(), course=course)
    return begun


@transaction.atomic
def adopt_versions(*, on: date, course: Course | None = None) -> int:
    """Make the versions that are in effect on a day the current ones; return how many courses changed.

    Run once a day it brings versions that were begun for a later day into effect; twice is once.
    Of all courses (without `course`) it raises `LockHeldError` when somebody else is at it.
    """
    if course is None:
        hold_named("courses.adopt_versions", "")
    due = CourseVersion.objects.filter(valid__contains=on).exclude(pk__in=Course.objects.values("current_version"))
    if course is not None:
        due = due.filter(course=course)
    adopted = 0
    for version in due.select_related("course").order_by("course_id"):
        row = Course.objects.select_for_update(no_key=True).get(pk=version.course_id)
        crud.update(row, {"current_version": version})
        adopted += 1
        if course is not None:
            course.current_version, course.version = version, row.version
    return adopted


def _correct(version: CourseVersion, content: dict[str, Any]) -> bool:
    """Write the corrections of a version; say whether there were any."""
    changed = _differing(version, content)
    # The sections are locked, so that nobody enrols under the credits that are going.
    if changed & SETTLED_BY_USE and Section.objects.filter(course_version=version, enrolled_count__gt=0).exists():
        raise VersionInUseError
    crud.update(version, content)
    return bool(changed)


def _differing(row: Model, values: Mapping[str, Any]) -> set[str]:
    """Return the names of the values that a row does not have already."""
    return {name for name, value in values.items() if hasattr(row, name) and getattr(row, name) != value}
