"""Sight of the files that are attached to projects: whoever sees the project reads them."""

from typing import Any

from django.db.models import Q

from core.visibility import Sight, grants, visible
from files.models import FileAsset, FileLink
from files.selectors import attached_to
from projects.models import Project

VIEW = "projects.view_project"


@grants(FileAsset)
def whoever_sees_a_project_reads_what_is_attached(actor: Any) -> Q | None:
    links = _attachments(actor, "view")
    return None if links is None else Q(pk__in=links.values("asset"), deleted_at=None)


@grants(FileLink)
def whoever_sees_a_project_sees_what_is_attached(actor: Any) -> Q | None:
    links = _attachments(actor, "view")
    return None if links is None else Q(pk__in=links.values("pk"))


@grants(FileLink, "manage")
def whoever_manages_a_project_detaches_its_files(actor: Any) -> Q | None:
    links = _attachments(actor, "manage")
    return None if links is None else Q(pk__in=links.values("pk"))


def _attachments(actor: Any, sight: Sight) -> Any:
    """Return what is attached to the projects of the actor; None where there are none."""
    if not actor.has_perm(VIEW):
        return None
    projects = visible(Project.objects.all(), actor, to=sight)
    return None if projects.query.is_empty() else attached_to(projects)
