"""What is sealed cannot be changed without a trace, not even by whoever owns the tables."""

import io
import threading
import time
from hashlib import sha256

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from audit import services
from audit.models import Event, Seal
from audit.services import seals
from core.db.locks import LockHeldError
from tests.racing import PATIENCE, at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.checklist(93)]


def record(*actions):
    return [services.record(action=action) for action in actions]


def tamper(*statements):
    """Do what the triggers refuse, as an owner of the tables can who disables them."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_event DISABLE TRIGGER audit_no_change")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("ALTER TABLE audit_event ENABLE TRIGGER audit_no_change")


def seal(entries):
    """Seal so many, and return how many that were; the server's own transactions may hold them back for a moment."""
    until, sealed = time.monotonic() + PATIENCE, services.seal_logs()
    while sealed < entries and time.monotonic() < until:
        time.sleep(0.05)
        sealed += services.seal_logs()
    return sealed


def verdict():
    return next(found for found in services.verify_logs() if found.log == "audit_event")


@pytest.fixture
def sealed(monkeypatch):
    """Nine entries under three seals."""
    monkeypatch.setattr(seals, "MOST_ENTRIES", 3)
    entries = record(*"abcdefghi")
    assert seal(9) == 9
    assert Seal.objects.filter(log="audit_event").count() == 3
    return [entry.pk for entry in entries]


def test_what_nobody_touched_is_what_was_sealed(sealed):
    assert verdict().faults == []
    assert verdict().entries == 9
    assert verdict().head == Seal.objects.filter(log="audit_event").latest("id").hash


def test_sealing_again_adds_what_came_since(sealed):
    record("later")

    assert seal(1) == 1
    assert services.seal_logs() == 0
    assert (verdict().entries, verdict().faults) == (10, [])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET action = 'x' WHERE id = {4}",
        "UPDATE audit_event SET at = at + interval '1 microsecond' WHERE id = {4}",
        "UPDATE audit_event SET key_prefix = 'another' WHERE id = {4}",
        "DELETE FROM audit_event WHERE id = {4}",
        "UPDATE audit_event SET id = CASE id WHEN {4} THEN {3} ELSE {4} END WHERE id IN ({3}, {4})",
        "UPDATE audit_event SET xact = xact - 1 WHERE id = {4}",
        "INSERT INTO audit_event (action, id, xact) SELECT 'x', id, xact - 1 FROM audit_event WHERE id = {4}",
    ],
    ids=["edited", "moved in time", "said of a key", "deleted", "swapped", "another transaction", "slipped in"],
)
def test_an_entry_that_was_touched_shows_in_its_seal_and_in_no_other(sealed, statement):
    tamper(statement.format(*sealed))

    (fault,) = verdict().faults[:1]
    middle = Seal.objects.filter(log="audit_event").order_by("id")[1]
    assert f"seal {middle.pk} " in fault


def test_a_seal_that_was_taken_away_shows_in_the_next(sealed):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_seal DISABLE TRIGGER audit_no_change")
        cursor.execute("DELETE FROM audit_seal WHERE id = %s", [Seal.objects.order_by("id")[1].pk])
        cursor.execute("ALTER TABLE audit_seal ENABLE TRIGGER audit_no_change")

    assert len(verdict().faults) == 1


def test_the_command_ends_with_a_fault_and_knows_a_hash_that_was_noted_elsewhere(sealed):
    head = verdict().head
    out = io.StringIO()
    call_command("verify_audit", "--expect", head, stdout=out)
    assert f"audit_event: 9 entries sealed, 0 not yet, {head}" in out.getvalue()

    with pytest.raises(CommandError, match="no seal has the hash 00"):
        call_command("verify_audit", "--expect", "00", stdout=out)
    tamper("DELETE FROM audit_event WHERE action = 'i'")
    with pytest.raises(CommandError, match="were touched"):
        call_command("verify_audit", stdout=out)


def test_an_entry_of_a_transaction_that_takes_longer_is_sealed_after_it_and_nothing_is_lost():
    wrote, may_commit = threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            record("slow")
            wrote.set()
            assert may_commit.wait(PATIENCE)

    def others():
        assert wrote.wait(PATIENCE)
        record("quick")
        first = services.seal_logs()
        may_commit.set()
        return first

    _, first = at_once(slow, others)
    rest = services.seal_logs()

    assert (first, rest) == (0, 2)  # the quick one waits for the slow one, which began before it
    assert (verdict().entries, verdict().faults) == (2, [])


def test_many_writers_and_sealers_at_one_time_leave_one_chain():
    def write():
        for number in range(10):
            with transaction.atomic():
                record(f"{number}")
                record(f"{number} again")

    def seal():
        for _ in range(5):
            try:
                services.seal_logs()
            except LockHeldError:
                continue

    at_once(write, write, write, write, seal, seal)
    services.seal_logs()

    assert Event.objects.count() == 80
    assert (verdict().entries, verdict().faults) == (80, [])


def test_an_entry_of_somebody_who_had_logged_in_is_sealed_as_before_keys_were_named():
    record("a")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL timezone = 'UTC'")
        cursor.execute("SELECT (to_jsonb(entry) - 'key_prefix')::text FROM audit_event AS entry")
        (former,) = cursor.fetchone()

    assert seal(1) == 1

    assert verdict().head == sha256(bytes(32) + sha256(former.encode()).digest()).hexdigest()


def test_a_restored_database_refuses_to_be_sealed_until_it_is_told_and_then_goes_on(sealed):
    record("left")
    Seal(log="audit_event", last_xact=2**40, last_id=0, entries=0, hash=verdict().head).save()  # from elsewhere
    with pytest.raises(services.RestoredError):
        services.seal_logs()

    services.seal_restored()
    record("new")

    assert seal(1) == 1
    assert Seal.objects.filter(log="audit_event").latest("id").floor > sealed[-1]
