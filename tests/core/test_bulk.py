"""Many rows at once: by the rules of single ones, each refused for itself, and brought back exactly."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from core import bulk, snapshots
from core.crud import create
from core.customfields.services import create_custom_field
from core.db.copying import copy_in, copy_values
from core.errors import DomainError, InUseError
from core.events import Event, publish_all
from core.ids import new_id
from core.models import OutboxEvent, UniqueCustomValue
from tests.testapp.models import Item, Parent

pytestmark = pytest.mark.django_db


def codes(results: list[Any]) -> list[str]:
    """Return the code of each refusal, "" for each row that went in."""
    return [result.error_code if isinstance(result, DomainError) else "" for result in results]


@pytest.fixture
def locker(registrar: Any) -> None:
    create_custom_field(
        by=registrar, entity_type="testapp.item", name="locker", label="Locker", field_type="text", unique_values=True
    )


# --- creating ---


def test_rows_go_in_together_at_a_cost_that_does_not_grow_with_them(django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(12):
        results = bulk.create(Parent, [{"code": f"P{n}", "name": "x"} for n in range(500)], by=None)

    assert Parent.objects.count() == 500
    assert {row.version for row in Parent.objects.all()} == {1}
    assert [row.code for row in results if isinstance(row, Parent)][:2] == ["P0", "P1"]


def test_a_row_that_breaks_a_rule_is_refused_and_the_others_go_in() -> None:
    results = bulk.create(
        Parent,
        [
            {"code": "P1", "name": "x"},
            {"code": "x" * 21, "name": "x"},
            {"code": "P3"},
            {"code": "P4", "name": "a\x00b"},
            {"code": "P5", "name": "x"},
        ],
        by=None,
    )

    assert codes(results) == ["", "max_length", "required", "invalid_text", ""]
    assert sorted(Parent.objects.values_list("code", flat=True)) == ["P1", "P5"]


def test_everything_that_is_wrong_with_a_row_is_said_at_once() -> None:
    (result,) = bulk.create(Item, [{"name": "x" * 201, "kind": "odd", "amount": Decimal("1.234")}], by=None)

    assert isinstance(result, DomainError)
    assert sorted((e.field, e.error_code) for e in result.violations) == [
        ("amount", "max_decimal_places"), ("kind", "invalid_choice"), ("name", "max_length"),
    ]  # fmt: skip


def test_what_the_database_alone_can_refuse_is_refused_row_by_row() -> None:
    create(Parent, {"code": "P2", "name": "x"})

    results = bulk.create(Parent, [{"code": code, "name": "x"} for code in ("P1", "P2", "P3", "P3")], by=None)

    assert codes(results) == ["", "code_taken", "", "code_taken"]
    assert Parent.objects.count() == 3


def test_a_reference_to_nothing_is_refused_before_the_commit() -> None:
    results = bulk.create(Item, [{"name": "one"}, {"name": "two", "parent_id": new_id()}], by=None)

    assert codes(results) == ["", "not_found"]


@pytest.mark.usefixtures("locker")
def test_custom_values_obey_their_definitions_and_stay_unique() -> None:
    rows = [{"name": "x", "custom_fields": {"locker": locker}} for locker in ("A", "B", "A", 7)]
    rows.append({"name": "x", "custom_fields": {"shoe": "8"}})

    results = bulk.create(Item, rows, by=None)

    assert codes(results) == ["", "", "custom_value_taken", "wrong_type", "unknown_custom_field"]
    assert UniqueCustomValue.objects.count() == 2


# --- changing ---


def test_changes_are_written_and_counted_once() -> None:
    rows = [create(Item, {"name": str(n)}) for n in range(3)]

    refused = bulk.change(
        [(rows[0], {"name": "a", "rank": 1}), (rows[1], {"rank": 2}), (rows[2], {"name": "2"})], by=None
    )

    assert refused == [None, None, None]
    assert list(Item.objects.order_by("name").values_list("name", "rank", "version")) == [
        ("1", 2, 2), ("2", None, 1), ("a", 1, 2),
    ]  # fmt: skip
    assert [row.version for row in rows] == [2, 2, 1]


def test_a_change_that_breaks_a_rule_is_refused_and_the_others_are_made() -> None:
    rows = [create(Parent, {"code": f"P{n}", "name": "x"}) for n in range(3)]

    refused = bulk.change([(rows[0], {"code": "P1"}), (rows[1], {"name": "y"}), (rows[2], {"code": ""})], by=None)

    assert [error.error_code if error else "" for error in refused] == ["code_taken", "", "blank"]
    assert sorted(Parent.objects.values_list("code", "name")) == [("P0", "x"), ("P1", "y"), ("P2", "x")]


@pytest.mark.usefixtures("locker")
def test_a_change_of_a_unique_value_gives_up_the_former_one() -> None:
    rows = [create(Item, {"name": str(n), "custom_fields": {"locker": str(n)}}) for n in range(2)]

    refused = bulk.change(
        [(rows[0], {"custom_fields": {"locker": "9"}}), (rows[1], {"custom_fields": {"locker": "9"}})], by=None
    )

    assert [error.error_code if error else "" for error in refused] == ["", "custom_value_taken"]
    assert bulk.change([(rows[1], {"custom_fields": {"locker": "0"}})], by=None) == [None]


def test_related_rows_stand_in_for_their_ids() -> None:
    parent, item = create(Parent, {"code": "P1", "name": "x"}), create(Item, {"name": "x"})

    given = bulk.with_related([(item, {"parent_id": parent.pk}), (item, {"parent_id": None})], parent=Parent)

    assert [values for _, values in given] == [{"parent": parent}, {"parent": None}]


# --- deleting ---


def test_rows_that_others_refer_to_are_not_deleted() -> None:
    used, unused = (create(Parent, {"code": code, "name": "x"}) for code in ("P1", "P2"))
    create(Item, {"name": "x", "parent": used})

    with pytest.raises(InUseError):
        bulk.delete(Parent, [used.pk, unused.pk])

    assert Parent.objects.count() == 2


@pytest.mark.usefixtures("locker")
def test_deleted_rows_give_up_their_unique_values() -> None:
    item = create(Item, {"name": "x", "custom_fields": {"locker": "A"}})

    bulk.delete(Item, [item.pk])

    assert not UniqueCustomValue.objects.exists()


# --- keeping and bringing back ---


def whole() -> list[str]:
    """Return every row of the two tables, column by column."""
    query = "SELECT to_jsonb(i)::text FROM testapp_item i UNION ALL SELECT to_jsonb(p)::text FROM testapp_parent p"
    with connection.cursor() as cursor:
        cursor.execute(f"{query} ORDER BY 1")
        return [row for (row,) in cursor.fetchall()]


@pytest.mark.usefixtures("locker")
def test_rows_are_brought_back_to_the_last_digit_deleted_or_changed() -> None:
    parent = create(Parent, {"code": "P1", "name": "x"})
    items = [
        create(
            Item,
            {"name": f"{n}", "parent": parent, "amount": Decimal("1234567890.12"), "custom_fields": {"locker": str(n)}},
        )
        for n in range(2)
    ]
    Item.objects.filter(pk=items[0].pk).update(custom_data={"exact": Decimal("12345678901234567890.0123456789")})
    before = whole()
    kept = snapshots.keep_whole(Item, [item.pk for item in items])
    Item.objects.filter(pk=items[0].pk).update(name="changed", version=F("version") + 1)
    bulk.delete(Item, [items[1].pk])

    snapshots.restore([single for of_one in kept.values() for single in of_one])

    assert whole() == before
    assert UniqueCustomValue.objects.count() == 2


def test_what_belongs_to_a_row_is_brought_back_and_what_came_since_goes() -> None:
    parent = create(Parent, {"code": "P1", "name": "x"})
    create(Item, {"name": "old", "parent": parent})
    before = whole()
    kept = snapshots.keep_owned(Item, "parent_id", [parent.pk])
    Item.objects.all().update(name="changed")
    create(Item, {"name": "new", "parent": parent})

    snapshots.restore(kept.values())

    assert whole() == before


def test_columns_left_out_stay_as_they_are() -> None:
    parent = create(Parent, {"code": "P1", "name": "x"})
    kept = snapshots.keep(Parent, [parent.pk], without=("name",))
    Parent.objects.all().update(code="P2", name="y")

    snapshots.restore(kept.values())

    assert list(Parent.objects.values_list("code", "name")) == [("P1", "y")]


def test_what_cannot_be_brought_back_any_more_is_refused() -> None:
    parent = create(Parent, {"code": "P1", "name": "x"})
    kept = snapshots.keep(Parent, [parent.pk])
    bulk.delete(Parent, [parent.pk])
    create(Parent, {"code": "P1", "name": "another"})

    with pytest.raises(DomainError) as refusal:
        snapshots.restore(kept.values())

    assert refusal.value.error_code == "code_taken"


# --- COPY, arrays, events ---


def test_copied_rows_are_rows_like_any_other() -> None:
    rows = [
        Item(name=f'tab\tquote"back\\slash\n{n}', amount=Decimal("0.10"), custom_data={"a": [1, None]})
        for n in range(2)
    ]

    copy_in(rows)

    found = Item.objects.order_by("name")
    assert [row.name for row in found] == [row.name for row in rows]
    assert {(row.amount, row.version, row.flag) for row in found} == {(Decimal("0.10"), 1, False)}
    assert all(row.created_at is not None for row in found)
    rows[0].name = "again"
    rows[0].save(update_fields=["name"])


def test_a_copied_row_that_is_refused_raises_what_an_insert_raises() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        copy_in([Parent(code="P1", name="x"), Parent(code="P1", name="y")])


def test_values_are_copied_into_their_columns() -> None:
    copy_values(Parent, ["id", "code", "name"], [(new_id(), "P1", "x")])

    assert Parent.objects.get().version == 1


def test_a_long_list_is_one_parameter(django_assert_num_queries: Any) -> None:
    items = [create(Item, {"name": str(n)}) for n in range(3)]

    with django_assert_num_queries(1) as queries:
        found = set(Item.objects.filter(pk__among=[item.pk for item in items[:2]], name__among=["0", "1", "2"]))

    assert found == set(items[:2])
    assert "ANY" in queries[0]["sql"]
    assert not Item.objects.filter(pk__among=[]).exists()
    assert not Item.objects.filter(parent_id__among=[new_id()]).exists()


def test_many_events_are_recorded_in_their_order() -> None:
    class Happened(Event):
        name = "testapp.happened"

    publish_all(Happened() for _ in range(3))

    assert list(OutboxEvent.objects.order_by("seq").values_list("name", "payload")) == [("testapp.happened", {})] * 3


@pytest.mark.django_db(transaction=True)
def test_events_are_published_within_a_transaction_only() -> None:
    with pytest.raises(RuntimeError):
        publish_all([])
