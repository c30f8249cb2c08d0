"""Deleting what has had its time, without a long transaction and without anybody having to wait."""

from typing import Any

from django.db import models, transaction

from core.db.locks import hold_named


def purge(rows: "models.QuerySet[Any]", *, order: str, batch: int) -> int:
    """Delete `rows` in small transactions, the first by `order` first; return how many.

    Raises `LockHeldError` when another purge of the same table is at it: that one goes on.
    """
    total = 0
    while deleted := _purge_batch(rows, order, batch):
        total += deleted
    return total


@transaction.atomic
def _purge_batch(rows: "models.QuerySet[Any]", order: str, batch: int) -> int:
    hold_named("core.purge", rows.model._meta.label)
    pks = list(rows.order_by(order).values_list("pk", flat=True)[:batch])
    return rows.filter(pk__in=pks).delete()[0] if pks else 0
