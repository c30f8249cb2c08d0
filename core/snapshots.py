"""Rows kept whole and brought back exactly, identity, audit times and versions included.

What takes back a change that was made to many rows (the revert of an import) needs more than the
services offer: a service would count the taking back as one more change. What is kept can be stored as JSON:

    {"of": "courses.section", "rows": ["{…}"]}                                         these rows
    {"of": "courses.sectioninstructor", "rows": ["{…}", …], "owner": ["section_id", "…"]}
                                                       all the rows that belong to that owner

A row is the text of a JSON object as PostgreSQL wrote it, so that no number loses a digit.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection, models, transaction
from psycopg import sql

from core.bulk import check_deferred
from core.customfields import definitions_of
from core.db.constraints import refusing
from core.models import CustomizableModel, UniqueCustomValue

Kept = dict[str, Any]


@cache
def _columns(model: type[models.Model]) -> list[str]:
    return [str(field.column) for field in model._meta.concrete_fields if not field.generated]


def _rows(model: type[models.Model], column: str, ids: Collection[UUID], without: Collection[str]) -> list[Any]:
    """Return (value of `column`, row as JSON) for the rows whose `column` is among the ids."""
    names = [name for name in _columns(model) if name not in without]
    query = sql.SQL(
        "SELECT owner, (to_jsonb(picked) - 'owner')::text "
        "FROM (SELECT {columns}, {column} AS owner FROM {table} WHERE {column} = ANY(%s) ORDER BY id) picked"
    ).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, names)),
        column=sql.Identifier(column),
        table=sql.Identifier(model._meta.db_table),
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [list(ids)])
        found: list[Any] = cursor.fetchall()
    return found


def keep(model: type[models.Model], ids: Collection[UUID], *, without: Collection[str] = ()) -> dict[UUID, Kept]:
    """Return rows whole, by id; columns named in `without` are left as they will be."""
    return {pk: {"of": model._meta.label_lower, "rows": [row]} for pk, row in _rows(model, "id", ids, without)}


def keep_owned(model: type[models.Model], column: str, owners: Collection[UUID]) -> dict[UUID, Kept]:
    """Return for each owner all the rows whose `column` refers to it."""
    label = model._meta.label_lower
    kept: dict[UUID, Kept] = {owner: {"of": label, "rows": [], "owner": [column, str(owner)]} for owner in owners}
    for owner, row in _rows(model, column, owners, ()):
        kept[owner]["rows"].append(row)
    return kept


def keep_whole(
    model: type[models.Model], ids: Collection[UUID], *, without: Collection[str] = ()
) -> dict[UUID, list[Kept]]:
    """Return rows whole, by id, together with the unique custom values that they hold."""
    kept = {pk: [row] for pk, row in keep(model, ids, without=without).items()}
    if issubclass(model, CustomizableModel) and any(field.unique_values for field in definitions_of(model)):
        for pk, values in keep_owned(UniqueCustomValue, "object_id", list(kept)).items():
            kept[pk].append(values)
    return kept


def rows_of(kept: Kept) -> list[dict[str, Any]]:
    """Return the rows that were kept as mappings, for a look at them."""
    return [json.loads(row) for row in kept["rows"]]


@transaction.atomic
def restore(kept: Iterable[Kept]) -> None:
    """Bring rows back exactly as they were kept, in the order given, whether or not they are still there.

    Raises the domain error of the constraint that forbids it by now.
    """
    by_model: dict[str, list[Kept]] = {}
    for single in kept:
        by_model.setdefault(single["of"], []).append(single)
    for label, of_model in by_model.items():
        model = apps.get_model(label)
        rows = [row for single in of_model for row in single["rows"]]
        with refusing():
            _forget_others(model, of_model)
            _write(model, rows)
            check_deferred()


def _forget_others(model: type[models.Model], kept: Iterable[Kept]) -> None:
    """Delete what belongs to an owner by now and did not when its rows were kept."""
    for single in kept:
        if "owner" in single:
            column, owner = single["owner"]
            others = model._base_manager.filter(**{column: owner})
            others.exclude(pk__in=[row["id"] for row in rows_of(single)]).delete()


def _write(model: type[models.Model], rows: Sequence[str]) -> None:
    if not rows:
        return
    names = list(json.loads(rows[0]))
    parts = {
        "table": sql.Identifier(model._meta.db_table),
        "columns": sql.SQL(", ").join(map(sql.Identifier, names)),
        "values": sql.SQL(", ").join(sql.Identifier("kept", name) for name in names),
        "kept": sql.SQL("jsonb_populate_recordset(NULL::{}, %s::jsonb) AS kept").format(
            sql.Identifier(model._meta.db_table)
        ),
    }
    update = sql.SQL("UPDATE {table} SET ({columns}) = ROW({values}) FROM {kept} WHERE {table}.id = kept.id")
    insert = sql.SQL(
        "INSERT INTO {table} ({columns}) SELECT {columns} FROM {kept} "
        "WHERE NOT EXISTS (SELECT FROM {table} present WHERE present.id = kept.id)"
    )
    array = f"[{','.join(rows)}]"
    with connection.cursor() as cursor:
        for statement in (update, insert):
            cursor.execute(statement.format(**parts), [array])
