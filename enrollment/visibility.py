"""Sight of enrolments: one's own, those in the sections one teaches, and those of the units one is in charge of."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Model, Q

from accounts.assignments import Scopes, person_as, scopes_of
from accounts.roles import STAFF
from core.foreseen import foresees
from core.visibility import grants, visible
from courses.models import Course
from courses.selectors import sections_assisted_in, sections_taught_by
from departments.selectors import below
from enrollment.models import Enrollment, EnrollmentEvent
from enrollment.selectors import CHANGE, acts_for_self
from students.models import GuardianScope, Student
from students.selectors import advising, in_programs, wards_of

VIEW = "enrollment.view_enrollment"


@grants(Enrollment)
def those_in_charge_see_the_enrolments_of_their_units(actor: Any) -> Q | None:
    return _in_units(scopes_of(actor, VIEW))


@grants(Enrollment)
def those_in_charge_of_programs_see_the_enrolments_of_their_students(actor: Any) -> Q | None:
    programs = scopes_of(actor, VIEW).programs
    return in_programs(programs, path="student") if programs else None


@grants(Enrollment)
def instructors_see_the_enrolments_of_the_sections_they_teach(actor: Any) -> Q | None:
    teacher = person_as(actor, STAFF)
    return Q(section__in=sections_taught_by(teacher)) if teacher else None


@grants(Enrollment)
def advisors_see_the_enrolments_of_their_advisees(actor: Any) -> Q | None:
    advisor = advising(actor)
    return Q(student__in=Student.objects.filter(advisor=advisor).values("pk")) if advisor else None


@grants(Enrollment)
def students_see_their_own_enrolments(actor: Any) -> Q | None:
    person = getattr(actor, "person_id", None)
    return Q(student__in=Student.objects.filter(person=person).values("pk")) if person else None


@grants(Enrollment)
def guardians_see_the_enrolments_that_are_open_to_them(actor: Any) -> Q | None:
    wards = wards_of(actor, GuardianScope.ENROLLMENTS)
    return None if wards is None else Q(student__in=wards)


@grants(Enrollment, "manage")
def those_in_charge_manage_the_enrolments_of_their_units(actor: Any) -> Q | None:
    return _in_units(scopes_of(actor, CHANGE))


@grants(Enrollment, "manage")
def those_in_charge_of_programs_manage_the_enrolments_of_their_students(actor: Any) -> Q | None:
    programs = scopes_of(actor, CHANGE).programs
    return in_programs(programs, path="student") if programs else None


@grants(Enrollment, "manage")
def students_manage_their_own_enrolments(actor: Any) -> Q | None:
    person = getattr(actor, "person_id", None)
    if not person or not acts_for_self(actor):
        return None
    return Q(student__in=Student.objects.filter(person=person).values("pk"))


@grants(Student)
def instructors_see_the_students_in_the_sections_they_teach(actor: Any) -> Q | None:
    teacher = person_as(actor, STAFF)
    if not teacher:
        return None
    seated = Enrollment.objects.filter(section__in=sections_taught_by(teacher)).seated()
    return Q(pk__in=seated.values("student"))


@grants(EnrollmentEvent)
def whoever_sees_an_enrolment_sees_its_history(actor: Any) -> Q | None:
    enrollments = visible(Enrollment.objects.all(), actor)
    # Sight of every enrolment is no condition at all, and must not become a subquery over the whole table.
    return Q(enrollment__in=enrollments.values("pk")) if enrollments.query.where else Q()


def _in_units(scopes: Scopes) -> Q | None:
    """Match the enrolments in the courses of departments, and in single sections while they are anybody's business."""
    if scopes.everywhere:
        return Q()
    found = Q()
    if scopes.departments:
        found |= Q(course__in=Course.objects.filter(below(scopes.departments)).values("pk"))
    if scopes.sections:
        found |= Q(section__in=sections_assisted_in(scopes.sections))
    return found or None


@foresees(Enrollment)
def a_new_enrolment_belongs_to_a_student_and_a_section(values: Mapping[str, Any]) -> Sequence[Model]:
    section = values["section"]
    return [
        Enrollment(student=values["student"], section=section, course_id=section.course_id, term_id=section.term_id)
    ]
