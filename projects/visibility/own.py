"""Sight of projects: one's own, and all for those who answer for them."""

from typing import Any

from django.db.models import Q

from accounts.assignments import scopes_of
from core.visibility import grants, visible
from projects.models import ImportantDate, Project

VIEW_ALL, MANAGE_ALL = "projects.view_every_project", "projects.manage_every_project"


@grants(Project, "manage")
def everybody_sees_and_manages_their_own_projects(actor: Any) -> Q | None:
    return Q(owner=actor.pk)


@grants(Project)
def those_who_answer_for_projects_see_all_of_them(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, VIEW_ALL).everywhere else None


@grants(Project, "manage")
def those_who_answer_for_projects_manage_all_of_them(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, MANAGE_ALL).everywhere else None


@grants(ImportantDate)
def whoever_sees_a_project_sees_its_dates(actor: Any) -> Q | None:
    projects = visible(Project.objects.all(), actor)
    # Sight of every project is no condition at all.
    return Q(project__in=projects.values("pk")) if projects.query.where else Q()


@grants(ImportantDate, "manage")
def whoever_manages_a_project_manages_its_dates(actor: Any) -> Q | None:
    projects = visible(Project.objects.all(), actor, to="manage")
    return Q(project__in=projects.values("pk")) if projects.query.where else Q()
