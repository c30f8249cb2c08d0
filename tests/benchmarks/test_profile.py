"""Where the time of a request goes is told by parts that somebody can do something about."""

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from benchmarks import profile

pytestmark = pytest.mark.django_db


def busy() -> int:
    return sum(number * number for number in range(20_000))


def test_what_the_standard_library_does_is_counted_with_whoever_called_it() -> None:
    found = []

    class Looks(json.JSONEncoder):
        def default(self, o: Any) -> str:
            found.append(profile.part_of(sys._getframe(1)))
            return ""

    json.dumps(object(), cls=Looks)

    assert found == ["tests/benchmarks"]
    assert profile.part_of(None) == "Python"


def test_the_database_layer_of_django_is_told_apart_from_the_rest() -> None:
    found = []

    def look(execute: Callable[..., Any], *arguments: Any) -> Any:
        found.append(profile.part_of(sys._getframe(2)))  # of the product's own look at each statement
        return execute(*arguments)

    with connection.execute_wrapper(look), connection.cursor() as cursor:
        cursor.execute("SELECT 1")

    assert found == ["django.db"]


def test_each_request_is_told_with_what_it_took_of_everybody() -> None:
    spent = iter([1.0, 3.0])

    found = profile.spent(busy, lambda: next(spent), lambda: 0.0, 50)

    assert found.process > 0
    assert (round(found.database, 6), found.redis) == (40.0, 0.0)
    assert found.parts["tests/benchmarks"] > found.parts.total() / 2
    assert "%  tests/benchmarks" in str(found)
