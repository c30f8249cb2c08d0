"""The outbox: facts recorded in the transaction that made them true, waiting to be delivered.

The table is a plain one, not partitioned by month. A delivered event is purged after some days, so
the table holds a queue and a short memory, never a history. The relay looks for undelivered rows in
`seq` order, which no partition by time could narrow; and partitioning would force the creation time
into the primary key, so that the database could no longer promise that an id is unique. No foreign
key points here: should the memory ever have to become a history, a partitioned table can take this
one's place without touching another.
"""

from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models, transaction
from django.db.models import Func, Q, Value
from django.db.models.functions import Now

from core.models.base import BaseQuerySet, TimeStampedUUIDModel

CHANNEL = "core_outbox"
SEQUENCE = "core_outboxevent_seq"


def ring() -> None:
    """Wake the relays that listen on the outbox channel."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


class OutboxQuerySet(BaseQuerySet["OutboxEvent"]):
    def pending(self) -> Self:
        """Those that still have a subscriber to reach and have not been given up."""
        return self.filter(delivered_at=None, dead_at=None)

    def due(self) -> Self:
        """Those to be tried now, by the database's clock."""
        return self.pending().filter(available_at__lte=Now())

    def dead(self) -> Self:
        """Those given up after too many attempts."""
        return self.exclude(dead_at=None)


class OutboxEvent(TimeStampedUUIDModel):
    """A fact that some subscribers may not have heard of yet.

    `seq` is the order of recording. It is not the order of committing: a row with a lower `seq` may
    appear after one with a higher.
    """

    seq = models.BigIntegerField(db_default=Func(Value(SEQUENCE), function="nextval"), editable=False)
    name = models.CharField(max_length=100)
    payload = models.JSONField()
    available_at = models.DateTimeField(db_default=Now(), help_text="Not tried before this instant.")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    delivered_to = ArrayField(models.CharField(max_length=200), default=list, db_default=Value("{}"))
    delivered_at = models.DateTimeField(null=True, blank=True)
    dead_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True, default="", db_default="")

    objects = OutboxQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["seq"], condition=Q(delivered_at=None, dead_at=None), name="core_outboxevent_pending"),
            models.Index(fields=["dead_at"], condition=~Q(dead_at=None), name="core_outboxevent_dead"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(delivered_at=None) | Q(dead_at=None),
                name="core_outboxevent_delivered_or_dead",
                violation_error_code="event_delivered_and_dead",
                violation_error_message="An event is either delivered or given up.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} #{self.seq}"

    def save(self, **options: Any) -> None:
        """Write the row; a recorded event wakes the relays once its transaction has committed.

        They are woken after the commit rather than by a trigger, because a transaction that sends a
        notification holds a lock shared by the whole database until its commit is on disk, and all
        writers would queue there. Should the process die in between, the relays' polling finds it.
        """
        is_recorded = self._state.adding
        super().save(**options)
        if is_recorded:
            pending = connection.run_on_commit
            if not pending or pending[-1][1] is not ring:  # one call is enough for many events
                transaction.on_commit(ring, robust=True)
