"""Sight of students: oneself, one's advisees, and those of the units one is in charge of."""

from typing import Any

from django.db.models import Q

from accounts.assignments import Scopes, scopes_of
from core.visibility import Sight, grants, visible
from departments.selectors import below
from students.models import ProgramEnrollment, ProgramEnrollmentEvent, Student, StudentStatusEvent
from students.selectors import in_programs


@grants(Student)
def those_in_charge_see_the_students_of_their_departments(actor: Any) -> Q | None:
    return _in_departments(scopes_of(actor, "students.view_student"))


@grants(Student)
def those_in_charge_see_the_students_of_their_programs(actor: Any) -> Q | None:
    return _in_programs(scopes_of(actor, "students.view_student"))


@grants(Student)
def advisors_see_their_advisees(actor: Any) -> Q | None:
    person = getattr(actor, "person_id", None)
    return Q(advisor=person) if person else None


@grants(Student)
def students_see_themselves(actor: Any) -> Q | None:
    person = getattr(actor, "person_id", None)
    return Q(person=person) if person else None


@grants(Student, "manage")
def those_in_charge_manage_the_students_of_their_departments(actor: Any) -> Q | None:
    return _in_departments(scopes_of(actor, "students.change_student"))


@grants(Student, "manage")
def those_in_charge_manage_the_students_of_their_programs(actor: Any) -> Q | None:
    return _in_programs(scopes_of(actor, "students.change_student"))


@grants(ProgramEnrollment)
@grants(StudentStatusEvent)
def whoever_sees_a_student_sees_their_programs_and_history(actor: Any) -> Q | None:
    return _of_students(actor, "student", to="view")


@grants(ProgramEnrollmentEvent)
def whoever_sees_a_student_sees_the_history_in_their_programs(actor: Any) -> Q | None:
    return _of_students(actor, "program_enrollment__student", to="view")


@grants(ProgramEnrollment, "manage")
def whoever_manages_a_student_manages_their_programs(actor: Any) -> Q | None:
    return _of_students(actor, "student", to="manage")


def _in_departments(scopes: Scopes) -> Q | None:
    if scopes.everywhere:
        return Q()
    return below(scopes.departments) if scopes.departments else None


def _in_programs(scopes: Scopes) -> Q | None:
    return in_programs(scopes.programs) if scopes.programs else None


def _of_students(actor: Any, path: str, *, to: Sight) -> Q:
    """Match what belongs to the students in sight, whichever app grants that sight."""
    students = visible(Student.objects.all(), actor, to=to)
    # Sight of every student is no condition at all, and must not become a subquery over the whole table.
    return Q(**{f"{path}__in": students.values("pk")}) if students.query.where else Q()
