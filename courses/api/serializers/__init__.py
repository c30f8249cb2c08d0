"""The JSON shapes of the catalogue, the offer and the timetable."""

from courses.api.serializers.catalogue import (
    CourseDetailSerializer,
    CourseSerializer,
    CourseVersionSerializer,
    CourseWriter,
    NewCourseWriter,
    RequisiteSerializer,
    RequisiteWriter,
    StartVersionWriter,
)
from courses.api.serializers.sections import (
    MoveSectionWriter,
    SectionDetailSerializer,
    SectionSerializer,
    SectionWriter,
)
from courses.api.serializers.timetable import MeetingSerializer, MeetingWriter

__all__ = [
    "CourseDetailSerializer",
    "CourseSerializer",
    "CourseVersionSerializer",
    "CourseWriter",
    "MeetingSerializer",
    "MeetingWriter",
    "MoveSectionWriter",
    "NewCourseWriter",
    "RequisiteSerializer",
    "RequisiteWriter",
    "SectionDetailSerializer",
    "SectionSerializer",
    "SectionWriter",
    "StartVersionWriter",
]
