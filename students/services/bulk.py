"""Students by the thousand, for imports, by the rules of the services for single ones."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.utils import timezone

from accounts.services.bulk_parts import Decided, create_parts, keep_parts, part_faults, remove_parts, update_parts
from core import bulk, snapshots
from core.errors import DomainError
from core.events import publish_all
from core.visibility import Actor
from departments.models import Department, Program
from students.events import ProgramEnrollmentCreated, StudentCreated
from students.models import ENDED, ProgramEnrollment, ProgramEnrollmentStatus, Student
from students.refusals import StudentNoImmutableError
from students.services.students import STEPS, CohortWithoutProgramError, OwnStandingError, update_student

# What describes the primary program, not the student.
PROGRAM = ("program_id", "cohort")
# What a change of has consequences that only the service for one student draws.
CONSEQUENTIAL = frozenset({"status", "program_id", "cohort"})
DECIDED = Decided(
    CONSEQUENTIAL | {"department_id", "advisor_id", "admitted_on", "accommodation_note"}, OwnStandingError
)


def student_faults(
    *, values: Mapping[str, Any], student: Student | None, by: Actor | None, nameless: bool = False
) -> list[DomainError]:
    """Return what is wrong with the values of a student, as far as can be told without writing."""
    errors = DECIDED.faults(values, student, by=by)
    errors += part_faults(Student, values, part=student, nameless=nameless, apart=PROGRAM)
    if student is not None and values.get("student_no", student.student_no) != student.student_no:
        errors.append(StudentNoImmutableError())
    if student is None and values.get("cohort") and not values.get("program_id"):
        errors.append(CohortWithoutProgramError())
    return errors


@transaction.atomic
def create_students(
    *, rows: Sequence[Mapping[str, Any]], by: Actor | None, nameless: bool = False
) -> list[Student | DomainError]:
    """Create students, the persons they are and their primary programs; return each, or why it was refused.

    A person has a last name, unless the source publishes none: then they may be `nameless`.
    """
    programs: dict[UUID, ProgramEnrollment] = {}

    def along(student: Student, values: Mapping[str, Any]) -> Iterable[models.Model]:
        curriculum = {name: values[name] for name in PROGRAM if name in values}
        if curriculum.get("program_id") is None:
            return ()
        status = student.status if student.status not in ENDED else ProgramEnrollmentStatus.ADMITTED
        programs[student.pk] = ProgramEnrollment(student=student, is_primary=True, status=status, **curriculum)
        return (programs[student.pk],)

    results = create_parts(Student, rows, by=by, decided=DECIDED, nameless=nameless, along=along, apart=PROGRAM)
    created = [result for result in results if isinstance(result, Student)]
    publish_all(
        StudentCreated(student_id=s.pk, person_id=s.person_id, student_no=s.student_no, status=s.status)
        for s in created
    )
    publish_all(
        ProgramEnrollmentCreated(
            program_enrollment_id=programs[s.pk].pk,
            student_id=s.pk,
            program_id=programs[s.pk].program_id,
            status=programs[s.pk].status,
        )
        for s in created
        if s.pk in programs
    )
    return results


@transaction.atomic
def update_students(
    *, changes: Sequence[tuple[Student, Mapping[str, Any]]], by: Actor | None
) -> list[DomainError | None]:
    """Change locked students; return for each why it was refused, or None."""
    return update_parts(
        changes,
        by=by,
        decided=DECIDED,
        consequential=CONSEQUENTIAL,
        faults=lambda student, values: student_faults(values=values, student=student, by=by),
        update=update_student,
        department=Department,
        program=Program,
    )


def keep_students(*, ids: Collection[UUID]) -> dict[UUID, list[snapshots.Kept]]:
    """Return what `restore_students` needs to bring students, persons and programs back exactly."""
    programs = snapshots.keep_owned(ProgramEnrollment, "student_id", ids)
    return {pk: [*kept, programs[pk]] for pk, kept in keep_parts(Student, ids).items()}


@transaction.atomic
def restore_students(*, kept: Sequence[snapshots.Kept], by: Actor | None) -> None:
    """Bring students back exactly as they were kept; a status taken back is one more step in their history."""
    STEPS.restore(kept, by=by, at=timezone.now(), reason="An import was taken back.")


@transaction.atomic
def remove_students(*, ids: Collection[UUID]) -> None:
    """Delete students and their persons; refused with `in_use` while anything else refers to one of them."""
    programs = ProgramEnrollment.objects.filter(student__in=list(ids)).values_list("pk", flat=True)
    bulk.delete(ProgramEnrollment, list(programs))
    remove_parts(Student, ids)
