"""Deleting what has had its time, without a long transaction and without anybody having to wait."""

from typing import Any

from django.db import models, transaction

from core.db.locks import hold_named


def purge(rows: "models.QuerySet[Any]", *, order: str, batch: int) -> int:
    """Delete `rows` in small transactions, the first by `order` first; return how many.

    A row that somebody has locked, to bring it back for instance, is left for the next time.
    Raises `LockHeldError` when another purge of the same table is at it: that one goes on.
    """
    total = 0
    while deleted := _purge_batch(rows, order, batch):
        total += deleted
    return total


@transaction.atomic
def _purge_batch(rows: "models.QuerySet[Any]", order: str, batch: int) -> int:
    hold_named("core.purge", rows.model._meta.label)
    # Where others refer to the rows, `delete` selects first and then goes by key alone. Locked, they stay as they are;
    # asked again, the condition sees what came to refer to them before they were.
    locked = rows.select_for_update(of=("self",), skip_locked=True)
    pks = [row.pk for row in locked.order_by(order).only("pk")[:batch]]
    return rows.filter(pk__in=pks).delete()[0] if pks else 0
