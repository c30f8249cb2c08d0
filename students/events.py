"""What this app announces to the layers above it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, kw_only=True)
class StudentCreated(Event):
    """A student was recorded."""

    name: ClassVar[str] = "students.student.created"

    student_id: UUID
    person_id: UUID
    student_no: str
    status: str


@dataclass(frozen=True, kw_only=True)
class StudentStatusChanged(Event):
    """A student's standing with the university became another."""

    name: ClassVar[str] = "students.student.status_changed"

    student_id: UUID
    from_status: str
    to_status: str
    happened_at: datetime


@dataclass(frozen=True, kw_only=True)
class ProgramEnrollmentCreated(Event):
    """A student was enrolled in a program."""

    name: ClassVar[str] = "students.program_enrollment.created"

    program_enrollment_id: UUID
    student_id: UUID
    program_id: UUID
    status: str


@dataclass(frozen=True, kw_only=True)
class ProgramEnrollmentStatusChanged(Event):
    """A student's standing in a program became another."""

    name: ClassVar[str] = "students.program_enrollment.status_changed"

    program_enrollment_id: UUID
    student_id: UUID
    from_status: str
    to_status: str
    happened_at: datetime
