"""What other apps ask about courses and sections."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from courses.models import CourseVersion, Section, SectionInstructor


def version_in_effect(course_id: UUID, on: date) -> CourseVersion | None:
    """Return what a course is on a day."""
    return CourseVersion.objects.filter(course=course_id, valid__contains=on).first()


def sections_taught_by(person_id: Any) -> QuerySet[SectionInstructor, Any]:
    """Return the sections a person teaches, for an `__in` lookup."""
    return SectionInstructor.objects.filter(faculty__person=person_id).values("section")


def for_registration(section_ids: Iterable[UUID]) -> QuerySet[Section]:
    """Return sections with what decides about enrolling in them, which is settled while `lock_sections` holds them."""
    return Section.objects.filter(pk__in=section_ids).select_related("course", "term", "course_version")
