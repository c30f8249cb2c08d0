"""Sight of projects: one's own, and all for those who answer for them."""

from typing import Any

from django.db.models import Q

from accounts.assignments import scopes_of
from core.visibility import grants
from projects.models import Project

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
