"""Clearing away drafts that nobody has touched for long.

Which ones are due is read from an index of drafts alone; they go in small transactions, so that what it costs grows
with what is deleted and nobody has to wait.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan

from core.customfields import release_unique
from core.db.locks import LockHeldError, hold_named
from core.privacy.retention import spared
from files.selectors import have_files
from projects.kinds import written_kinds
from projects.models import Project

BATCH = 200

Place = tuple[datetime, UUID]


def delete_abandoned_drafts(
    *, at: datetime, kept: timedelta | None = None, with_files: bool = False, batch: int = BATCH
) -> int:
    """Delete the drafts that nobody has touched for `kept` (`PROJECT_DRAFTS_KEPT`), and return how many.

    Left are those that refer to files unless `with_files` says otherwise, those of people whose records are held, and
    for the next time those that somebody is at. Files stay their owners'. Raises `LockHeldError` when another is at it;
    one that begins between two batches takes over what is left.
    """
    deleted, place = 0, None
    while True:
        try:
            gone, place = _delete_batch(at, kept, with_files=with_files, last=place, batch=batch)
        except LockHeldError:
            if place is None:
                raise
            return deleted
        deleted += gone
        if place is None:
            return deleted


def abandoned_drafts_due(
    *, at: datetime, kept: timedelta | None = None, with_files: bool = False
) -> QuerySet[Project, Project]:
    """Return the drafts that would be deleted at an instant."""
    types = [kind.project_type for kind in written_kinds()]
    due = spared(_abandoned(at, kept).filter(project_type__in=types), "owner__person")
    return due if with_files else due.exclude(have_files("pk"))


def expired_keys(at: datetime, kept: timedelta | None = None) -> "QuerySet[Project, Any]":
    """Return when each abandoned draft was last touched and its id, the first one first; an index has both."""
    keys: QuerySet[Project, Any] = _abandoned(at, kept).order_by("updated_at", "pk").values_list("updated_at", "pk")
    return keys


def after(keys: "QuerySet[Project, Any]", place: Place) -> "QuerySet[Project, Any]":
    """Return those that come after a place."""
    return keys.filter(TupleGreaterThan(Tuple(F("updated_at"), F("pk")), place))


def _abandoned(at: datetime, kept: timedelta | None) -> Any:
    hours = (settings.PROJECT_DRAFTS_KEPT if kept is None else kept) / timedelta(hours=1)
    return Project.objects.abandoned_drafts(hours, at=at)


@transaction.atomic
def _delete_batch(
    at: datetime, kept: timedelta | None, *, with_files: bool, last: Place | None, batch: int
) -> tuple[int, Place | None]:
    """Delete what may go of the next drafts; return how many, and the place of the last one that was looked at."""
    hold_named("projects.drafts", "purge")
    keys = expired_keys(at, kept)
    found: list[Place] = list((keys if last is None else after(keys, last))[:batch])
    if not found:
        return 0, None
    # Asked again under the lock: who has touched one meanwhile has it for longer.
    due = abandoned_drafts_due(at=at, kept=kept, with_files=with_files).filter(pk__in=[pk for _, pk in found])
    ids = [row.pk for row in due.select_for_update(of=("self",), skip_locked=True).order_by("pk").only("pk")]
    if ids:
        release_unique(Project, ids)
        Project.objects.filter(pk__in=ids).delete()
    return len(ids), found[-1]
