"""Parts of a table: the tag of a row moves with its bucket alone, and what is set apart from columns not with them."""

import uuid
from decimal import Decimal

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from redis import Redis

from core.cache.generations import generations
from core.cache.keeper import GenerationKeeper
from core.cache.tags import MOST_PARTS, gathered, parts_of_row
from tests.testapp.models import Item, Parent

pytestmark = pytest.mark.django_db(transaction=True)

PARENT, APART = "testapp.parent", "testapp.item-rank"


@pytest.fixture(autouse=True)
def keeper():
    """Let readers trust the generations for longer than the test."""
    keeper = GenerationKeeper(generations(), lease_seconds=600)
    assert keeper.tick()
    return keeper


def parent(number):
    """Make a parent whose key ends in a number."""
    pk = uuid.UUID(f"{str(uuid.uuid4())[:-3]}{number:03x}")
    return Parent.objects.create(pk=pk, code=f"P{number}", name="Physics")


@pytest.fixture
def one():
    return parent(1)


@pytest.fixture
def other():
    return parent(2)


def made(row):
    """Return what an answer that shows one row is kept under."""
    return generations().read(parts_of_row(PARENT, row.pk))


class TestOneRow:
    @pytest.mark.parametrize(
        "write",
        [
            lambda row: row.save(),
            lambda row: row.delete(),
            lambda row: Parent.objects.filter(pk=row.pk).update(name="Other"),
            lambda row: Parent.objects.filter(code=row.code).update(name=F("code")),
            lambda row: Parent.objects.bulk_update([row], ["name"]),
            lambda row: raw("UPDATE testapp_parent SET name = 'x' WHERE code = %s", row.code),
            lambda row: raw("DELETE FROM testapp_parent WHERE code = %s", row.code),
        ],
        ids=["save", "delete", "update", "update by another column", "bulk update", "raw", "raw delete"],
    )
    def test_moves_when_it_is_written_and_another_does_not(self, one, other, write):
        before, before_other, before_all = made(one), made(other), generations().read([PARENT])

        write(one)

        assert made(one) != before
        assert made(other) == before_other
        assert generations().read([PARENT]) != before_all

    def test_moves_when_it_is_made_again(self, one):
        pk = one.pk
        one.delete()
        before = made(Parent(pk=pk))

        Parent.objects.bulk_create([Parent(pk=pk, code="P1", name="Again")])

        assert made(Parent(pk=pk)) != before

    @pytest.mark.parametrize("number", [150, 1500])
    def test_moves_with_all_rows_when_many_are_written(self, one, number):
        Parent.objects.bulk_create(Parent(code=f"M{n}", name="x") for n in range(number))
        before = made(one)

        Parent.objects.exclude(pk=one.pk).update(name="y")

        assert made(one) != before

    def test_moves_with_all_rows_when_many_are_written_one_by_one_in_a_transaction(self, one):
        rows = [parent(number) for number in range(0x100, 0x101 + MOST_PARTS)]
        before = made(one)

        with transaction.atomic():
            for row in rows:
                row.save()

        assert made(one) != before

    def test_moves_when_the_keeper_raises_what_its_writer_did_not(self, one, other, keeper, monkeypatch):
        before, before_other = made(one), made(other)
        monkeypatch.setattr("core.cache.commits.Raise.__call__", lambda self: None)
        Parent.objects.filter(pk=one.pk).update(name="Other")

        assert keeper.tick()

        assert made(one) != before
        assert made(other) == before_other


def test_there_are_few_parts_that_redis_may_not_forget(one, other):
    """So that an old answer never comes again under a generation that was forgotten."""
    one.save()

    with Redis.from_url(settings.REDIS_URL) as redis:
        keys = list(redis.scan_iter(f"{settings.GENERATIONS_PREFIX}:tag:{PARENT}:*"))
        assert {redis.ttl(key) for key in keys} == {-1}
    assert parts_of_row(PARENT, one.pk) == (f"{PARENT}:*", f"{PARENT}:001")


def test_what_redis_has_forgotten_is_not_the_present_any_more(one, keeper):
    before = made(one)
    with Redis.from_url(settings.REDIS_URL) as redis:
        for key in redis.scan_iter(f"{settings.GENERATIONS_PREFIX}:*"):
            redis.delete(key)

    assert made(one) is None
    assert keeper.tick()
    assert made(one) not in {None, before}


def test_many_parts_of_one_tag_are_told_of_as_all_of_them():
    few = [f"a.b:{number:03x}" for number in range(MOST_PARTS)]

    assert gathered([*few, "a.b", "c:1"]) == sorted([*few, "a.b", "c:1"])
    assert gathered([*few, "a.b:fff", "a.b", "c:1"]) == ["a.b", "a.b:*", "c:1"]


class TestApartFromColumns:
    @pytest.fixture
    def item(self):
        return Item.objects.create(name="Desk", amount=Decimal("3.50"), rank=1, custom_data={})

    def test_it_does_not_move_while_nothing_else_changes(self, item):
        before, before_all = generations().read([APART]), generations().read(["testapp.item"])

        item.rank = 2
        item.save()
        Item.objects.update(rank=F("rank") + 1)

        assert generations().read([APART]) == before
        assert generations().read(["testapp.item"]) != before_all

    @pytest.mark.parametrize(
        "write",
        [
            lambda item: Item.objects.update(rank=5, name="Chair"),
            lambda item: Item.objects.filter(pk=item.pk).update(custom_data={"a": None}),
            lambda item: raw("""UPDATE testapp_item SET custom_data = '{"score": 3.50}', rank = 7"""),
            lambda item: Item.objects.create(name="Chair"),
            lambda item: item.delete(),
            lambda item: Item.objects.bulk_create(Item(name="Chair", rank=n) for n in range(1500)),
        ],
    )
    def test_it_moves_when_anything_else_does(self, item, write):
        Item.objects.filter(pk=item.pk).update(custom_data={"score": 3.5})
        before = generations().read([APART])

        write(item)

        assert generations().read([APART]) != before

    def test_it_moves_when_rows_change_places(self, item):
        chair = Item.objects.create(name="Chair")
        before = generations().read([APART])

        raw("UPDATE testapp_item SET name = CASE id WHEN %s THEN 'Desk' ELSE 'Chair' END", chair.pk)

        assert generations().read([APART]) != before


def raw(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
