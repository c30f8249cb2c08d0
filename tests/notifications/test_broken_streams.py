"""Whatever breaks while people listen, nobody misses anything, and nobody is told anything twice."""

import random
import select
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from django.db import connection, transaction

from core.ids import new_id
from tests.edge.running import Cache, Part
from tests.notifications.listening import Follower
from tests.notifications.serving import connections_held
from tests.notifications.telling import tell

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
ACCOUNTS, EACH = 8, 4
TELLERS, TRANSACTIONS = 3, 40
# Of those who listen, so many lose their connection each time that something is heard.
LOST = 0.02


class Teller(threading.Thread):
    """Tells some of these people something in transactions that overlap with those of others, and fail now and then."""

    def __init__(self, seed: int, users: list[Any]) -> None:
        super().__init__()
        self._chance, self._users = random.Random(seed), users
        self.told: list[tuple[Any, str]] = []
        self.done = 0

    def run(self) -> None:
        try:
            while self.done < TRANSACTIONS:
                self._tell()
                self.done += 1
        finally:
            connection.close()

    def _tell(self) -> None:
        told = []
        with transaction.atomic():
            for _ in range(self._chance.randint(1, 3)):
                users, title = self._chance.sample(self._users, 3), str(new_id())
                tell(*users, title=title)
                told += [(user, title) for user in users]
                time.sleep(self._chance.random() / 20)
            if self._chance.random() < 0.2:
                transaction.set_rollback(True)
                return
        self.told += told


def break_connections() -> None:
    """End those to the database that the worker has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", [connections_held()])


def kill_worker(web: Part) -> None:
    """Kill the process that serves; gunicorn starts another."""
    (worker,) = psutil.Process(web.process.pid).children()
    worker.kill()


def hear(followers: list[Follower], chance: random.Random) -> None:
    """Read what has come, and let some lose their connection."""
    by_socket = {each.stream.socket: each for each in followers}
    for ready in select.select(list(by_socket), [], [], 0.2)[0]:
        by_socket[ready].take()
        if chance.random() < LOST:
            by_socket[ready].come_back()


def hear_until(
    followers: list[Follower], chance: random.Random, is_enough: Callable[[], bool], *, seconds: float = 120
) -> None:
    until = time.monotonic() + seconds
    while not is_enough() and time.monotonic() < until:
        hear(followers, chance)


def said_by(tellers: list[Teller]) -> dict[Any, list[str]]:
    """Return what each account was told."""
    found: dict[Any, list[str]] = defaultdict(list)
    for user, title in (told for teller in tellers for told in teller.told):
        found[user].append(title)
    return found


def test_nothing_is_missed_and_nothing_comes_twice(web: tuple[Part, int], state: Cache, names: dict[Any, str]) -> None:
    users, chance = list(names)[:ACCOUNTS], random.Random(7)
    listening = [(user, Follower(web[1], names[user])) for user in users for _ in range(EACH)]
    followers = [each for _, each in listening]
    hear_until(followers, chance, lambda: all(each.stream.is_open for each in followers))
    tellers = [Teller(seed, users) for seed in range(TELLERS)]
    breaks = [state.kill, state.start, break_connections, lambda: kill_worker(web[0]), break_connections]

    for teller in tellers:
        teller.start()
    for number, break_something in enumerate(breaks, 1):
        due = number * TELLERS * TRANSACTIONS // (len(breaks) + 1)
        hear_until(followers, chance, lambda: sum(teller.done for teller in tellers) >= due)  # noqa: B023 - at once
        break_something()
    hear_until(followers, chance, lambda: not any(teller.is_alive() for teller in tellers))
    said = said_by(tellers)
    hear_until(followers, chance, lambda: all(len(each.heard) >= len(said[user]) for user, each in listening))
    # What came twice would come soon.
    hear_until(followers, chance, lambda: False, seconds=2)
    for each in followers:
        each.stream.socket.close()

    assert [teller.done for teller in tellers] == [TRANSACTIONS] * TELLERS
    assert set(said) == set(users)
    assert all(each.returns for each in followers)
    for user, each in listening:
        assert sorted(each.heard) == sorted(said[user])
