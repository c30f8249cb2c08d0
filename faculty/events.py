"""What this app announces to the layers above it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, kw_only=True)
class FacultyCreated(Event):
    """A member of faculty was recorded."""

    name: ClassVar[str] = "faculty.faculty.created"

    faculty_id: UUID
    person_id: UUID
    employee_no: str


@dataclass(frozen=True, kw_only=True)
class FacultyAppointed(Event):
    """A member of faculty took up a post: a rank in a department."""

    name: ClassVar[str] = "faculty.faculty.appointed"

    faculty_id: UUID
    department_id: UUID
    rank: str
    starts_on: date


@dataclass(frozen=True, kw_only=True)
class FacultyStatusChanged(Event):
    """A member of faculty went from one status to another."""

    name: ClassVar[str] = "faculty.faculty.status_changed"

    faculty_id: UUID
    from_status: str
    to_status: str
    happened_at: datetime
