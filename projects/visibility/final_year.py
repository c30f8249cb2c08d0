"""Sight of final projects: for who does one, who supervises it, and who plans the cycle."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from functools import reduce
from operator import or_
from typing import Any

from django.conf import settings
from django.db.models import Model, Q
from django.utils import timezone

from accounts.assignments import person_as
from accounts.roles import STAFF
from core.foreseen import foresees
from core.masks import masks
from core.visibility import grants
from faculty.models import Faculty
from projects.models import AllocationOutcome, AllocationRun, FinalYearProject, Project, ProjectCycle, ProjectMember
from projects.visibility.cycles import of_cycles_planned_by, planned_by
from students.models import Student


@grants(Project)
def members_see_their_final_projects(actor: Any) -> Q | None:
    return done_by(actor, "pk")


@grants(Project)
def supervisors_see_the_projects_that_they_supervise(actor: Any) -> Q | None:
    supervised = supervised_by(actor)
    return None if supervised is None else Q(pk__in=FinalYearProject.objects.filter(supervised).values("pk"))


@grants(Project)
def those_in_charge_of_a_program_see_its_final_projects(actor: Any) -> Q | None:
    planned = of_cycles_planned_by(actor, "projects.view_projectmember")
    return None if planned is None else Q(pk__in=FinalYearProject.objects.filter(planned).values("pk"))


@grants(FinalYearProject)
def members_see_what_they_do_or_have_left(actor: Any) -> Q | None:
    return done_by(actor, "project")


@grants(ProjectMember)
def members_see_who_does_a_project_with_them(actor: Any) -> Q | None:
    return done_by(actor, "project", now=True)


@grants(ProjectMember)
def students_see_which_projects_they_do_or_did(actor: Any) -> Q | None:
    students = _in_person(actor)
    return None if students is None else Q(student__in=students)


@masks(ProjectMember, "contribution")
def students_supervisors_and_planners_know_how_much_of_the_work_is_whose(actor: Any) -> Q | None:
    planned = of_cycles_planned_by(actor, "projects.view_projectmember")
    if planned is not None and not planned:
        return planned
    own = [each for each in (students_see_which_projects_they_do_or_did(actor), supervised_by(actor), planned) if each]
    return reduce(or_, own) if own else None


@grants(FinalYearProject)
@grants(ProjectMember)
def supervisors_see_who_does_the_projects_that_they_supervise(actor: Any) -> Q | None:
    return supervised_by(actor)


@grants(FinalYearProject)
@grants(ProjectMember)
def those_in_charge_of_a_program_see_who_does_its_projects(actor: Any) -> Q | None:
    return of_cycles_planned_by(actor, "projects.view_projectmember")


@grants(AllocationRun)
def those_in_charge_of_a_program_see_how_its_topics_are_allocated(actor: Any) -> Q | None:
    return of_cycles_planned_by(actor, "projects.view_allocationrun")


@grants(FinalYearProject, "manage")
@grants(ProjectMember, "manage")
@grants(AllocationRun, "manage")
def who_plans_a_cycle_manages_what_comes_of_it(actor: Any) -> Q | None:
    return of_cycles_planned_by(actor)


@grants(AllocationOutcome)
def those_in_charge_of_a_program_see_what_each_run_comes_to(actor: Any) -> Q | None:
    cycles = planned_by(actor, "projects.view_allocationoutcome")
    if not cycles:
        return cycles
    planned = ProjectCycle.objects.filter(cycles).values("pk")
    return Q(run__in=AllocationRun.objects.filter(cycle__in=planned).values("pk"))


@grants(AllocationOutcome)
def students_see_what_they_got_once_it_is_published(actor: Any) -> Q | None:
    students = _in_person(actor)
    return None if students is None else Q(student__in=students, run__in=AllocationRun.objects.published().values("pk"))


def _in_person(actor: Any) -> Any:
    person = getattr(actor, "person_id", None)
    return Student.objects.filter(person=person).values("pk") if person else None


def done_by(actor: Any, path: str, *, now: bool = False) -> Q | None:
    """Match the projects that the actor does, or did and left, unless it is to be `now`."""
    students = _in_person(actor)
    if students is None:
        return None
    memberships = ProjectMember.objects.active() if now else ProjectMember.objects.all()
    return Q(**{f"{path}__in": memberships.filter(student__in=students).values("project")})


def supervised_by(actor: Any) -> Q | None:
    """Match the final projects, and what says who supervises it, of which the actor is the supervisor.

    Like that of who teaches, their sight of students ends some time after the cycle, and with the role.
    """
    person = person_as(actor, STAFF)
    if not person:
        return None
    day = timezone.localdate() - settings.INSTRUCTOR_ACCESS_GRACE
    since = datetime.combine(day, time.min, timezone.get_current_timezone())
    return Q(supervisor__in=Faculty.objects.filter(person=person).values("pk"), cycle__ends_at__gte=since)


@foresees(ProjectMember)
def a_new_member_belongs_to_a_project(values: Mapping[str, Any]) -> Sequence[Model]:
    project = values.get("project")
    return [ProjectMember(project=project, cycle=getattr(project, "cycle", None), student=values.get("student"))]


@foresees(AllocationRun)
def a_new_run_is_of_a_cycle(values: Mapping[str, Any]) -> Sequence[Model]:
    return [AllocationRun(cycle=values.get("cycle"))]
