"""Locking the rows of several targets at once, in the order of everybody who changes them.

A chunk of an import writes rows of one resource; whoever writes rows of several in one transaction
locks them here first, whatever the order in which they are written.
"""

from collections.abc import Collection, Mapping
from uuid import UUID

from courses.models import MeetingSection
from courses.services import lock_courses, lock_sections
from enrollment.models import Enrollment
from students.services import lock_students

# The resources of which rows, or what they are of, are locked by their ids.
LOCKED = ("students", "courses", "sections", "enrollments", "meetings")


def lock_in_order(ids: Mapping[str, Collection[UUID]]) -> None:
    """Lock students, courses and sections, by resource, and the sections that enrolments and meetings are of."""
    enrolled = Enrollment.objects.filter(pk__among=ids.get("enrollments", ()))
    served = MeetingSection.objects.filter(meeting__among=ids.get("meetings", ()))
    lock_students(ids.get("students", ()))
    lock_courses(ids.get("courses", ()))
    lock_sections(
        {
            *ids.get("sections", ()),
            *enrolled.values_list("section_id", flat=True),
            *served.values_list("section_id", flat=True),
        }
    )
