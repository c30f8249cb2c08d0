"""What the university teaches, when and where.

    Course 1 --- * CourseVersion 1 --- * Requisite 1 --- * RequisiteCourse * --- 1 Course
    Course 1 --- * Section * --- 1 Term
                   Section 1 --- * SectionInstructor * --- 1 Faculty
                   Section 1 --- * MeetingSection * --- 1 Meeting * --- 0..1 Room
                   Section 1 --- * SectionStatusEvent

A course is what the catalogue knows for good; its title and credits lie in versions, of which one
is in effect on any day. A section is one offering of a course in a term. What occupies a room is a
meeting, and one meeting may serve several sections that are taught together.
"""

from courses.models.catalogue import (
    Course,
    CourseLevel,
    CourseVersion,
    Requisite,
    RequisiteCourse,
    RequisiteKind,
)
from courses.models.offerings import (
    InstructorRole,
    Section,
    SectionInstructor,
    SectionMode,
    SectionStatus,
    SectionStatusEvent,
)
from courses.models.timetable import Meeting, MeetingSection

__all__ = [
    "Course",
    "CourseLevel",
    "CourseVersion",
    "InstructorRole",
    "Meeting",
    "MeetingSection",
    "Requisite",
    "RequisiteCourse",
    "RequisiteKind",
    "Section",
    "SectionInstructor",
    "SectionMode",
    "SectionStatus",
    "SectionStatusEvent",
]
