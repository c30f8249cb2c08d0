"""Reads from real replicas: never older than what was acknowledged, whatever is paused, killed or in the way."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from django.db import connections, transaction
from django.db.models import Func, IntegerField, TextField, Value
from django.http import HttpResponse
from django.test import RequestFactory
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core.api.counting import Count
from core.api.metrics import Facts
from core.api.remembered import RememberedReadMixin
from core.cache.generations import Position, asking_once, generations
from core.db import positions
from core.db.positions import hold_to_present, reading_from_replicas, replica
from core.db.replicas import patience
from core.db.router import ReplicaRouter
from core.ids import new_id
from core.middleware import ReplicaReadsMiddleware
from core.models import Lease
from tests.local.conftest import eventually
from tests.testapp.models import Parent

pytestmark = pytest.mark.usefixtures("routed")

PORT = Func(function="inet_server_port", output_field=IntegerField())


def port():
    """Return which server a read is answered by."""
    return Parent.objects.annotate(port=PORT).values_list("port", flat=True).get()


def ports_of_reads(number=20):
    found = set()
    for _ in range(number):
        with reading_from_replicas():
            found.add(port())
    return found


def replicas_up():
    """Return which replicas answer, as operators are told."""
    [up] = [family for family in Facts().collect() if family.name == "campushub360_replica_up"]
    return {sample.labels["replica"]: sample.value for sample in up.samples}


class Parents(RememberedReadMixin):
    """Tells everybody how many there are."""

    made_of = ("testapp.Parent",)
    is_everybodys = True


def counted():
    """Return how many parents there are, counted once."""
    return Count(Parent.objects.all()).now()


def remembered():
    """Return the same, as an answer that is made once."""
    request = Request(RequestFactory().get("/"))
    request.user = SimpleNamespace(pk=None, assignments=[])
    view = Parents()
    view.kwargs = {}
    answer = view.remembered(request, lambda: Response(Parent.objects.count()))
    return json.loads(answer.content)["data"]


class TestAReader:
    def test_is_answered_by_every_replica_that_has_all_and_by_the_primary_where_nobody_allowed_more(self, cluster):
        assert ports_of_reads() == {server.port for server in cluster.servers[1:]}
        assert port() == cluster.primary.port

    @pytest.mark.parametrize("is_checked", [True, False], ids=["held to the position", "without the check"])
    def test_sees_whatever_was_acknowledged_before_it_began(self, cluster, paused, monkeypatch, is_checked):
        """With one replica that replays nothing, one that does, and answers kept under their generations."""
        if not is_checked:
            monkeypatch.setattr(positions.Replica, "covers", lambda self, needed: True)
            monkeypatch.setattr(positions.Replica, "serves", lambda self, needed: True)
        acknowledged, stale, answered, kept, is_over = [0], [], set(), {}, threading.Event()

        def read():
            while not is_over.is_set():
                before, reading = acknowledged[-1], generations().read(["parents"])
                with reading_from_replicas():
                    name, by = Parent.objects.annotate(port=PORT).values_list("name", "port").get()
                answered.add(by)
                if min(int(name), kept.setdefault(reading, int(name))) < before:
                    stale.append((by, name, before))
            connections.close_all()

        with ThreadPoolExecutor(3) as pool:
            readers = [pool.submit(read) for _ in range(3)]
            for number in range(1, 60):
                Parent.objects.update(name=str(number))
                acknowledged.append(number)
                time.sleep(0.02)
            is_over.set()
        for reader in readers:
            reader.result()

        assert (stale == []) is is_checked
        assert cluster.running.port in answered
        assert (paused.port in answered) is not is_checked

    def test_is_kept_from_a_replica_by_a_write_to_a_table_of_which_nobody_keeps_answers(self, cluster, paused):
        assert paused.port not in ports_of_reads()

    def test_who_keeps_what_it_reads_is_held_to_what_moved_the_generations_it_keeps_it_under(self, cluster, paused):
        cluster.running.tell("SELECT pg_wal_replay_pause()")
        try:
            with reading_from_replicas():
                former = port()
                with ThreadPoolExecutor(1) as pool:
                    pool.submit(lambda: (Parent.objects.update(name="1"), connections.close_all())).result()
                hold_to_present()
                assert Parent.objects.get().name == "1"
        finally:
            cluster.running.tell("SELECT pg_wal_replay_resume()")
        assert former == cluster.running.port

    @pytest.mark.parametrize("make", [counted, remembered], ids=["a count", "an answer"])
    def test_keeps_under_the_present_generations_nothing_that_lacks_what_moved_them(self, cluster, paused, make):
        cluster.running.tell("SELECT pg_wal_replay_pause()")
        assert eventually(lambda: cluster.running.tell("SELECT pg_get_wal_replay_pause_state() = 'paused'"))
        try:
            with asking_once(), reading_from_replicas():
                assert port() == cluster.running.port  # as far as is known by now
                with ThreadPoolExecutor(1) as pool:
                    pool.submit(lambda: (Parent.objects.create(code="Q", name="1"), connections.close_all())).result()
                make()
            with asking_once(), reading_from_replicas():
                assert make() == 2
        finally:
            cluster.running.tell("SELECT pg_wal_replay_resume()")

    def test_reads_what_it_has_written_from_the_primary_and_stays_there(self, cluster):
        with reading_from_replicas():
            assert port() != cluster.primary.port
            Parent.objects.update(name="1")
            assert port() == cluster.primary.port
        assert eventually(lambda: cluster.primary.port not in ports_of_reads(1))

    def test_reads_from_the_primary_within_a_transaction_and_what_it_locks(self, cluster):
        rows = Parent.objects.annotate(port=PORT)
        with reading_from_replicas():
            pinned = rows.using("replica_1")
            with transaction.atomic():
                assert {port(), rows.select_for_update().get().port, pinned.get().port} == {cluster.primary.port}
            assert port() != cluster.primary.port

    def test_reads_who_calls_from_the_primary(self):
        with reading_from_replicas():
            assert [ReplicaRouter().db_for_read(model) for model in (User, Lease)] == ["default", "default"]

    def test_reads_from_the_primary_without_a_lease(self, cluster, settings):
        settings.GENERATIONS_PREFIX = f"test-{new_id()}"

        assert ports_of_reads() == {cluster.primary.port}

    def test_asks_once_how_far_all_have_come_and_a_replica_only_what_is_not_known(self, monkeypatch):
        asked = []
        wrapper = type(connections["replica_1"])
        for owner, name in ((type(generations()), "position"), (wrapper, "replayed")):
            original = getattr(owner, name)
            monkeypatch.setattr(
                owner, name, lambda self, original=original, name=name: asked.append(name) or original(self)
            )
        for _ in range(2):
            with reading_from_replicas():
                for _ in range(3):
                    port()
        replicas = asked.count("replayed")
        for _ in range(4):
            with reading_from_replicas():
                port()

        assert asked.count("position") == 6
        assert asked.count("replayed") == replicas <= 2


class TestAReplica:
    def test_that_is_killed_costs_nobody_an_error(self, cluster, killed):
        is_over = threading.Event()

        def read():
            found = set()
            while not is_over.is_set():
                found |= ports_of_reads(1)
            connections.close_all()
            return found

        with ThreadPoolExecutor(3) as pool:
            readers = [pool.submit(read) for _ in range(3)]
            time.sleep(0.2)
            killed()
            time.sleep(0.2)
            is_over.set()

        assert cluster.running.port in set().union(*[reader.result() for reader in readers])
        assert cluster.paused.port not in ports_of_reads()

    def test_that_stands_still_holds_nobody_up(self, cluster, stopped):
        assert cluster.paused.port in ports_of_reads()
        stopped()

        with ThreadPoolExecutor(1) as pool:
            reader = pool.submit(lambda: (ports_of_reads(6), connections.close_all())[0])

            # It stands still until the test is over: whoever waits for it waits in vain.
            assert cluster.paused.port not in reader.result(timeout=60)

    @pytest.mark.parametrize("way", ["killed", "stopped", "terminated", "in conflict"])
    def test_that_fails_a_query_half_way_has_it_answered_by_the_primary(self, cluster, request, monkeypatch, way):
        """What it has to remove may be what the query still reads, and then the query has to go."""
        Parent.objects.create(code="Gone", name="x")
        server = cluster.paused
        monkeypatch.setattr(patience, "STATEMENT_SECONDS", 2.0)
        fell = request.getfixturevalue(way) if way in {"killed", "stopped"} else None

        def conflict():
            Parent.objects.filter(code="Gone").delete()
            with connections["default"].cursor() as cursor:
                cursor.execute("VACUUM testapp_parent")

        acts = {
            "killed": fell,
            "stopped": fell,
            "terminated": lambda: server.tell(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' "
                "AND pid <> pg_backend_pid()"
            ),
            "in conflict": conflict,
        }
        slow = Func(Value(0.7), function="pg_sleep", output_field=TextField())
        rows = Parent.objects.using("replica_1").filter(code="P").annotate(slow=slow, port=PORT)

        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(lambda: (rows.get().port, connections.close_all())[0])
            assert eventually(lambda: server.tell("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))
            acts[way]()

            assert waiting.result(timeout=60) == cluster.primary.port

    def test_that_is_killed_is_told_to_operators(self, killed):
        assert eventually(lambda: replicas_up() == {"replica_1": 1, "replica_2": 1, "analytics": 1})

        killed()

        assert eventually(lambda: replicas_up() == {"replica_1": 0, "replica_2": 1, "analytics": 0})

    def test_that_stays_behind_is_reported_and_left_alone(self, cluster, paused, settings, caplog):
        settings.DATABASE_REPLICA_MAX_LAG = 0.05
        Parent.objects.update(name="1")

        assert eventually(lambda: ports_of_reads() and "replica.lags" in caplog.messages)

        assert not replica("replica_1").serves(Position(timeline=1, lsn=0))

    def test_on_another_timeline_is_not_read_from(self):
        needed = generations().position()

        assert replica("replica_2").serves(needed)
        assert not replica("replica_2").serves(needed._replace(timeline=needed.timeline + 1))

    def test_is_read_from_by_nobody_as_long_as_no_lag_is_allowed(self, cluster, settings):
        settings.DATABASE_REPLICA_MAX_LAG = 0

        assert ports_of_reads() == {cluster.primary.port}

    def test_is_remembered_to_have_come_so_far_on_that_connection_alone(self):
        needed = generations().position()
        assert replica("replica_1").serves(needed)

        connections["replica_1"].close()
        connections["replica_1"].ensure_connection()

        assert not replica("replica_1").covers(needed)

    def test_takes_no_migration(self):
        router = ReplicaRouter()

        assert [router.allow_migrate(db, "core") for db in ("default", "replica_1")] == [True, False]
        assert router.db_for_write(Parent) == "default"
        assert router.allow_relation(Parent(), Parent())


class TestARequest:
    @pytest.mark.parametrize(
        ("method", "path", "goes_to_replica"),
        [
            ("get", "/api/v1/x/", True),
            ("head", "/api/v1/x/", True),
            ("post", "/api/v1/x/", False),
            ("get", "/admin/", False),
        ],
    )
    def test_that_only_asks_the_api_may_be_answered_by_a_replica(self, cluster, method, path, goes_to_replica):
        middleware = ReplicaReadsMiddleware(lambda request: HttpResponse(port()))

        answered = middleware(getattr(RequestFactory(), method)(path))

        assert (int(answered.content) != cluster.primary.port) is goes_to_replica
