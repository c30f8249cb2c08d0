"""Generations: what moves them, who may trust them, and that nobody is told of a write before they have moved."""

import signal
import threading
import time
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.db import connection, transaction
from psycopg import connect
from redis import Redis

from campushub360.local.servers import ensure_servers, release_servers, stop_servers
from core.cache.commits import LONGEST_WAIT, Raise
from core.cache.generations import Generations, generations
from core.cache.keeper import _PENDING, BATCH, LEASE_SECONDS, GenerationKeeper
from core.cache.tags import follow, parts, unfollowed
from core.db.copying import copy_in
from core.ids import new_id
from core.models import Lease, Touch
from tests.local.conftest import processes_in
from tests.testapp.models import Item, Parent

pytestmark = pytest.mark.django_db(transaction=True)

LONG = 600
# Nobody listens there.
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def fresh():
    """Begin with an empty server."""
    with Redis.from_url(settings.REDIS_URL) as redis:
        for key in redis.scan_iter(f"{settings.GENERATIONS_PREFIX}:*"):
            redis.delete(key)
    return redis


@pytest.fixture
def keeper():
    """Return a keeper that has granted a lease which outlasts the test."""
    keeper = GenerationKeeper(generations(), lease_seconds=LONG)
    assert keeper.tick()
    return keeper


@pytest.fixture
def parent():
    return Parent.objects.create(code="P1", name="Physics")


@pytest.fixture
def own_server(tmp_path_factory, monkeypatch):
    """Return the process of a Redis server of the test's own, which the generations of this process lie on."""
    home = tmp_path_factory.mktemp("own") / ".campus"
    url = ensure_servers({"DATABASE_URL": "postgres://elsewhere"}, home=home)["REDIS_URL"]
    own = Generations(url, prefix="own", pause=0.1)
    monkeypatch.setattr("core.cache.commits.generations", lambda: own)
    (process,) = [each for each in processes_in(home) if "valkey-server" in each.name()]
    yield own, process
    if process.is_running():
        process.send_signal(signal.SIGCONT)
    release_servers(home=home)
    stop_servers(home=home)


def elsewhere(*statements):
    """Execute statements in a session that nobody follows, as an operator would."""
    with connect(**{**connection.get_connection_params(), "cursor_factory": None}, autocommit=True) as session:
        for statement in statements:
            session.execute(statement)


def moved_by(write, *tags):
    """Return which of the tags a write has moved by the time it returns."""
    before = [generations().read([tag]) for tag in tags]
    write()
    return [tag for tag, former in zip(tags, before, strict=True) if generations().read([tag]) != former]


_MERGE = "MERGE INTO testapp_item AS t USING free ON t.id = free.id WHEN MATCHED THEN UPDATE SET rank = 1"


class TestWhatMoves:
    @pytest.mark.parametrize(
        "write",
        [
            lambda item: item.save(),
            lambda item: item.delete(),
            lambda item: Item.objects.filter(pk=item.pk).update(name="Other"),
            lambda item: Item.objects.bulk_update([item], ["name"]),
            lambda item: Item.objects.bulk_create([Item(name="Other", parent=item.parent)]),
            lambda item: copied(Item(name="Other", parent=item.parent)),
            lambda item: raw("UPDATE testapp_item SET rank = 1"),
            lambda item: raw("WITH gone AS (DELETE FROM testapp_item RETURNING id) SELECT * FROM gone"),
            lambda item: of_free('UPDATE "testapp_item" AS target SET rank = 1 FROM free WHERE target.id = free.id'),
            lambda item: of_free("UPDATE public.testapp_item SET rank = 1"),
            lambda item: of_free("UPDATE ONLY testapp_item SET rank = 1"),
            lambda item: of_free(_MERGE),
            lambda item: raw("-- why\n/* and\nhow */ UPDATE testapp_item SET rank = 1"),
        ],
        ids=[
            "save",
            "delete",
            "update",
            "bulk update",
            "bulk create",
            "copy",
            "raw",
            "raw in a query",
            "under another name",
            "in a schema",
            "not in what inherits",
            "merged",
            "after a comment",
        ],
    )
    def test_every_way_to_write_moves_the_tag_and_the_part_it_is_about(self, keeper, parent, write):
        item = Item.objects.create(name="Desk", parent=parent)
        other = Parent.objects.create(code="P2", name="History")
        tags = ["items", f"items:{parent.pk}", f"items:{other.pk}", "items:*", "parents"]

        assert moved_by(lambda: write(item), *tags) == ["items", f"items:{parent.pk}"]

    def test_a_row_that_changes_sides_moves_both(self, keeper, parent):
        item = Item.objects.create(name="Desk", parent=parent)
        other = Parent.objects.create(code="P2", name="History")
        tags = [f"items:{parent.pk}", f"items:{other.pk}"]

        assert moved_by(lambda: Item.objects.filter(pk=item.pk).update(parent=other), *tags) == tags

    @pytest.mark.parametrize("number", [150, 1500])
    def test_many_parts_move_as_all_of_them(self, keeper, number):
        parents = Parent.objects.bulk_create([Parent(code=f"P{n}", name="x") for n in range(number)])
        items = [Item(name="x", parent=each) for each in parents]
        one = parts("items", parents[0].pk)

        assert moved_by(lambda: Item.objects.bulk_create(items), "items", *one) == ["items", "items:*"]

    def test_what_changed_no_row_moves_nothing(self, keeper, parent):
        tags = ["items", "items:*", "parents"]

        assert moved_by(lambda: Item.objects.filter(name="Nobody").update(rank=1), *tags) == []

    def test_what_was_rolled_back_moves_nothing(self, keeper, parent):
        def write():
            with transaction.atomic():
                parent.save()
                transaction.set_rollback(True)

        assert moved_by(write, "parents") == []
        assert not Touch.objects.filter(tags__contains=["parents"], id__gt=Touch.objects.earliest("id").pk).exists()

    def test_what_follows_a_savepoint_that_was_rolled_back_moves(self, keeper, parent):
        def write():
            with transaction.atomic():
                with transaction.atomic():
                    Item.objects.create(name="Gone", parent=parent)
                    transaction.set_rollback(True)
                parent.save()

        assert moved_by(write, "items", "parents") == ["parents"]

    def test_a_transaction_costs_one_question_more_however_much_it_writes(self, keeper, parent):
        asked = []

        def count(execute, sql, *rest):
            asked.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(count), transaction.atomic():
            for name in ("a", "b", "c"):
                Item.objects.create(name=name, parent=parent)

        assert sum("core_touch" in each for each in asked) == 1


def copied(row):
    with transaction.atomic():
        copy_in([row])


def raw(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


def of_free(statement):
    raw(" ".join(["WITH free AS (SELECT id FROM testapp_item FOR NO KEY UPDATE SKIP LOCKED)", statement]))


class KeeperFirst:
    """Generations that a keeper raises before the writer does."""

    def __init__(self, keeper):
        self.keeper = keeper

    def raise_to(self, position, tags, *, commit):
        assert self.keeper.tick()
        generations().raise_to(position, tags, commit=commit)


class TestTheWriter:
    def test_is_answered_when_the_generations_have_moved(self, keeper):
        """Readers compare what they see with what was acknowledged before they began."""
        row = Parent.objects.create(code="P1", name="0")
        acknowledged, wrong, kept, is_over = [0], [], {}, threading.Event()

        def read():
            while not is_over.is_set():
                before = acknowledged[-1]
                reading = generations().read(["parents"])
                if reading not in kept:
                    kept[reading] = int(Parent.objects.get(pk=row.pk).name)
                if reading is None or kept[reading] < before:
                    wrong.append((reading, before))
            connection.close()

        readers = [threading.Thread(target=read) for _ in range(4)]
        for thread in readers:
            thread.start()
        for number in range(1, 60):
            Parent.objects.filter(pk=row.pk).update(name=str(number))
            acknowledged.append(number)
        is_over.set()
        for thread in readers:
            thread.join()

        assert wrong == []
        assert len(kept) > 1

    def test_a_write_past_it_is_raised_by_the_keeper(self, keeper, parent):
        Touch.objects.all().delete()
        before = generations().read(["parents"])

        elsewhere("UPDATE testapp_parent SET name = 'Chemistry'")
        assert generations().read(["parents"]) == before
        assert keeper.tick()

        assert generations().read(["parents"]) != before
        assert not Touch.objects.filter(commit=None).exists()

    def test_a_commit_that_moved_several_parts_is_raised_whole_whoever_raises_it(self, keeper, parent, monkeypatch):
        """Between a commit and its writer's raise the keeper may come, or the writer may never."""
        other = Parent.objects.create(code="P2", name="History")
        tags = [f"items:{parent.pk}", f"items:{other.pk}"]
        monkeypatch.setattr("core.cache.keeper.BATCH", 1)
        monkeypatch.setattr("core.cache.commits.generations", lambda: KeeperFirst(keeper))

        def write():
            with transaction.atomic():
                Item.objects.create(name="Desk", parent=parent)
                Item.objects.create(name="Chair", parent=other)

        assert moved_by(write, *tags) == tags

    def test_what_it_raised_is_not_raised_again(self, keeper, parent):
        parent.save()
        before = generations().read(["parents"])

        assert keeper.tick()

        assert generations().read(["parents"]) == before
        assert not Touch.objects.filter(tags__contains=["parents"]).exists()

    def test_waits_until_no_reader_trusts_what_it_could_not_raise(self, parent, monkeypatch):
        """It is cut off, and readers are not: they go on with what they have for as long as a lease lasts."""
        Lease.objects.all().delete()
        assert GenerationKeeper(generations(), lease_seconds=LEASE_SECONDS).tick()
        before = generations().read(["parents"])
        assert before is not None
        monkeypatch.setattr("core.cache.commits.generations", lambda: Generations(NOWHERE, prefix="cut-off"))

        parent.save()

        assert generations().read(["parents"]) != before

    def test_does_not_wait_for_longer_than_a_lease_may_last(self, parent, own_server, monkeypatch):
        own, server = own_server
        assert GenerationKeeper(own, lease_seconds=LONG).tick()
        server.send_signal(signal.SIGSTOP)
        waited = []
        monkeypatch.setattr(Raise, "_wait_until", lambda self, instant: waited.append(instant - time.monotonic()))

        parent.save()

        assert len(waited) == 1
        assert waited[0] <= LONGEST_WAIT

    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
    def test_does_not_wait_when_nobody_has_had_a_lease_for_long(self, parent, own_server, monkeypatch, how):
        own, server = own_server
        own._pause = LONG
        Lease.objects.all().delete()
        server.send_signal(how)
        parent.save()  # finds out

        rests = []
        monkeypatch.setattr(
            "core.cache.commits.time",
            SimpleNamespace(monotonic=time.monotonic, sleep=rests.append),
        )
        for _ in range(5):
            parent.save()

        assert rests == []
        assert Touch.objects.filter(tags__contains=["parents"]).count() == 7


class TestTheReader:
    def test_has_nothing_without_a_lease(self, parent):
        assert generations().read(["parents"]) is None

    def test_has_nothing_once_the_lease_is_over(self):
        assert GenerationKeeper(generations(), lease_seconds=LONG).tick()
        assert generations().read(["parents"]) is not None

        assert GenerationKeeper(generations(), lease_seconds=LEASE_SECONDS).tick()
        time.sleep(LEASE_SECONDS + 0.1)

        assert generations().read(["parents"]) is None

    def test_has_nothing_from_a_keeper_who_took_longer_than_the_lease(self):
        assert not GenerationKeeper(generations(), lease_seconds=0).tick()
        assert generations().read(["parents"]) is None

    def test_takes_nothing_for_the_present_after_the_server_forgot(self, keeper, fresh):
        before = generations().read(["never-moved"])
        for key in fresh.scan_iter(f"{settings.GENERATIONS_PREFIX}:*"):
            fresh.delete(key)

        assert generations().read(["never-moved"]) is None
        assert keeper.tick()
        assert generations().read(["never-moved"]) not in {None, before}

    def test_asks_a_server_that_is_away_once_in_a_while(self, own_server):
        own, server = own_server
        assert GenerationKeeper(own, lease_seconds=LONG).tick()
        server.send_signal(signal.SIGSTOP)
        assert own.read(["parents"]) is None
        own._pause = own._away_until = LONG + time.monotonic()

        asked = []
        own._redis.ask_along = lambda *command: asked.append(command)
        for _ in range(1000):
            assert own.read(["parents"]) is None
        assert asked == []
        del own._redis.ask_along

        own._away_until = time.monotonic()
        server.send_signal(signal.SIGCONT)
        assert own.read(["parents"]) is not None


class TestTheKeeper:
    def test_grants_no_lease_that_outlasts_what_writers_wait_for_however_late_it_is_granted(self, own_server):
        own, _ = own_server
        epoch = own.epoch_on("00000001")

        assert not own.grant(epoch, until=own.now(), longest=300)
        assert own.grant(epoch, until=own.now() + 300, longest=300)
        time.sleep(0.4)
        assert own.read(["parents"]) is None

    def test_grants_none_for_longer_than_it_was_meant_to_last_when_the_clock_was_set_back_meanwhile(self, own_server):
        own, _ = own_server

        assert own.grant(own.epoch_on("00000001"), until=own.now() + 3_600_000, longest=300)

        assert 0 < own.lease_left() <= 0.3

    def test_takes_nothing_from_before_it_began_for_the_present(self, keeper):
        before = generations().read(["parents"])

        assert GenerationKeeper(generations(), lease_seconds=LONG).tick()

        assert generations().read(["parents"]) != before

    def test_gives_no_lease_while_writes_to_a_table_are_not_noted(self, parent):
        raw("DROP TRIGGER core_touch_update ON testapp_parent")
        try:
            assert unfollowed() == {"testapp_parent"}
            assert not GenerationKeeper(generations(), lease_seconds=LONG).tick()
        finally:
            follow()
        assert GenerationKeeper(generations(), lease_seconds=LONG).tick()

    def test_gives_no_lease_on_a_server_that_may_forget_generations(self, own_server):
        own, _ = own_server
        own._redis.config_set("maxmemory-policy", "allkeys-lru")

        assert not GenerationKeeper(own).tick()
        assert own.read(["parents"]) is None

    def test_begins_another_epoch_on_another_timeline(self, keeper):
        one = generations().epoch_on("00000001")

        assert generations().epoch_on("00000001") == one
        assert generations().epoch_on("00000002") != one

    def test_raises_more_than_a_batch_before_it_grants(self, keeper):
        Touch.objects.bulk_create([Touch(commit=new_id(), tags=[f"tag{n % 7}"]) for n in range(BATCH + 5)])
        before = generations().read(["tag6"])

        assert keeper.tick()

        assert generations().read(["tag6"]) != before
        assert not Touch.objects.exists()

    def test_looks_at_no_more_than_a_batch_however_many_wait(self):
        Touch.objects.bulk_create([Touch(commit=new_id(), tags=["tag"]) for _ in range(3 * BATCH)])
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE core_touch")
            cursor.execute(f"EXPLAIN {_PENDING}", [1])
            plan = "\n".join(line for (line,) in cursor.fetchall())
        Touch.objects.all().delete()

        assert plan.count("Index Cond: (id = due") + plan.count("Index Cond: (commit = due") == 2, plan

    def test_runs_until_it_is_stopped(self):
        keeper = GenerationKeeper(generations())
        thread = threading.Thread(target=keeper.run)
        thread.start()
        try:
            deadline = time.monotonic() + 20
            while generations().read([]) is None and time.monotonic() < deadline:
                time.sleep(0.01)
            assert generations().read([]) is not None
        finally:
            keeper.stop()
            thread.join()
