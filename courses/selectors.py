"""What other apps ask about courses and sections."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from courses.models import CourseVersion, Section, SectionInstructor


def version_in_effect(course_id: UUID, on: date) -> CourseVersion | None:
    """Return what a course is on a day."""
    return CourseVersion.objects.filter(course=course_id, valid__contains=on).first()


def sections_taught_by(person_id: Any, *, on: date | None = None) -> QuerySet[SectionInstructor, Any]:
    """Return the sections that a person teaches, or taught so lately that it is still their business, for an `__in`.

    That is on a day (today, where the institution is) until `INSTRUCTOR_ACCESS_GRACE` after the last day of the term.
    """
    return SectionInstructor.objects.filter(_of_late("section__term", on), faculty__person=person_id).values("section")


def sections_assisted_in(ids: Iterable[UUID], *, on: date | None = None) -> QuerySet[Section, Any]:
    """Return those of the sections for which a role is held that would be a teacher's business still, for an `__in`."""
    return Section.objects.filter(_of_late("term", on), pk__in=list(ids)).values("pk")


def sections_of_late(*, on: date | None = None) -> QuerySet[Section, Any]:
    """Return the sections that would be a teacher's business still, for an `__in`."""
    return Section.objects.filter(_of_late("term", on)).values("pk")


def _of_late(term: str, on: date | None) -> Q:
    return Q(**{f"{term}__ends_on__gte": (on or timezone.localdate()) - settings.INSTRUCTOR_ACCESS_GRACE})


def for_registration(section_ids: Iterable[UUID]) -> QuerySet[Section]:
    """Return sections with what decides about enrolling in them, which is settled while `lock_sections` holds them."""
    return Section.objects.filter(pk__in=section_ids).select_related("course", "term", "course_version")
