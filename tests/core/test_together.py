"""Many writes as one: they stand or fall together, and what they share is asked once."""

from contextlib import suppress
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from core.crud import create
from core.errors import DomainError
from core.together import UndoneError, gather, is_together, once, together
from tests.testapp.models import Parent

pytestmark = pytest.mark.django_db


def test_nothing_is_a_savepoint_of_its_own_within_and_everything_is_afterwards(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2 + 3), together():  # the savepoint of the block, and the rows
        for number in range(3):
            create(Parent, {"code": str(number), "name": "x"})

    with django_assert_num_queries(2 + 1):
        create(Parent, {"code": "after", "name": "x"})
    with suppress(IntegrityError), transaction.atomic():
        Parent.objects.create(code="after", name="x")
    assert Parent.objects.count() == 4


def made_passing_over_refusals(*codes: str) -> None:
    """Create rows together, and go on after each that is refused."""
    with together():
        for code in codes:
            with suppress(DomainError):
                create(Parent, {"code": code, "name": "x"})


def made_and_lost(code: str) -> None:
    """Create a row in a block that fails."""
    with together(), transaction.atomic():
        create(Parent, {"code": code, "name": "x"})
        raise KeyError


def test_a_refusal_that_somebody_passes_over_undoes_the_block() -> None:
    with pytest.raises(UndoneError):
        made_passing_over_refusals("A", "x" * 21)

    assert not Parent.objects.exists()


def test_whoever_goes_on_after_an_error_of_the_database_is_stopped() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        made_passing_over_refusals("A", "A", "B")

    assert not Parent.objects.exists()


def test_an_error_leaves_the_transaction_around_the_block_in_order() -> None:
    create(Parent, {"code": "A", "name": "x"})

    with pytest.raises(KeyError):
        made_and_lost("B")

    assert not is_together()
    assert list(Parent.objects.values_list("code", flat=True)) == ["A"]


def test_what_is_asked_is_remembered_within_and_no_longer() -> None:
    asked: list[int] = []

    def ask() -> int:
        asked.append(1)
        return len(asked)

    with together():
        assert [once("it", ask), once("it", ask), once("that", ask)] == [1, 1, 2]
    assert [once("it", ask), once("it", ask)] == [3, 4]


def test_what_is_gathered_is_done_at_the_end_and_outside_at_once() -> None:
    done: list[Any] = []

    with together(last=lambda: done.append("last")):
        gather(done.append, 1)
        gather(done.append, 2)
        assert done == []
    gather(done.append, 3)

    assert done == [[1, 2], "last", [3]]


def test_hooks_of_the_commit_are_kept_with_the_block_and_lost_with_it(
    django_capture_on_commit_callbacks: Any,
) -> None:
    done: list[str] = []

    def lost() -> None:
        with together(), transaction.atomic():
            transaction.on_commit(lambda: done.append("lost"))
            raise KeyError

    with django_capture_on_commit_callbacks(execute=True):
        with together(), transaction.atomic():
            transaction.on_commit(lambda: done.append("kept"))
        with pytest.raises(KeyError):
            lost()

    assert done == ["kept"]
    assert connection.features.uses_savepoints
