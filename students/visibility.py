"""Sight of students: oneself, one's advisees, and those of the units one is in charge of."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Model, Q

from accounts.assignments import Scopes, scopes_of
from core.foreseen import foresees
from core.masks import masks
from core.visibility import grants, visible
from departments.selectors import below
from students.models import (
    GuardianLink,
    GuardianScope,
    ProgramEnrollment,
    ProgramEnrollmentEvent,
    Student,
    StudentStatusEvent,
)
from students.selectors import advising, for_whom, in_programs, wards_of


@grants(Student)
def those_in_charge_see_the_students_of_their_departments(actor: Any) -> Q | None:
    return _in_departments(scopes_of(actor, "students.view_student"))


@grants(Student)
def those_in_charge_see_the_students_of_their_programs(actor: Any) -> Q | None:
    return _in_programs(scopes_of(actor, "students.view_student"))


@grants(Student)
def advisors_see_their_advisees(actor: Any) -> Q | None:
    advisor = advising(actor)
    return Q(advisor=advisor) if advisor else None


@grants(Student)
def students_see_themselves(actor: Any) -> Q | None:
    person = getattr(actor, "person_id", None)
    return Q(person=person) if person else None


@grants(Student)
def guardians_see_the_students_whose_profile_is_open_to_them(actor: Any) -> Q | None:
    wards = wards_of(actor, GuardianScope.PROFILE)
    return None if wards is None else Q(pk__in=wards)


@grants(Student, "manage")
def those_in_charge_manage_the_students_of_their_departments(actor: Any) -> Q | None:
    return _in_departments(scopes_of(actor, "students.change_student"))


@grants(Student, "manage")
def those_in_charge_manage_the_students_of_their_programs(actor: Any) -> Q | None:
    return _in_programs(scopes_of(actor, "students.change_student"))


@grants(ProgramEnrollment)
def those_entitled_see_the_programs_of_their_students(actor: Any) -> Q | None:
    return _of_own_students(actor, "students.view_programenrollment", path="student")


@grants(ProgramEnrollmentEvent)
def those_entitled_see_the_history_in_the_programs_of_their_students(actor: Any) -> Q | None:
    return _of_own_students(actor, "students.view_programenrollmentevent", path="program_enrollment__student")


@grants(StudentStatusEvent)
def those_entitled_see_the_history_of_their_students(actor: Any) -> Q | None:
    return _of_own_students(actor, "students.view_studentstatusevent", path="student")


@grants(ProgramEnrollment, "manage")
def whoever_manages_a_student_manages_their_programs(actor: Any) -> Q | None:
    students = visible(Student.objects.all(), actor, to="manage")
    # Sight of every student is no condition at all, and must not become a subquery over the whole table.
    return Q(student__in=students.values("pk")) if students.query.where else Q()


@grants(GuardianLink)
def those_entitled_see_the_guardians_of_their_students(actor: Any) -> Q | None:
    return _of_own_students(actor, "students.view_guardianlink", path="student", advisees=False)


@grants(GuardianLink, "manage")
def those_in_charge_manage_the_guardians_of_their_students(actor: Any) -> Q | None:
    return _of_own_students(actor, "students.change_guardianlink", path="student", advisees=False)


@grants(GuardianLink)
def guardians_see_their_own_links_once_these_are_verified(actor: Any) -> Q | None:
    person = getattr(actor, "person_id", None)
    return Q(person=person, verified_at__isnull=False) if person else None


@masks(
    Student,
    "person__phone",
    "person__birth_date",
    "person__gender",
    "person__nationality",
    "home_address",
    custom_fields=True,
)
def those_who_answer_for_a_student_know_the_personal_data(actor: Any) -> Q | None:
    return for_whom(actor, "students.view_protected_student")


@masks(Student, "accommodation_note")
def those_who_grant_accommodations_know_of_them(actor: Any) -> Q | None:
    return for_whom(actor, "students.view_accommodation", advisees=False)


def _in_departments(scopes: Scopes) -> Q | None:
    if scopes.everywhere:
        return Q()
    return below(scopes.departments) if scopes.departments else None


def _in_programs(scopes: Scopes) -> Q | None:
    return in_programs(scopes.programs) if scopes.programs else None


def _of_own_students(actor: Any, permission: str, *, path: str, advisees: bool = True) -> Q | None:
    """Match what belongs to the students for whom a role of the actor holds the permission."""
    students = for_whom(actor, permission, advisees=advisees)
    if not students:
        return students
    return Q(**{f"{path}__in": Student.objects.filter(students).values("pk")})


@foresees(Student)
def a_new_student_belongs_to_a_department_and_maybe_to_a_program(values: Mapping[str, Any]) -> Sequence[Model]:
    student, program = Student(department=values.get("department")), values.get("program")
    return [student] if program is None else [student, ProgramEnrollment(student=student, program=program)]


@foresees(ProgramEnrollment)
def a_new_enrolment_in_a_program_belongs_to_a_student(values: Mapping[str, Any]) -> Sequence[Model]:
    return [ProgramEnrollment(student=values.get("student"), program=values.get("program"))]


@foresees(GuardianLink)
def a_new_guardian_belongs_to_a_student(values: Mapping[str, Any]) -> Sequence[Model]:
    return [GuardianLink(student=values.get("student"), person=values.get("person"))]
