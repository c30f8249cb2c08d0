"""Erasure: what is recorded of a person stays, and who it was does not.

Each declaration says what becomes of its rows. Doing it again finds nothing to do, and a dry run counts what would be
done, by the same questions.
"""

from functools import reduce
from operator import or_
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Model, Q

from core.models import VersionedModel
from core.privacy.registry import FreeText, Personal, Subject, declared, erasures, free_texts
from core.privacy.rows import in_steps


@transaction.atomic
def erase(subject: Subject, *, dry_run: bool = False) -> dict[str, int]:
    """Erase what the records say about somebody; return how many rows that concerned, by table, where any."""
    counts = {}
    # What is found by the values that are about to go comes first; the logs note the rest as well, so they come again.
    for name, act in erasures():
        counts[name] = act(subject, dry_run=dry_run)
    with _histories_unlocked():
        for each in declared():
            counts[each.model._meta.label] = _erase(each, subject, dry_run=dry_run)
    for text in free_texts():
        counts[text.model._meta.label] = _empty(text, subject, dry_run=dry_run)
    if not dry_run:
        for _, act in erasures():
            act(subject, dry_run=False)
    return {name: count for name, count in counts.items() if count}


def _erase(declaration: Personal, subject: Subject, *, dry_run: bool) -> int:
    rows = declaration.rows(subject)
    if declaration.deletes:
        count = rows.count()
        if count and not dry_run:
            declaration.model._base_manager.filter(pk__in=list(rows.values_list("pk", flat=True))).delete()
        return count
    if not (declaration.clears or declaration.becomes):
        return 0
    count = 0
    for row in list(in_steps(rows)):
        changes = _changes(declaration, row, subject)
        if changes:
            count += 1
            if not dry_run:
                declaration.model._base_manager.filter(pk=row.pk).update(**changes)
    return count


def _empty(text: FreeText, subject: Subject, *, dry_run: bool) -> int:
    """Empty what somebody may have been named in; return in how many rows something stood there."""
    filled = reduce(or_, (~Q(**{name: ""}) for name in text.columns))
    rows = text.rows(subject).filter(filled)
    if dry_run:
        return rows.count()
    counted = {"version": F("version") + 1} if issubclass(text.model, VersionedModel) else {}
    return rows.update(**dict.fromkeys(text.columns, ""), **counted)


def _changes(declaration: Personal, row: Model, subject: Subject) -> dict[str, Any]:
    """Return what of a row is not yet what erasure leaves."""
    names = {"code": subject.person.hex[-12:], "id": row.pk}
    wanted = {name: _emptied(declaration, name) for name in declaration.clears} | {
        name: value.format(**names) if isinstance(value, str) else value for name, value in declaration.becomes.items()
    }
    changes = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    if changes and isinstance(row, VersionedModel):
        changes["version"] = F("version") + 1
    return changes


def _emptied(declaration: Personal, name: str) -> Any:
    column: Any = declaration.model._meta.get_field(name)
    if column.null:
        return None
    if not column.has_default():
        return ""
    return column.default() if callable(column.default) else column.default


class _histories_unlocked:  # noqa: N801 - reads as what it is: a block
    """Lets the block empty the reasons of recorded steps, which nothing else may change."""

    def __enter__(self) -> None:
        _say("on")

    def __exit__(self, *failure: object) -> None:
        if not any(failure):
            _say("")


def _say(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('campushub360.erasing', %s, true)", [value])
