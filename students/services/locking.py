"""Locks on students: whoever changes anything about one locks the student first, then what belongs to them."""

from collections.abc import Iterable
from uuid import UUID

from core.errors import MissingError
from students.models import ProgramEnrollment, Student


def hold_student(student: Student) -> None:
    """Lock a student until the transaction ends, and bring what the lock protects up to date."""
    locked = Student.objects.select_for_update(no_key=True)
    try:
        student.refresh_from_db(fields=["status", "version"], from_queryset=locked)
    except Student.DoesNotExist:
        raise MissingError("There is no such student.", field="student") from None


def hold_student_of(enrollment_id: UUID) -> None:
    """Lock the student of a program enrolment, for a caller about to lock the enrolment itself."""
    lock_students(ProgramEnrollment.objects.filter(pk=enrollment_id).values_list("student_id", flat=True))


def lock_students(ids: Iterable[UUID]) -> None:
    """Lock students until the transaction ends, in the order of their ids."""
    list(Student.objects.filter(pk__among=list(ids)).order_by("pk").select_for_update(no_key=True).values("pk"))
