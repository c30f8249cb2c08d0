"""An edge that hears of every move late: what is written through it is exact all the same.

On one host the feed is quicker than a writer's next question, so that nobody would notice if the edge did not hear what
the writer's own answer tells it.
"""

from collections.abc import Iterator

import pytest

from departments.models import Campus
from tests.edge.conftest import CAMPUSES, product
from tests.edge.running import Stack
from tests.edge.test_edge import names, rename
from tests.local.conftest import eventually

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("nginx", "libnginx-mod-http-lua"),
    pytest.mark.django_db(transaction=True),
]
# Less than a lease lasts, and more than a question takes.
LATE_SECONDS = 0.4


@pytest.fixture(scope="module")
def stack(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Provide the running product, with a feed that is late."""
    with product(tmp_path_factory.mktemp("late"), late=LATE_SECONDS) as stack:
        yield stack


def test_whoever_writes_is_shown_it_at_once(stack: Stack, token: str, campus: Campus) -> None:
    told = []
    for number in range(4):
        assert eventually(lambda: stack.is_keeping(CAMPUSES, token))
        rename(stack, token, campus, f"North {number}")
        told += names(stack, token)

    assert told == [f"North {number}" for number in range(4)]


def test_whoever_logs_out_is_nobody_at_once(stack: Stack, token: str) -> None:
    assert eventually(lambda: stack.is_keeping(CAMPUSES, token))
    assert stack.ask("/api/v1/auth/logout/", token, method="POST", body={}).status in (200, 204)

    assert stack.ask(CAMPUSES, token).status == 401


def test_whoever_asks_for_the_exact_answer_is_given_it_whoever_wrote(stack: Stack, token: str, campus: Campus) -> None:
    rename(stack, token, campus, "Far North", past=True)

    assert [row["name"] for row in stack.ask(CAMPUSES, token, Cache_Control="no-cache").data] == ["Far North"]
    assert eventually(lambda: names(stack, token) == ["Far North"])
