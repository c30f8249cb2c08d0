"""The search for values in the clear reads what is there in full, however it is written."""

import pytest
from django.conf import settings
from psycopg.types.json import Jsonb
from redis import Redis

from core.cache.answers import Answer
from tests.security.traces import FIRST, cached, kept_files, spelled, traces_in


@pytest.mark.parametrize(
    "parameters",
    [
        [Jsonb({"long": "x" * 100, "value": FIRST})],
        {"rows": [("a", memoryview(FIRST.encode()))]},
        (FIRST.encode(),),
        [[1, [FIRST]]],
    ],
)
def test_parameters_of_statements(parameters):
    assert traces_in(spelled(parameters).encode())


@pytest.mark.parametrize("body", [FIRST, FIRST + "x" * 5000])
def test_what_redis_holds(body):
    key = f"{settings.CACHES['default']['KEY_PREFIX']}:probe"
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.set(key, Answer("tag", body.encode()).packed())
        found = cached()
        redis.delete(key)

    assert key.encode() in found
    assert traces_in(found)


def test_files_and_their_names(tmp_path):
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "named.txt").write_text(FIRST)

    assert traces_in(kept_files(tmp_path))
    assert b"named.txt" in kept_files(tmp_path)
