"""Values that no two records may share, whoever writes at the same time."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction

from core import crud, customfields
from core.customfields import locks, services
from core.customfields.errors import CustomValueTakenError, DuplicateValuesError
from core.customfields.unique import apply_unique_many
from core.errors import DomainError, ViolationsError
from core.models import CustomField, CustomFieldType, UniqueCustomValue
from tests.core.customfields.factories import ACTOR, CustomFieldFactory, change_item, make_item
from tests.testapp.models import Item


@pytest.mark.django_db
class TestUniqueValues:
    def test_a_value_in_use_is_refused_together_with_everything_else(self):
        CustomFieldFactory(name="badge", unique_values=True)
        CustomFieldFactory(name="score", field_type=CustomFieldType.NUMBER)
        make_item(badge="7")

        with pytest.raises(ViolationsError) as raised:
            make_item(badge="7", score="x")

        assert [(violation.field, violation.error_code) for violation in raised.value.violations] == [
            ("custom_fields.score", "invalid_format"),
            ("custom_fields.badge", "custom_value_taken"),
        ]

    def test_equal_numbers_are_the_same_value_however_they_are_written(self):
        CustomFieldFactory(name="badge", field_type=CustomFieldType.NUMBER, unique_values=True)
        make_item(badge="7.0")

        with pytest.raises(CustomValueTakenError):
            make_item(badge=7)

    def test_a_record_may_keep_its_own_value(self):
        CustomFieldFactory(name="badge", unique_values=True)
        item = make_item(badge="7")

        change_item(item, badge="7")

        assert UniqueCustomValue.objects.count() == 1

    def test_a_value_given_up_is_free(self):
        CustomFieldFactory(name="badge", unique_values=True)
        item = make_item(badge="7")

        change_item(item, badge="8")
        make_item(badge="7")
        change_item(item, badge=None)
        make_item(badge="8")

        assert UniqueCustomValue.objects.count() == 2

    def test_the_value_of_a_deleted_record_is_free_and_forgotten(self):
        CustomFieldFactory(name="badge", unique_values=True)

        crud.delete(make_item(badge="7"))

        assert not UniqueCustomValue.objects.exists()
        make_item(badge="7")

    def test_the_value_of_a_record_deleted_behind_our_back_is_free(self):
        CustomFieldFactory(name="badge", unique_values=True)
        make_item(badge="7")
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM testapp_item")

        make_item(badge="7")

        assert UniqueCustomValue.objects.count() == 1

    def test_fields_and_kinds_of_records_do_not_share_values(self):
        CustomFieldFactory(name="badge", unique_values=True)
        CustomFieldFactory(name="locker", unique_values=True)

        make_item(badge="7", locker="7")

        assert UniqueCustomValue.objects.count() == 2

    def test_many_records_are_recorded_with_a_fixed_number_of_queries(self, django_assert_num_queries):
        CustomFieldFactory(name="badge", unique_values=True)
        definitions = customfields.definitions_of(Item)
        items = Item.objects.bulk_create(Item(name=str(n), custom_data={"badge": str(n)}) for n in range(50))

        with django_assert_num_queries(3):
            apply_unique_many(Item, {item.pk: item.custom_data for item in items}, definitions)

        assert UniqueCustomValue.objects.count() == 50

    def test_among_many_records_the_second_of_two_equal_values_is_refused(self):
        CustomFieldFactory(name="badge", unique_values=True)
        items = Item.objects.bulk_create(Item(name=str(n), custom_data={"badge": "7"}) for n in range(2))

        with pytest.raises(CustomValueTakenError) as raised:
            apply_unique_many(Item, {item.pk: item.custom_data for item in items})

        assert raised.value.meta["id"] in {str(item.pk) for item in items}


@pytest.mark.django_db
class TestMakingValuesUnique:
    def test_what_is_unique_already_is_kept_so(self):
        field = CustomFieldFactory(name="badge")
        make_item(badge="7")
        make_item(badge="8")
        make_item()

        services.update_custom_field(field, by=ACTOR, unique_values=True)

        with pytest.raises(CustomValueTakenError):
            make_item(badge="7")

    def test_duplicates_are_named_and_nothing_is_changed(self):
        field = CustomFieldFactory(name="badge")
        for badge in ("7", "7", "8", "7"):
            make_item(badge=badge)

        with pytest.raises(DuplicateValuesError) as raised:
            services.update_custom_field(field, by=ACTOR, unique_values=True)

        field.refresh_from_db()
        assert raised.value.meta == {"duplicates": ["7"]}
        assert not field.unique_values
        assert not UniqueCustomValue.objects.exists()

    def test_values_that_need_not_be_unique_any_more_may_be_shared(self):
        field = CustomFieldFactory(name="badge", unique_values=True)
        make_item(badge="7")

        services.update_custom_field(field, by=ACTOR, unique_values=False)

        make_item(badge="7")
        assert not UniqueCustomValue.objects.exists()


def in_threads(count: int, act: Any) -> list[str]:
    """Run `act(number)` in threads that start together; return "ok" or the code of each refusal."""
    barrier = Barrier(count)

    def run(number: int) -> str:
        try:
            barrier.wait()
            act(number)
        except DomainError as error:
            return error.error_code
        finally:
            connection.close()
        return "ok"

    with ThreadPoolExecutor(count) as pool:
        return sorted(pool.map(run, range(count)))


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_one_of_many_writers_of_a_value_gets_it(self):
        CustomFieldFactory(name="badge", unique_values=True)

        results = in_threads(6, lambda number: make_item(str(number), badge="7"))

        assert results == ["custom_value_taken"] * 5 + ["ok"]
        assert Item.objects.count() == 1

    def test_writers_of_the_same_values_in_opposite_order_do_not_wait_for_each_other(self):
        CustomFieldFactory(name="badge", unique_values=True)
        rows = [Item.objects.bulk_create(Item(name=f"{w}-{n}") for n in range(50)) for w in range(2)]

        def write(writer: int) -> None:
            numbers = range(50) if writer else reversed(range(50))
            values = {item.pk: {"badge": str(number)} for item, number in zip(rows[writer], numbers, strict=True)}
            with transaction.atomic():
                apply_unique_many(Item, values)

        assert in_threads(2, write) == ["custom_value_taken", "ok"]

    def test_a_writer_is_refused_while_a_field_is_being_renamed_and_loses_nothing(self):
        field = CustomFieldFactory(name="badge")
        item = make_item(badge="7")
        barrier = Barrier(2)

        def write(number: int) -> None:
            if number:
                with transaction.atomic():
                    services.update_custom_field(field, by=ACTOR, name="label")
                    barrier.wait()  # renamed, not yet committed
                    barrier.wait()
            else:
                barrier.wait()
                try:
                    change_item(Item.objects.get(pk=item.pk), badge="8")
                finally:
                    barrier.wait()

        assert in_threads(2, write) == ["custom_fields_changing", "ok"]
        assert Item.objects.get().custom_data == {"label": "7"}

    def test_a_record_read_before_a_rename_cannot_be_written_after_it(self):
        field = CustomFieldFactory(name="badge")
        item = make_item(badge="7")
        services.update_custom_field(CustomField.objects.get(pk=field.pk), by=ACTOR, name="label")

        with pytest.raises(crud.EditConflictError):
            change_item(item, label="8")

        assert Item.objects.get().custom_data == {"label": "7"}

    def test_a_definition_is_not_deleted_from_under_a_writer(self):
        field = CustomFieldFactory(name="badge")
        barrier = Barrier(2)

        def act(number: int) -> None:
            if number:
                with transaction.atomic():
                    make_item(badge="7")
                    barrier.wait()  # written, not yet committed
            else:
                barrier.wait()
                services.delete_custom_field(field, by=ACTOR)

        assert in_threads(2, act) == ["in_use", "ok"]
        assert CustomField.objects.exists()

    def test_a_change_of_definitions_does_not_wait_for_ever(self, monkeypatch):
        monkeypatch.setattr(locks, "PATIENCE", 50)
        field = CustomFieldFactory(name="badge")
        barrier = Barrier(2)

        def act(number: int) -> None:
            if number:
                with transaction.atomic():
                    make_item(badge="7")
                    barrier.wait()
                    barrier.wait()
            else:
                barrier.wait()
                try:
                    services.update_custom_field(field, by=ACTOR, name="label")
                finally:
                    barrier.wait()

        assert in_threads(2, act) == ["custom_fields_changing", "ok"]
        assert CustomField.objects.get().name == "badge"
