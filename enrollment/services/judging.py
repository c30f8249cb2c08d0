"""What the rules of registration say of enrolments that another system reports, told for many at once.

What is reported of a term that is over is history and is taken as it is. In any other term a
reported enrolment that takes a seat is held to the rules of a registration, unless whoever asks
waives those that can be waived. Seats are counted as the rows take them, one after the other.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from core.errors import DomainError
from courses.models import Section
from courses.selectors import for_registration
from enrollment.models import SEATED, EnrollmentStatus
from enrollment.selectors import GUARDED, Obstacle, obstacles_without_attempts
from enrollment.services.refusals import refusal_of
from enrollment.services.registration import credit_faults
from students.models import Student

FULL = "section_full"

Waives = Callable[[Section], bool]


def waive_nothing(section: Section) -> bool:
    """Hold every enrolment to the rules."""
    return False


@dataclass(frozen=True, slots=True)
class Judgement:
    """Why a reported enrolment is refused, and which rules it breaks that do not hold for it."""

    refusals: list[DomainError] = field(default_factory=list)
    passed_over: list[Obstacle] = field(default_factory=list)
    is_history: bool = False

    @property
    def waived(self) -> list[str]:
        """Return the rules that somebody has waived; for history none held."""
        return [] if self.is_history else [obstacle.code for obstacle in self.passed_over]


class Judge:
    """Judges reported enrolments in their order, by what sections and students were when it read them."""

    def __init__(self, waives: Waives = waive_nothing) -> None:
        self._waives = waives
        self.sections: dict[UUID, Section] = {}
        self._students: dict[UUID, Student] = {}

    def read(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Read what decides about rows of `student_id` and `section_id`, unless it was read before."""
        places = [(row["student_id"], row["section_id"]) for row in rows]
        unknown = {section_id for _, section_id in places} - self.sections.keys()
        if unknown:
            self.sections |= {section.pk: section for section in for_registration(unknown)}
        guarded = {student_id for student_id, section_id in places if self._is_guarded(section_id)}
        if missing := guarded - self._students.keys():
            students = Student.objects.filter(pk__among=missing).only("status")
            self._students |= {student.pk: student for student in students}

    def of(self, row: Mapping[str, Any]) -> Judgement:
        """Say what the rules make of an enrolment that is to come; one that takes no seat breaks none."""
        section = self.sections.get(row["section_id"])
        if section is None or row.get("status", EnrollmentStatus.ENROLLED) not in SEATED:
            return Judgement()
        if section.term.state not in GUARDED:
            return Judgement([], [_full(section)] if section.seats_left <= 0 else [], is_history=True)
        student = self._students.get(row["student_id"])
        found = obstacles_without_attempts(student, section) if student else []
        is_waived = bool(found) and self._waives(section)
        passed_over = [obstacle for obstacle in found if is_waived and obstacle.can_be_waived]
        refusals = [refusal_of(obstacle) for obstacle in found if obstacle not in passed_over]
        if row.get("credits") is not None:
            refusals += credit_faults({"credits": row["credits"]}, section.course_version)
        return Judgement(refusals, passed_over)

    def seat(self, row: Mapping[str, Any]) -> None:
        """Count the seat that an enrolment takes."""
        section = self.sections.get(row["section_id"])
        if section is not None and row.get("status", EnrollmentStatus.ENROLLED) in SEATED:
            section.enrolled_count += 1

    def _is_guarded(self, section_id: UUID) -> bool:
        section = self.sections.get(section_id)
        return section is not None and section.term.state in GUARDED


def _full(section: Section) -> Obstacle:
    return Obstacle(FULL, "section", f"The section has {section.seats_left} seats left.", {}, can_be_waived=True)
