"""How Redis is asked: once a request, about one moment, and on connections that nobody else uses."""

import subprocess
import sys

import pytest
from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError, ResponseError

from core.cache.commits import Raise
from core.cache.generations import asking_once, expect, generations
from core.cache.keeper import GenerationKeeper
from core.redis import QuickScript, redis_at
from tests.testapp.models import Parent

ONE, OTHER = "asking:one", "asking:other"


@pytest.fixture
def client():
    return redis_at(settings.REDIS_URL, patience=60)


@pytest.mark.django_db(transaction=True)
class TestAMoment:
    @pytest.fixture(autouse=True)
    def lease(self):
        assert GenerationKeeper(generations(), lease_seconds=600).tick()

    def test_is_the_same_however_often_it_is_asked_about(self):
        with asking_once():
            before = generations().read([ONE])
            generations().raise_to(10**15, [ONE])

            assert generations().read([ONE]) == before
        assert generations().read([ONE]) != before

    def test_holds_what_was_expected(self):
        with asking_once():
            expect([OTHER])
            generations().read([ONE])
            before = generations().read([OTHER])
            generations().raise_to(10**15, [OTHER])

            assert generations().read([ONE, OTHER])[-1] == before[-1]
        assert generations().read([OTHER]) != before

    def test_ends_where_something_is_written(self):
        label = Parent._meta.label_lower
        with asking_once():
            before = generations().read([label])
            Parent.objects.create(code="P1", name="Physics")

            assert generations().read([label]) != before

    def test_ends_with_a_commit_that_moved_nothing(self):
        with asking_once():
            before = generations().read([ONE])
            generations().raise_to(10**15, [ONE])
            Raise()()

            assert generations().read([ONE]) != before

    def test_never_has_a_position_that_is_older_than_a_generation(self):
        with asking_once():
            former = generations().position()
            generations().raise_to(former.lsn + 1000, [ONE])
            generations().read([ONE])

            assert generations().position().lsn >= former.lsn + 1000

    def test_trusts_nothing_that_was_told_in_another_epoch(self):
        with asking_once():
            one = generations().read([ONE])
            GenerationKeeper(generations(), lease_seconds=600).tick()
            generations().read([OTHER])

            assert generations().read([ONE]) != one

    def test_without_a_lease_is_not_asked_about_again(self):
        lease = f"{settings.GENERATIONS_PREFIX}:lease"
        with Redis.from_url(settings.REDIS_URL) as redis, asking_once():
            redis.delete(lease)
            assert generations().read([ONE]) is None
            redis.set(lease, "1:epoch", ex=600)
            assert generations().read([ONE]) is None
        assert generations().read([ONE]) is not None


# In a process of its own, which has no threads that a fork would leave behind.
FORKED = """
import os, sys
from core.redis import redis_at

client = redis_at(sys.argv[1], patience=5)
number = client.ask("CLIENT", "ID")
child = os.fork()
if not child:
    os._exit(int(client.ask("CLIENT", "ID") == number))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) or int(client.ask("CLIENT", "ID") != number))
"""


class TestAConnection:
    def test_is_used_again(self, client):
        assert len({client.ask("CLIENT", "ID") for _ in range(3)}) == 1

    def test_that_was_lost_fails_once_and_takes_the_idle_ones_along(self, client):
        taken = [client.take() for _ in range(3)]
        for line in taken:
            line.send([("CLIENT", "ID")])
        ids = {line.hear() for line in taken}
        for line in taken:
            client.give_back(line)
        with Redis.from_url(settings.REDIS_URL) as other:
            for number in ids:
                other.client_kill_filter(_id=number)

        with pytest.raises((RedisError, OSError)):
            client.ask("PING")

        assert client.ask("CLIENT", "ID") not in ids

    def test_survives_a_refusal(self, client):
        number = client.ask("CLIENT", "ID")

        with pytest.raises(ResponseError):
            client.ask("GET")

        assert client.ask("CLIENT", "ID") == number

    def test_that_was_idle_for_long_is_looked_at_before(self, client):
        number = client.ask("CLIENT", "ID")
        with Redis.from_url(settings.REDIS_URL) as other:
            other.client_kill_filter(_id=number)
        for line in client._idle:
            line.idle_since = 0.0

        assert client.ask("CLIENT", "ID") != number

    def test_passes_over_what_nobody_asked_for(self, client):
        number = client.ask("CLIENT", "ID")
        client.ask("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "asking:")
        with Redis.from_url(settings.REDIS_URL) as other:
            other.set("asking:pushed", 1)
        told = [client.ask("ECHO", word) for word in ("one", "other")]

        assert told == [b"one", b"other"]
        assert client.ask("CLIENT", "ID") == number

    def test_is_not_shared_with_a_child(self):
        done = subprocess.run([sys.executable, "-c", FORKED, settings.REDIS_URL], check=False)

        assert done.returncode == 0


def test_a_script_is_run_by_a_server_that_has_forgotten_it(client):
    script = QuickScript("return tonumber(ARGV[1]) + 1")
    client.ask("SCRIPT", "FLUSH")

    assert [client.run(script, [], [number]) for number in (1, 2)] == [2, 3]
