"""Counting a change that lies in rows below the one a client reads."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import F

from courses.models import Section


def touch_sections(ids: Iterable[UUID]) -> None:
    """Count a change of sections whose meetings changed."""
    ordered = Section.objects.filter(pk__in=list(ids)).order_by("pk").select_for_update(no_key=True)
    Section.objects.filter(pk__in=list(ordered.values_list("pk", flat=True))).update(version=F("version") + 1)
