"""The steps of a project: published, completed, taken up again."""

from datetime import datetime

from django.db import transaction

from core import crud
from core.errors import ConflictError
from core.visibility import Actor
from projects.models import Project, ProjectState
from projects.services.writing import require_written_here

TRANSITIONS: dict[str, set[str]] = {
    ProjectState.DRAFT: {ProjectState.ACTIVE},
    ProjectState.ACTIVE: {ProjectState.COMPLETED},
    ProjectState.COMPLETED: {ProjectState.ACTIVE},
}


class ProjectTransitionError(ConflictError):
    """The state of a project does not allow this step."""

    code = "project_transition"
    title = "The project cannot take this step."
    field = "state"


def publish_project(project: Project, *, by: Actor | None, at: datetime) -> Project:
    """Let a draft be a draft no more: it is kept from now on. Raises `ProjectTransitionError`."""
    if project.state != ProjectState.DRAFT:
        raise ProjectTransitionError("The project is published already.")
    return _take(project, ProjectState.ACTIVE, by=by)


def complete_project(project: Project, *, by: Actor | None, at: datetime) -> Project:
    """Note that the work is done. Raises `ProjectTransitionError`."""
    return _take(project, ProjectState.COMPLETED, by=by)


def reopen_project(project: Project, *, by: Actor | None, at: datetime) -> Project:
    """Take a completed project up again. Raises `ProjectTransitionError`."""
    if project.state != ProjectState.COMPLETED:
        raise ProjectTransitionError("The project is not completed.")
    return _take(project, ProjectState.ACTIVE, by=by)


@transaction.atomic
def _take(project: Project, state: ProjectState, *, by: Actor | None) -> Project:
    require_written_here(project)
    allowed = sorted(TRANSITIONS[project.state])
    if state not in allowed:
        raise ProjectTransitionError(f"A {project.state} project cannot become {state}.", meta={"allowed": allowed})
    return crud.update(project, {"state": state}, by=by)
