"""Sight of what is due in final projects: for who does one, who supervises it, and who plans the cycle.

Which of them does what with it, the permissions of the actions say, and the services refuse to all what is their own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Model, Q

from core.foreseen import foresees
from core.visibility import grants
from projects.models import ExtensionRequest, FinalYearProject, Milestone, MilestoneEvent, PlannedMilestone
from projects.visibility.cycles import of_cycles_planned_by
from projects.visibility.final_year import done_by, supervised_by

VIEW = "projects.view_milestone"


@grants(PlannedMilestone)
def everybody_sees_what_a_cycle_plans(actor: Any) -> Q | None:
    return Q()


@grants(PlannedMilestone, "manage")
def who_plans_a_cycle_plans_what_is_due_in_it(actor: Any) -> Q | None:
    return of_cycles_planned_by(actor)


@grants(Milestone)
def members_see_what_is_due(actor: Any) -> Q | None:
    return done_by(actor, "project")


@grants(Milestone, "manage")
def active_members_reach_what_is_due(actor: Any) -> Q | None:
    return done_by(actor, "project", now=True)


@grants(Milestone, "manage")
def supervisors_manage_what_is_due_in_their_projects(actor: Any) -> Q | None:
    return of_projects(supervised_by(actor))


@grants(Milestone)
def those_in_charge_of_a_program_see_what_is_due_in_its_projects(actor: Any) -> Q | None:
    return of_projects(of_cycles_planned_by(actor, VIEW))


@grants(Milestone, "manage")
def who_plans_a_cycle_manages_what_is_due_in_its_projects(actor: Any) -> Q | None:
    return of_projects(of_cycles_planned_by(actor))


@grants(MilestoneEvent)
@grants(ExtensionRequest)
def members_see_what_became_of_it(actor: Any) -> Q | None:
    return of_milestones(done_by(actor, "project"))


@grants(ExtensionRequest, "manage")
def active_members_ask_for_more_time(actor: Any) -> Q | None:
    return of_milestones(done_by(actor, "project", now=True))


@grants(MilestoneEvent)
@grants(ExtensionRequest, "manage")
def supervisors_see_what_became_of_it_and_decide(actor: Any) -> Q | None:
    return of_milestones(of_projects(supervised_by(actor)))


@grants(MilestoneEvent)
@grants(ExtensionRequest)
def those_in_charge_of_a_program_see_what_became_of_it(actor: Any) -> Q | None:
    return of_milestones(of_projects(of_cycles_planned_by(actor, VIEW)))


@grants(ExtensionRequest, "manage")
def who_plans_a_cycle_decides_about_more_time(actor: Any) -> Q | None:
    return of_milestones(of_projects(of_cycles_planned_by(actor)))


def of_projects(projects: Q | None) -> Q | None:
    """Match what belongs to those final projects; `Q()` is all of them, and None is none."""
    return Q(project__in=FinalYearProject.objects.filter(projects).values("pk")) if projects else projects


def of_milestones(milestones: Q | None) -> Q | None:
    """Match what belongs to those milestones, as `of_projects` does."""
    return Q(milestone__in=Milestone.objects.filter(milestones).values("pk")) if milestones else milestones


@foresees(Milestone)
def a_new_milestone_belongs_to_a_project(values: Mapping[str, Any]) -> Sequence[Model]:
    return [Milestone(project=values.get("project"))]


@foresees(ExtensionRequest)
def a_new_request_belongs_to_a_milestone(values: Mapping[str, Any]) -> Sequence[Model]:
    return [ExtensionRequest(milestone=values.get("milestone"))]
