"""What this app announces to the layers above it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, kw_only=True)
class EnrollmentMoved(Event):
    """An enrolment reached a status; each status has an announcement of its own."""

    name: ClassVar[str] = "enrollment.moved"

    enrollment_id: UUID
    student_id: UUID
    section_id: UUID
    course_id: UUID
    term_id: UUID
    happened_at: datetime


@dataclass(frozen=True, kw_only=True)
class StudentEnrolled(EnrollmentMoved):
    """A student has a seat in a section."""

    name: ClassVar[str] = "enrollment.enrolled"


@dataclass(frozen=True, kw_only=True)
class EnrollmentDropped(EnrollmentMoved):
    """A student left a section before it was taught; a seat is free."""

    name: ClassVar[str] = "enrollment.dropped"


@dataclass(frozen=True, kw_only=True)
class EnrollmentWithdrawn(EnrollmentMoved):
    """A student left a section while it was taught; a seat is free, and the attempt stays on record."""

    name: ClassVar[str] = "enrollment.withdrawn"


@dataclass(frozen=True, kw_only=True)
class EnrollmentCompleted(EnrollmentMoved):
    """A student has taken a section to its end."""

    name: ClassVar[str] = "enrollment.completed"


@dataclass(frozen=True, kw_only=True)
class EnrollmentCancelled(EnrollmentMoved):
    """The university took an enrolment back, such as with its section."""

    name: ClassVar[str] = "enrollment.cancelled"
