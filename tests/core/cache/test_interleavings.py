"""What is kept is never older than what was acknowledged, in whatever order a writer and whoever fills a cache come."""

from itertools import combinations

import pytest
from django.conf import settings
from django.db import connection

from core.cache.answers import Answer, Answers
from core.cache.generations import generations
from core.cache.keeper import GenerationKeeper
from core.ids import new_id
from core.models import Touch
from tests.core.cache.test_generations import elsewhere
from tests.testapp.models import Parent

pytestmark = pytest.mark.django_db(transaction=True)
READERS_STEPS, WRITERS_STEPS = 3, 2
# Which of all steps are the writer's.
ORDERS = list(combinations(range(READERS_STEPS + WRITERS_STEPS), WRITERS_STEPS))


class Race:
    """A row of version 0, a writer of version 1, and a reader: each goes on when told to."""

    def __init__(self, keeper: GenerationKeeper, *, writer_dies: bool) -> None:
        self.answers = Answers(settings.REDIS_URL, prefix=f"test-{new_id()}")
        self.acknowledged = 0
        self.keeper, self.writer_dies = keeper, writer_dies
        self.reading, self.writing = self.reader(), self.writer()
        Parent.objects.update(name="0")

    def key(self) -> bytes:
        return repr(generations().read(["parents"])).encode()

    def stored(self) -> bytes:
        return Parent.objects.values_list("name", flat=True).get().encode()

    def reader(self):
        key = self.key()
        yield
        body = self.stored()
        yield
        self.answers.add(key, Answer("", body))
        yield

    def writer(self):
        """Commit in a session that nobody follows, and raise later: by itself, or by the keeper that finds it."""
        commit = str(new_id())
        elsewhere("UPDATE testapp_parent SET name = '1'")
        Touch.objects.filter(commit=None).update(commit=commit)
        yield
        if self.writer_dies:
            assert self.keeper.tick()
        else:
            with connection.cursor() as cursor:
                cursor.execute("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")
                generations().raise_to(cursor.fetchone()[0], ["parents"], commit=commit)
        self.acknowledged = 1
        yield

    def told(self, *, near: bool) -> int:
        """Return what somebody is told who asks now."""
        key = self.key()
        answer = self.answers.near(key) if near else self.answers.far(key)
        return int(answer.body if answer is not None else self.stored())


@pytest.mark.parametrize("writer_dies", [False, True], ids=["the writer raises", "the keeper raises"])
def test_nobody_finds_what_was_read_before_a_write_that_was_acknowledged(writer_dies):
    Parent.objects.create(code="P", name="0")
    keeper = GenerationKeeper(generations(), lease_seconds=600)
    assert keeper.tick()

    for order in ORDERS:
        race = Race(keeper, writer_dies=writer_dies)
        for step in range(READERS_STEPS + WRITERS_STEPS):
            next(race.writing if step in order else race.reading)

            assert race.told(near=False) >= race.acknowledged, (order, step)
            assert race.told(near=True) >= race.acknowledged, (order, step)
