"""What the foundation keeps about people: digests of values, kept answers, and facts on their way."""

from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Q

from core import idempotency, relay
from core.models import IdempotencyKey, OutboxEvent, UniqueCustomValue
from core.privacy.registry import Subject, on_erasure, personal
from core.privacy.retention import keep_for

_ANSWERS = """
    FROM core_idempotencykey
    WHERE principal = ANY (%(principals)s::text[])
       OR EXISTS (SELECT FROM unnest(%(ids)s::text[]) AS id WHERE position(convert_to(id, 'UTF8') IN response_body) > 0)
"""
# What is still to be delivered is; it is forgotten some days later like everything else.
_EVENTS = """
    FROM core_outboxevent
    WHERE (delivered_at IS NOT NULL OR dead_at IS NOT NULL)
      AND EXISTS (SELECT FROM unnest(%(ids)s::text[]) AS id WHERE position(id IN payload::text) > 0)
"""

personal(
    UniqueCustomValue,
    says="Which unique values of custom fields your records hold, as digests.",
    kept="For as long as the record holds the value.",
    finds=lambda subject: Q(object_id__in=subject.ids),
    keeps="object_id",
    withholds={"digest": "A digest of a value that stands in its record."},
    mentions={"field": "The custom field."},
    deletes=True,
)


def _forget(which: str) -> Any:
    def act(subject: Subject, *, dry_run: bool) -> int:
        facts: Any = {"ids": list(subject.roots), "principals": [f"user:{pk}" for pk in subject.roots]}
        with connection.cursor() as cursor:
            # One of the two statements above.
            cursor.execute(("SELECT count(*)" if dry_run else "DELETE") + which, facts)  # nosec B608
            return int(cursor.fetchone()[0]) if dry_run else cursor.rowcount

    return act


on_erasure("core.IdempotencyKey", _forget(_ANSWERS))
on_erasure("core.OutboxEvent", _forget(_EVENTS))

keep_for(
    "core.IdempotencyKey",
    kept=lambda: idempotency.KEPT,
    basis="A client that got no answer may ask for it again.",
    due=lambda at: IdempotencyKey.objects.filter(expires_at__lte=at).count(),
    chore="purge_idempotency_keys",
)
keep_for(
    "core.OutboxEvent, delivered",
    kept=lambda: timedelta(days=relay.KEPT_DAYS),
    basis="Whoever looks for a fault sees what was announced lately.",
    due=lambda at: OutboxEvent.objects.filter(delivered_at__lt=at - timedelta(days=relay.KEPT_DAYS)).count(),
    chore="purge_outbox",
)
