"""A primary and two replicas that this process is configured for, with the tables of the tests' own app."""

import signal

import pytest
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from redis import Redis

from core.cache.generations import generations
from core.cache.keeper import GenerationKeeper
from core.cache.tags import follow
from core.db import positions
from core.db.positions import replica
from core.ids import new_id
from core.models import Lease
from tests.core.db.streaming import Follower, Primary, Server
from tests.local.conftest import eventually
from tests.testapp.models import Locker, Parent


class Cluster:
    """A primary and two replicas, which this process is configured for."""

    def __init__(self, home):
        self.servers = [Server(Primary(home / "primary"))]
        self.primary = self.servers[0]
        for name in ("replica_1", "replica_2"):
            engine = Follower(home / name, primary=self.primary.engine, port=self.primary.port)
            self.servers.append(Server(engine))
        self.paused, self.running = self.servers[1:]

    def configure(self):
        base = connections.settings["default"] | {"OPTIONS": {}}
        more = {"ENGINE": positions.ENGINE, "DISABLE_SERVER_SIDE_CURSORS": True}
        return {
            "default": self.primary.config(base),
            **{f"replica_{n}": self.servers[n].config(base, **more) for n in (1, 2)},
            "analytics": self.paused.config(base, **more),
        }


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, django_db_blocker):
    """Let this process's databases be a primary and two replicas, with the tables of the tests' own app."""
    cluster = Cluster(tmp_path_factory.mktemp("streaming"))
    former, held = dict(connections.settings), connections["default"]
    with django_db_blocker.unblock():
        del connections["default"]
        connections.settings.update(cluster.configure())
        executor = MigrationExecutor(connections["default"])
        executor.migrate([node for node in executor.loader.graph.leaf_nodes() if node[0] in {"core", "testapp"}])
        follow()
        yield cluster
        for alias in list(connections.settings):
            connections[alias].close()
            del connections[alias]
    connections.settings.clear()
    connections.settings.update(former)
    connections["default"] = held
    for server in cluster.servers:
        server.stop()


@pytest.fixture
def routed(cluster, settings):
    """Begin with a lease, with replicas of which nothing is known, and with one row that both have."""
    settings.DATABASE_ROUTERS = ["core.db.router.ReplicaRouter"]
    settings.GENERATIONS_PREFIX = f"test-{new_id()}"
    replica.cache_clear()
    Parent.objects.all().delete()
    Parent.objects.create(code="P", name="0")
    assert GenerationKeeper(generations(), lease_seconds=600).tick()
    assert eventually(lambda: all(has_come_up(alias) for alias in positions.replica_aliases()))
    yield
    Lease.objects.all().delete()
    for alias in list(connections.settings):
        connections[alias].close()
    with Redis.from_url(settings.REDIS_URL) as redis:
        for key in redis.scan_iter(f"{settings.GENERATIONS_PREFIX}:*"):
            redis.delete(key)


@pytest.fixture
def paused(cluster):
    """Return a replica that replays nothing during the test, and lacks something."""
    cluster.paused.tell("SELECT pg_wal_replay_pause()")
    assert eventually(lambda: cluster.paused.tell("SELECT pg_get_wal_replay_pause_state() = 'paused'"))
    Locker.objects.create(secret=str(new_id()))
    yield cluster.paused
    cluster.paused.tell("SELECT pg_wal_replay_resume()")


@pytest.fixture
def killed(cluster):
    """Return a function that kills a replica, which is up again after the test."""
    server = cluster.paused
    yield server.kill
    server.start()


@pytest.fixture
def pooled(cluster):
    """Let this process's connections to the first replica lie in a pool, as they do in production."""
    config = connections.settings["replica_1"]
    connections["replica_1"].close()
    del connections["replica_1"]
    config["OPTIONS"] = {"connect_timeout": 2, "pool": {"min_size": 0, "max_size": 4, "timeout": 0.5}}
    yield
    connections["replica_1"].close()
    connections["replica_1"].close_pool()
    del connections["replica_1"]
    config["OPTIONS"] = {}


@pytest.fixture
def stopped(cluster, pooled):
    """Return a function that stops every process of a replica where it stands; they go on after the test."""
    yield lambda: cluster.paused.signal(signal.SIGSTOP)
    cluster.paused.signal(signal.SIGCONT)


def has_come_up(alias):
    """Say whether a replica has all that was acknowledged; a standby of which nothing is remembered is asked."""
    replica.cache_clear()
    return replica(alias).serves(generations().position())
