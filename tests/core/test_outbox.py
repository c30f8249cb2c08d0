"""What publishing promises, before any relay runs."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from core.events import Event, publish
from core.ids import new_id
from core.models import OutboxEvent


@dataclass(frozen=True, kw_only=True)
class ThingHappened(Event):
    name: ClassVar[str] = "tests.thing_happened"
    thing_id: UUID
    at: datetime


def a_fact() -> ThingHappened:
    return ThingHappened(thing_id=new_id(), at=datetime(2026, 3, 2, 9, tzinfo=UTC))


class OurError(Exception):
    pass


def publish_and_fail() -> None:
    with transaction.atomic():
        publish(a_fact())
        raise OurError


@pytest.mark.django_db
def test_a_published_event_is_recorded_as_plain_json() -> None:
    fact = a_fact()

    publish(fact)

    event = OutboxEvent.objects.get()
    assert event.name == "tests.thing_happened"
    assert event.payload == {"thing_id": str(fact.thing_id), "at": "2026-03-02T09:00:00Z"}
    assert (event.attempts, event.delivered_to, event.delivered_at, event.dead_at) == (0, [], None, None)


@pytest.mark.django_db(transaction=True)
def test_an_event_whose_transaction_rolls_back_was_never_published() -> None:
    with pytest.raises(OurError):
        publish_and_fail()

    assert not OutboxEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_publishing_outside_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError, match="outside a transaction"):
        publish(a_fact())

    assert not OutboxEvent.objects.exists()


@pytest.mark.django_db
def test_events_are_numbered_in_the_order_of_publishing() -> None:
    facts = [a_fact() for _ in range(3)]

    for fact in facts:
        publish(fact)

    recorded = [event.payload["thing_id"] for event in OutboxEvent.objects.order_by("seq")]
    assert recorded == [str(fact.thing_id) for fact in facts]


@pytest.mark.django_db(transaction=True)
def test_many_events_of_one_transaction_wake_the_relays_once_and_after_the_commit() -> None:
    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        for _ in range(5):
            publish(a_fact())

    statements = [query["sql"] for query in queries]
    assert [sql for sql in statements if "pg_notify" in sql] == statements[-1:]
    assert "COMMIT" in statements[:-1]


@pytest.mark.django_db(transaction=True)
def test_an_event_published_after_a_savepoint_was_undone_still_wakes_the_relays() -> None:
    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        with pytest.raises(OurError):
            publish_and_fail()
        publish(a_fact())

    assert len([query for query in queries if "pg_notify" in query["sql"]]) == 1
    assert OutboxEvent.objects.count() == 1


@pytest.mark.django_db
def test_rows_written_past_the_orm_are_complete() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO core_outboxevent (id, name, payload) VALUES (gen_random_uuid(), 'raw', '{}')")

    event = OutboxEvent.objects.due().get()
    assert (event.attempts, event.delivered_to, event.last_error) == (0, [], "")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "constraint"),
    [({"delivered_at": Now(), "dead_at": Now()}, "core_outboxevent_delivered_or_dead")],
)
def test_the_database_refuses_contradictions(fields: dict[str, Any], constraint: str) -> None:
    publish(a_fact())

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        OutboxEvent.objects.update(**fields)


@pytest.mark.django_db
def test_due_events_are_found_by_the_index_of_the_undelivered() -> None:
    due = OutboxEvent.objects.due().order_by("seq").values_list("pk", flat=True)[:100]

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    plan = due.explain()

    assert "core_outboxevent_pending" in plan
    assert "Sort" not in plan
