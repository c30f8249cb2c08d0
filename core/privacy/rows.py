"""Reading what is personal: all rows about somebody, and what of each they are shown."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet

from core.privacy.registry import Personal, Subject, declared

STEP = 500


def gather(person: UUID, people: tuple[UUID, ...]) -> Subject:
    """Return a person with the ids of all rows about them that foreign keys lead to."""
    subject = Subject(person, people)
    rows = dict(subject.rows)
    roots: set[str] = set()
    for each in declared():  # what is found by the rows that keys lead to comes after them
        if each.finds is None or each.deletes:
            found = frozenset(map(str, each.rows(replace(subject, rows=rows)).values_list("pk", flat=True)))
            rows[each.model._meta.db_table] = found
            if set(each.paths) & {"pk", "person"}:
                roots |= found
    return replace(subject, rows=rows, roots=tuple(sorted(roots)))


def in_steps(rows: QuerySet[Any], *, step: int = STEP) -> Iterator[Any]:
    """Yield rows by their keys, a step at a time, so that no number of them fills the memory."""
    ordered, last = rows.order_by("pk"), None
    while page := list((ordered if last is None else ordered.filter(pk__gt=last))[:step]):
        yield from page
        last = page[-1].pk


def columns_of(declaration: Personal) -> list[Any]:
    """Return the columns that a person is shown of their rows, in the order of the model."""
    return [
        column
        for column in declaration.model._meta.concrete_fields
        if not column.generated and column.name not in declaration.withholds and column.name != "version"
    ]


def name_of(column: Any) -> str:
    """Return under which name a column is shown: a key as `id`, by which rows refer to each other."""
    return "id" if column.primary_key else str(column.name)


def as_plain(declaration: Personal, row: Model, subject: Subject, *, to_themselves: bool) -> dict[str, Any]:
    """Return what a row shows of a person, to that person or to somebody else."""
    hidden = declaration.hides(row, subject) if declaration.hides is not None else ()
    plain = {}
    for column in columns_of(declaration):
        shown = column.attname
        if not to_themselves:
            shown = declaration.masked.get(column.name, shown)
        tell = declaration.tells.get(column.name)
        value = tell(row) if tell is not None else getattr(row, shown)
        plain[name_of(column)] = None if column.name in hidden else value
    return plain
