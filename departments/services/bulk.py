"""Departments, places, calendar and programs by the thousand, for imports.

The rules are those of the services for single rows. None of these rows has a history or an event of
its own, so one set of functions serves all of their models.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction

from accounts.roles import ScopeKind
from accounts.selectors import require_unassigned
from core import bulk, snapshots
from core.errors import DomainError
from core.models import VersionedModel
from core.visibility import Actor
from departments.models import Department, Program, Term

RowT = TypeVar("RowT", bound=VersionedModel)
TERM = Term._meta.label_lower
UNITS: Mapping[type[VersionedModel], ScopeKind] = {Department: ScopeKind.DEPARTMENT, Program: ScopeKind.PROGRAM}


def create_many(*, model: type[RowT], rows: Sequence[Mapping[str, Any]], by: Actor | None) -> list[RowT | DomainError]:
    """Create rows of one of this app's models; return for each the row, or why it was refused."""
    return bulk.create(model, rows, by=by)


def update_many(*, changes: Sequence[tuple[RowT, Mapping[str, Any]]], by: Actor | None) -> list[DomainError | None]:
    """Change locked rows of one of this app's models; return for each why it was refused, or None."""
    return bulk.change(changes, by=by)


def keep_many(*, model: type[RowT], ids: Collection[UUID]) -> dict[UUID, list[snapshots.Kept]]:
    """Return what `restore_many` needs to bring rows back exactly, by id."""
    return snapshots.keep_whole(model, ids)


def restore_many(*, kept: Iterable[snapshots.Kept]) -> None:
    """Bring rows back exactly as they were kept; a term stays in its state, which `move_term` alone changes."""
    snapshots.restore([_in_present_state(single) if single["of"] == TERM else single for single in kept])


def _in_present_state(kept: snapshots.Kept) -> snapshots.Kept:
    """Return a term that was kept, which is locked, in the state that it is in by now."""
    rows = {row["id"]: row for row in snapshots.rows_of(kept)}
    terms = Term.objects.filter(pk__in=rows).order_by("pk").select_for_update(no_key=True)
    for pk, state in terms.values_list("pk", "state"):
        rows[str(pk)]["state"] = state
    return {**kept, "rows": [json.dumps(row) for row in rows.values()]}


@transaction.atomic
def remove_many(*, model: type[RowT], ids: Collection[UUID]) -> None:
    """Delete rows; refused with `in_use` while others refer to one of them, or roles are held there."""
    if model in UNITS:
        require_unassigned(UNITS[model], ids)
    for same_depth in _deepest_first(ids) if model is Department else [ids]:
        bulk.delete(model, same_depth)


def _deepest_first(ids: Collection[UUID]) -> list[list[UUID]]:
    """Part departments by how deep in the tree they lie, so that none goes before what is below it."""
    by_depth: defaultdict[int, list[UUID]] = defaultdict(list)
    for pk, lineage in Department.objects.filter(pk__in=list(ids)).values_list("pk", "lineage"):
        by_depth[len(lineage)].append(pk)
    return [by_depth[depth] for depth in sorted(by_depth, reverse=True)]
