"""Sight of cycles: everybody sees what is offered, those in charge of a program plan its cycles.

What a student prefers is the student's, their advisor's, and of those who plan the cycle.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Model, Q

from accounts.assignments import scopes_of
from core.foreseen import foresees
from core.visibility import grants
from departments.models import Program
from departments.selectors import below
from faculty.models import Faculty
from projects.models import ProjectApplication, ProjectCycle, SupervisorCapacity, Topic
from students.models import Student
from students.selectors import advising

PLAN = "projects.change_projectcycle"


@grants(ProjectCycle)
@grants(SupervisorCapacity)
@grants(Topic)
def everybody_sees_what_is_offered(actor: Any) -> Q | None:
    return Q()


@grants(ProjectCycle, "manage")
def those_in_charge_of_a_program_plan_its_cycles(actor: Any) -> Q | None:
    return planned_by(actor)


@grants(SupervisorCapacity, "manage")
@grants(Topic, "manage")
def who_plans_a_cycle_manages_what_is_offered_in_it(actor: Any) -> Q | None:
    return of_cycles_planned_by(actor)


@grants(Topic, "manage")
def supervisors_manage_their_own_topics(actor: Any) -> Q | None:
    person = getattr(actor, "person_id", None)
    return Q(supervisor__in=Faculty.objects.filter(person=person).values("pk")) if person else None


@grants(ProjectApplication)
def students_and_their_advisors_see_what_is_preferred(actor: Any) -> Q | None:
    return _in_person(actor, "projects.view_projectapplication", advisees=True)


@grants(ProjectApplication, "manage")
def students_say_what_they_prefer(actor: Any) -> Q | None:
    return _in_person(actor, "projects.change_projectapplication")


# Whoever plans a cycle: who answers for a student in another program has no part in it.
@grants(ProjectApplication)
def those_in_charge_of_a_program_see_what_is_preferred_in_its_cycles(actor: Any) -> Q | None:
    return of_cycles_planned_by(actor, "projects.view_projectapplication")


@grants(ProjectApplication, "manage")
def those_in_charge_of_a_program_say_what_is_preferred_in_its_cycles(actor: Any) -> Q | None:
    return of_cycles_planned_by(actor, "projects.change_projectapplication")


def planned_by(actor: Any, permission: str = PLAN) -> Q | None:
    """Match the cycles of the programs for which a role of the actor holds the permission."""
    scopes = scopes_of(actor, permission)
    if scopes.everywhere:
        return Q()
    programs = Q(program__in=scopes.programs) if scopes.programs else Q()
    if scopes.departments:
        programs |= Q(program__in=Program.objects.filter(below(scopes.departments)).values("pk"))
    return programs or None


def of_cycles_planned_by(actor: Any, permission: str = PLAN) -> Q | None:
    """Match what belongs to those cycles."""
    cycles = planned_by(actor, permission)
    return Q(cycle__in=ProjectCycle.objects.filter(cycles).values("pk")) if cycles else cycles


def _in_person(actor: Any, permission: str, *, advisees: bool = False) -> Q | None:
    """Match what is of the actor, or of whom they advise, by a role that they hold for themselves."""
    person = getattr(actor, "person_id", None)
    if not person or not scopes_of(actor, permission).own:
        return None
    advisor = advising(actor) if advisees else None
    students = Q(person=person) | Q(advisor=advisor) if advisor else Q(person=person)
    return Q(student__in=Student.objects.filter(students).values("pk"))


@foresees(ProjectApplication)
def a_new_application_belongs_to_a_student(values: Mapping[str, Any]) -> Sequence[Model]:
    return [ProjectApplication(student=values.get("student"), cycle=values.get("cycle"))]
