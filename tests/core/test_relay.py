"""What delivery promises, whatever happens to relays, subscribers and connections."""

import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models.functions import Now
from psycopg.conninfo import conninfo_to_dict

from core.db.notifications import direct_conninfo
from core.events import Event, heard_names, publish
from core.models import OutboxEvent
from core.relay import BATCH, SLOWEST_RETRY, Relay, purge_delivered, revive
from tests.core.relay_process import ItemWanted, TroubleExpected
from tests.testapp.models import Item


@dataclass(frozen=True, kw_only=True)
class NobodyCares(Event):
    """Something that no subscriber hears of."""

    name: ClassVar[str] = "tests.nobody_cares"


CHECKOUT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def listen_to_the_test_database(settings: Any) -> None:
    settings.DATABASE_DIRECT_URL = ""


def want(*labels: str, gate: str = "") -> None:
    with transaction.atomic():
        for label in labels:
            publish(ItemWanted(label=label, gate=gate))


def expect_trouble(kind: str, label: str = "x") -> OutboxEvent:
    with transaction.atomic():
        publish(TroubleExpected(label=label, kind=kind))
    return OutboxEvent.objects.get(name=TroubleExpected.name)


def effects() -> Counter[str]:
    return Counter(Item.objects.values_list("name", flat=True))


def once_each(labels: list[str]) -> Counter[str]:
    return Counter(dict.fromkeys(labels, 1))


def make_due() -> None:
    OutboxEvent.objects.pending().update(available_at=Now())


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.002)


def end_the_other_sessions() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


@contextmanager
def relay_process(*arguments: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a relay against this test's database and see to its end."""
    database = conninfo_to_dict(direct_conninfo())
    url = "postgres://{user}:{password}@{host}:{port}/{dbname}".format(**{"password": "", **database})
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.core.relay_process", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, **variables, "DATABASE_URL": url, "DATABASE_DIRECT_URL": url},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def relay_thread(relay: Relay) -> Iterator[None]:
    def work() -> None:
        try:
            relay.run()
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        relay.stop()
        thread.join()


def test_each_event_reaches_its_subscribers_in_the_order_of_recording() -> None:
    labels = [f"item {number}" for number in range(BATCH + 10)]
    want(*labels)

    delivered = Relay().drain()

    assert delivered == len(labels)
    assert list(Item.objects.order_by("created_at").values_list("name", flat=True)) == labels
    assert not OutboxEvent.objects.pending().exists()


def test_a_delivered_event_is_not_delivered_again() -> None:
    want("once")
    Relay().drain()

    assert Relay().drain() == 0
    assert effects() == once_each(["once"])


def test_an_event_without_subscribers_is_done_with() -> None:
    with transaction.atomic():
        publish(NobodyCares())

    assert Relay().drain() == 1
    assert not OutboxEvent.objects.pending().exists()


def test_an_event_committed_after_a_later_one_is_not_skipped() -> None:
    recorded, go_on = threading.Event(), threading.Event()

    def slow_transaction() -> None:
        try:
            with transaction.atomic():
                publish(ItemWanted(label="recorded first"))
                recorded.set()
                go_on.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=slow_transaction)
    thread.start()
    recorded.wait(30)
    want("recorded second")
    Relay().drain()
    before = effects()
    go_on.set()
    thread.join()
    Relay().drain()

    first, second = OutboxEvent.objects.order_by("seq")
    assert (first.payload["label"], second.payload["label"]) == ("recorded first", "recorded second")
    assert before == once_each(["recorded second"])
    assert effects() == once_each(["recorded first", "recorded second"])


@pytest.mark.parametrize("kind", ["bug", "broken reference", "duplicate"])
def test_a_failing_subscriber_loses_its_own_writes_only(kind: str) -> None:
    event = expect_trouble(kind)

    Relay().drain()

    event.refresh_from_db()
    assert effects() == once_each(["first x", "last x"])
    assert [name.rpartition(".")[2] for name in event.delivered_to] == ["make_first", "make_last"]
    assert event.delivered_at is None
    assert event.attempts == 1


def test_those_who_have_heard_are_not_told_again_when_the_failed_one_is() -> None:
    event = expect_trouble("bug")
    Relay().drain()
    OutboxEvent.objects.update(payload={"label": "x", "kind": "none"})
    make_due()

    Relay().drain()

    event.refresh_from_db()
    assert effects() == once_each(["first x", "last x", "trouble x"])
    assert event.delivered_at is not None


def test_the_recorded_failure_names_the_error_and_nothing_of_the_payload() -> None:
    event = expect_trouble("bug", label="canary-4711")

    Relay().drain()

    event.refresh_from_db()
    assert event.last_error.startswith("tests.core.relay_process.make_trouble: ValueError in make_trouble")
    assert "canary" not in event.last_error


def test_a_poisonous_event_is_tried_ever_more_slowly_while_others_pass() -> None:
    event = expect_trouble("bug")
    delays = []

    for attempt in range(14):
        want(f"passing {attempt}")
        Relay().drain()
        event.refresh_from_db()
        delays.append(event.available_at - event.updated_at)
        make_due()

    assert delays[:3] == [timedelta(seconds=2), timedelta(seconds=4), timedelta(seconds=8)]
    assert delays[-1] == SLOWEST_RETRY
    assert effects() == once_each(["first x", "last x", *(f"passing {attempt}" for attempt in range(14))])


def test_after_too_many_attempts_an_event_is_given_up_loudly(caplog: pytest.LogCaptureFixture) -> None:
    event = expect_trouble("bug")
    relay = Relay(max_attempts=3)

    for _ in range(4):
        relay.drain()
        make_due()

    event.refresh_from_db()
    assert event.dead_at is not None
    assert event.attempts == 3
    dead = [record for record in caplog.records if record.message == "outbox.event_dead"]
    assert [record.levelno for record in dead] == [logging.ERROR]


def test_dead_events_are_delivered_after_somebody_asks_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    event = expect_trouble("bug")
    Relay(max_attempts=1).drain()
    OutboxEvent.objects.update(payload={"label": "x", "kind": "none"})

    call_command("relay", "--once", "--retry-dead")

    event.refresh_from_db()
    assert (event.dead_at, event.attempts) == (None, 0)
    assert event.delivered_at is not None
    assert "1 events will be tried again." in capsys.readouterr().out


def test_only_the_named_dead_events_are_revived() -> None:
    expect_trouble("bug")
    Relay(max_attempts=1).drain()

    assert revive(name="tests.something_else") == 0
    assert revive(name=TroubleExpected.name) == 1


def test_a_subscriber_that_breaks_the_connection_stops_nobody() -> None:
    event = expect_trouble("lost connection")
    want("after")

    Relay().drain()

    event.refresh_from_db()
    assert event.attempts == 1
    assert event.last_error
    assert effects() == once_each(["after"])


def test_relays_side_by_side_deliver_each_event_once() -> None:
    labels = [f"item {number}" for number in range(200)]
    want(*labels)
    start = threading.Barrier(4)
    delivered: list[int] = []

    def work() -> None:
        try:
            start.wait(30)
            delivered.append(Relay().drain())
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    Relay().drain()

    assert effects() == once_each(labels)
    assert sum(delivered) <= len(labels)


@pytest.mark.slow
def test_relays_killed_at_any_moment_lose_and_repeat_nothing() -> None:
    chance = random.Random(4711)
    labels = [f"item {number:03}" for number in range(150)]
    for start in range(0, 150, 30):
        want(*labels[start : start + 30])

    for _ in range(5):
        target = Item.objects.count() + chance.randint(1, 25)
        with relay_process() as process:
            wait_until(lambda target=target: Item.objects.count() >= target)
            time.sleep(chance.uniform(0, 0.01))
            process.send_signal(signal.SIGKILL)
            process.wait()
    with relay_process("--once") as process:
        assert process.wait(60) == 0

    assert effects() == once_each(labels)
    assert OutboxEvent.objects.exclude(delivered_at=None).count() == 150


def test_a_relay_killed_between_effect_and_note_leaves_neither() -> None:
    want("fragile")

    with relay_process("--once", CRASH_AFTER_EFFECT="1") as process:
        killed_by = process.wait(60)

    assert killed_by == -signal.SIGKILL
    assert effects() == Counter()
    Relay().drain()
    assert effects() == once_each(["fragile"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_relay_told_to_stop_finishes_the_event_at_hand(number: signal.Signals, tmp_path: Path) -> None:
    want("begun", gate=str(tmp_path))
    want("not begun")

    with relay_process() as process:
        wait_until((tmp_path / "reached").exists)
        process.send_signal(number)
        (tmp_path / "open").touch()
        code = process.wait(60)

    assert code == 0
    assert effects() == once_each(["begun"])


def test_a_sleeping_relay_is_woken_by_a_commit() -> None:
    # It would look again by itself only long after this test has given up.
    with relay_thread(Relay(poll_seconds=300)):
        want("first")
        wait_until(lambda: effects() == once_each(["first"]))
        want("second")
        wait_until(lambda: effects() == once_each(["first", "second"]))
        end_the_other_sessions()


def test_a_relay_survives_losing_all_its_connections() -> None:
    with relay_thread(Relay(poll_seconds=0.05)):
        want("before")
        wait_until(lambda: effects() == once_each(["before"]))

        end_the_other_sessions()
        want("after")

        wait_until(lambda: effects() == once_each(["before", "after"]))


def test_without_notifications_a_relay_looks_by_itself(settings: Any) -> None:
    settings.DATABASE_DIRECT_URL = "postgres://nobody@127.0.0.1:1/nothing"

    with relay_thread(Relay(poll_seconds=0.05)):
        want("found")
        wait_until(lambda: effects() == once_each(["found"]))


def test_purging_forgets_what_was_delivered_long_ago_and_nothing_else() -> None:
    want("old", "young", "undelivered")
    expect_trouble("bug")
    by_label = {event.payload["label"]: event.pk for event in OutboxEvent.objects.all()}
    long_ago = Now() - timedelta(days=8)
    OutboxEvent.objects.filter(pk=by_label["old"]).update(delivered_at=long_ago)
    OutboxEvent.objects.filter(pk=by_label["young"]).update(delivered_at=Now())
    OutboxEvent.objects.filter(pk=by_label["x"]).update(dead_at=long_ago)

    purged = purge_delivered(older_than=timedelta(days=7), batch=1)

    assert purged == 1
    assert {event.payload["label"] for event in OutboxEvent.objects.all()} == {"young", "undelivered", "x"}


def test_the_purging_command_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    want("old")
    Relay().drain()

    call_command("purge_outbox", "--older-than-days", "0")

    assert capsys.readouterr().out == "1 events purged.\n"


@pytest.mark.django_db
def test_events_that_nobody_hears_are_settled_at_once(django_assert_max_num_queries):
    OutboxEvent.objects.bulk_create([OutboxEvent(name=NobodyCares.name, payload={}) for _ in range(1_000)])

    with django_assert_max_num_queries(8):
        assert Relay().drain() == 1_000

    assert not OutboxEvent.objects.due().exists()


def test_an_event_of_another_release_is_left_to_its_relays() -> None:
    foreign = OutboxEvent.objects.create(name="tests.of_another_release", payload={})
    want("a", "b")

    delivered = Relay().drain()

    foreign.refresh_from_db()
    assert (delivered, effects()) == (2, once_each(["a", "b"]))
    assert (foreign.delivered_at, foreign.dead_at, foreign.attempts) == (None, None, 0)


def test_a_process_knows_the_events_that_others_publish() -> None:
    script = "import django; django.setup(); from core.events import unheard_names; print(*unheard_names())"

    known = subprocess.run([sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=True)

    declared = {
        line.split('"')[1]
        for file in CHECKOUT.glob("*/events.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.strip().startswith("name: ClassVar[str] =")
    }
    assert declared
    assert declared - set(heard_names()) <= set(known.stdout.split())
