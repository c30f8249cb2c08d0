"""Students by the thousand, for imports, by the rules of the services for single ones."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.utils import timezone

from accounts.services.bulk_parts import change_parts, create_parts, keep_parts, part_faults, remove_parts
from core import bulk, snapshots
from core.db.constraints import refusing
from core.errors import DomainError
from core.events import publish_all
from core.visibility import Actor
from departments.models import Department, Program
from students.events import ProgramEnrollmentCreated, StudentCreated
from students.models import ENDED, ProgramEnrollment, ProgramEnrollmentStatus, Student, StudentStatusEvent
from students.refusals import StudentNoImmutableError
from students.services.students import CohortWithoutProgramError, update_student

PROGRAM = ("program_id", "cohort")
# What a change of has consequences that only the service for one student draws.
CONSEQUENTIAL = frozenset({"status", "program_id", "cohort"})


def student_faults(*, values: Mapping[str, Any], student: Student | None) -> list[DomainError]:
    """Return what is wrong with the values of a student, as far as can be told without writing."""
    own = {name: value for name, value in values.items() if name not in PROGRAM}
    errors = part_faults(Student, own, partial=student is not None)
    if student is not None and own.get("student_no", student.student_no) != student.student_no:
        errors.append(StudentNoImmutableError())
    if student is None and values.get("cohort") and not values.get("program_id"):
        errors.append(CohortWithoutProgramError())
    return errors


@transaction.atomic
def create_students(*, rows: Sequence[Mapping[str, Any]], by: Actor | None) -> list[Student | DomainError]:
    """Create students, the persons they are and their primary programs; return each, or why it was refused."""
    programs: dict[UUID, ProgramEnrollment] = {}

    def along(student: Student, values: Mapping[str, Any]) -> Iterable[models.Model]:
        curriculum = given.get(id(values), {})
        if curriculum.get("program_id") is None:
            return ()
        status = student.status if student.status not in ENDED else ProgramEnrollmentStatus.ADMITTED
        programs[student.pk] = ProgramEnrollment(student=student, is_primary=True, status=status, **curriculum)
        return (programs[student.pk],)

    given: dict[int, dict[str, Any]] = {}
    own = []
    for values in rows:
        own.append({name: value for name, value in values.items() if name not in PROGRAM})
        given[id(own[-1])] = {name: values[name] for name in PROGRAM if name in values}
    results = create_parts(Student, own, by=by, along=along)
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
    plain = [(student, values) for student, values in changes if not CONSEQUENTIAL & values.keys()]
    others = [(student, values) for student, values in changes if CONSEQUENTIAL & values.keys()]
    refused = {student.pk: e for (student, _), e in zip(plain, change_parts(plain, by=by), strict=True)}
    for (student, values), (_, given) in zip(
        others, bulk.with_related(others, department=Department, program=Program), strict=True
    ):
        wrong = bulk.one_error(student_faults(values=values, student=student))
        refused[student.pk] = wrong or _update_one(student, given, by=by)
    return [refused[student.pk] for student, _ in changes]


def _update_one(student: Student, values: dict[str, Any], *, by: Actor | None) -> DomainError | None:
    try:
        with refusing():
            update_student(student, by=by, **values)
            bulk.check_deferred()
    except DomainError as error:
        return error
    return None


def keep_students(*, ids: Collection[UUID]) -> dict[UUID, list[snapshots.Kept]]:
    """Return what `restore_students` needs to bring students, persons and programs back exactly."""
    programs = snapshots.keep_owned(ProgramEnrollment, "student_id", ids)
    return {pk: [*kept, programs[pk]] for pk, kept in keep_parts(Student, ids).items()}


@transaction.atomic
def restore_students(*, kept: Sequence[snapshots.Kept], by: Actor | None) -> None:
    """Bring students back exactly as they were kept; a status taken back is one more step in their history."""
    rows = [row for single in kept if single["of"] == "students.student" for row in snapshots.rows_of(single)]
    present = dict(Student.objects.filter(pk__in=[row["id"] for row in rows]).values_list("pk", "status"))
    snapshots.restore(kept)
    steps = [
        StudentStatusEvent(
            student_id=row["id"],
            from_status=present[UUID(row["id"])],
            to_status=row["status"],
            actor_id=by.pk if by else None,
            reason="An import was taken back.",
            happened_at=timezone.now(),
        )
        for row in rows
        if present.get(UUID(row["id"]), row["status"]) != row["status"]
    ]
    StudentStatusEvent.objects.bulk_create(steps)


@transaction.atomic
def remove_students(*, ids: Collection[UUID]) -> None:
    """Delete students and their persons; refused with `in_use` while anything else refers to one of them."""
    programs = ProgramEnrollment.objects.filter(student__in=list(ids)).values_list("pk", flat=True)
    bulk.delete(ProgramEnrollment, list(programs))
    remove_parts(Student, ids)
