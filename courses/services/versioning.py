"""Counting a change that lies in rows below the one a client reads."""

from collections.abc import Iterable
from typing import TypeVar
from uuid import UUID

from django.db.models import F

from core.crud import EditConflictError
from core.models import VersionedModel
from courses.models import Section

ModelT = TypeVar("ModelT", bound=VersionedModel)


def touch(row: ModelT) -> ModelT:
    """Count a change of what `row` shows; raise `EditConflictError` when it was changed since it was read."""
    rows = type(row)._default_manager.filter(pk=row.pk, version=row.version)
    row.version += 1
    if not rows.update(version=row.version):
        raise EditConflictError
    return row


def touch_sections(ids: Iterable[UUID]) -> None:
    """Count a change of sections whose meetings changed."""
    ordered = Section.objects.filter(pk__in=list(ids)).order_by("pk").select_for_update(no_key=True)
    Section.objects.filter(pk__in=list(ordered.values_list("pk", flat=True))).update(version=F("version") + 1)
