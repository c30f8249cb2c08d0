"""Files of projects: attached and detached, each by an act that counts as a change of the locked project."""

from django.db import transaction

from core import crud
from core.visibility import Actor
from files import services as files
from files.models import FileAsset, FileLink
from projects.models import Project
from projects.services.writing import require_written_here


@transaction.atomic
def attach_to_project(project: Project, *, by: Actor | None, file: FileAsset) -> FileLink:
    """Attach a file: whoever sees the project reads it, and nobody deletes it as long as it is attached.

    Raises `FileUnavailableError`, `AlreadyAttachedError`, `TooManyAttachmentsError` and `EditConflictError`.
    """
    require_written_here(project)
    link = files.attach_file(project, file, by=by)
    crud.touch(project)
    return link


@transaction.atomic
def detach_from_project(link: FileLink, *, by: Actor | None) -> None:
    """Let a file be the project's no longer; it stays its owner's."""
    project = Project.objects.select_for_update(no_key=True).get(pk=link.object_id)
    require_written_here(project)
    files.detach_file(link, by=by)
    crud.touch(project)
