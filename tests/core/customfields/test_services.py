"""What may be defined, and what a change of a definition does to the stored values."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from core.customfields import errors, services
from core.errors import DomainError, InUseError, ViolationsError
from core.models import CustomField, CustomFieldType, UniqueCustomValue
from tests.core.customfields.factories import ACTOR, ITEM, CustomFieldFactory, change_item, make_item
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def create(**values):
    return services.create_custom_field(
        by=ACTOR, **{"entity_type": ITEM, "name": "field", "label": "Field", "field_type": "text", **values}
    )


def refusals(error: DomainError) -> set[tuple[str, str]]:
    return {(violation.field, violation.error_code) for violation in error.violations}


class TestCreating:
    @pytest.mark.parametrize("field_type", sorted(set(CustomFieldType.values) - {"select", "multiselect"}))
    def test_every_type_needs_no_more_than_a_name_and_a_label(self, field_type):
        create(field_type=field_type)

        assert CustomField.objects.get().field_type == field_type

    def test_choices_are_kept_as_values_with_labels(self):
        field = create(field_type="select", choices=["A+", {"value": "O-", "label": "O negative"}, {"value": "B"}])

        assert field.choices == [
            {"value": "A+", "label": "A+"},
            {"value": "O-", "label": "O negative"},
            {"value": "B", "label": "B"},
        ]

    def test_the_default_is_kept_in_canonical_form(self):
        field = create(field_type="number", default_value="1.50")

        field.refresh_from_db()
        assert field.default_value == Decimal("1.5")

    @pytest.mark.parametrize(
        ("values", "refused"),
        [
            ({"entity_type": "testapp.parent"}, {("entity_type", "unknown_entity_type")}),
            ({"entity_type": "Testapp.Item"}, {("entity_type", "unknown_entity_type")}),
            ({"name": "Blood"}, {("name", "invalid_name")}),
            ({"name": "a__gte"}, {("name", "invalid_name")}),
            ({"name": "a\n"}, {("name", "invalid_name")}),
            ({"field_type": "color"}, {("field_type", "invalid_choice")}),
            ({"field_type": "select"}, {("choices", "choices_required")}),
            ({"choices": ["a"]}, {("choices", "not_applicable")}),
            ({"field_type": "select", "choices": "a"}, {("choices", "invalid_choices")}),
            ({"field_type": "select", "choices": ["a", "a"]}, {("choices", "invalid_choices")}),
            ({"field_type": "select", "choices": [1]}, {("choices", "invalid_choices")}),
            ({"field_type": "select", "choices": ["\x00"]}, {("choices", "invalid_choices")}),
            ({"field_type": "select", "choices": [{"label": "a"}]}, {("choices", "invalid_choices")}),
            ({"field_type": "select", "choices": [{"value": "a", "hue": 1}]}, {("choices", "invalid_choices")}),
            ({"validation_regex": "("}, {("validation_regex", "invalid_regex")}),
            ({"validation_regex": "\ud800"}, {("validation_regex", "invalid_regex")}),
            ({"validation_regex": r"(a)\1"}, {("validation_regex", "invalid_regex")}),
            ({"validation_regex": "((a{100}){100}){100}"}, {("validation_regex", "invalid_regex")}),
            ({"field_type": "number", "validation_regex": "1"}, {("validation_regex", "not_applicable")}),
            ({"field_type": "date", "min_value": Decimal(1)}, {("min_value", "not_applicable")}),
            ({"min_date": date(2024, 1, 1)}, {("min_date", "not_applicable")}),
            ({"min_value": Decimal("1.5")}, {("min_value", "not_applicable")}),
            ({"min_value": Decimal(-1)}, {("min_value", "not_applicable")}),
            ({"min_value": Decimal(2), "max_value": Decimal(1)}, {("min_value", "bounds_reversed")}),
            (
                {"field_type": "date", "min_date": date(2024, 1, 2), "max_date": date(2024, 1, 1)},
                {("min_date", "bounds_reversed")},
            ),
            ({"field_type": "boolean", "unique_values": True}, {("unique_values", "not_applicable")}),
            ({"field_type": "boolean", "is_searchable": True}, {("is_searchable", "not_applicable")}),
            ({"unique_values": True, "default_value": "a"}, {("default_value", "not_applicable")}),
            ({"field_type": "file", "default_value": "a"}, {("default_value", "not_applicable")}),
            ({"field_type": "number", "default_value": "a"}, {("default_value", "invalid_format")}),
            ({"default_value": "ab", "max_value": Decimal(1)}, {("default_value", "above_maximum")}),
        ],
    )
    def test_refuses_a_definition_that_makes_no_sense(self, values, refused):
        with pytest.raises(DomainError) as raised:
            create(**values)

        assert refusals(raised.value) == refused
        assert not CustomField.objects.exists()

    def test_names_every_fault_at_once(self):
        with pytest.raises(ViolationsError) as raised:
            create(entity_type="nobody", name="No", validation_regex="(", min_value=Decimal(-1))

        assert refusals(raised.value) == {
            ("entity_type", "unknown_entity_type"),
            ("name", "invalid_name"),
            ("validation_regex", "invalid_regex"),
            ("min_value", "not_applicable"),
        }

    def test_a_name_is_taken_within_its_kind_of_record_alone(self):
        CustomFieldFactory(name="blood", entity_type="students.student")
        create(name="blood")

        with pytest.raises(DomainError) as raised:
            create(name="blood")

        assert refusals(raised.value) == {("", "custom_field_name_taken")}


class TestRenaming:
    def test_moves_the_values_and_counts_as_a_change_of_each_record(self, monkeypatch):
        monkeypatch.setattr(services, "BATCH", 2)
        field = CustomFieldFactory(name="old")
        CustomFieldFactory(name="other")
        holders = [make_item(str(number), old=str(number), other="x") for number in range(5)]
        stranger = make_item("stranger", other="y")

        services.update_custom_field(field, by=ACTOR, name="new")

        for number, item in enumerate(holders):
            item.refresh_from_db()
            assert item.custom_data == {"new": str(number), "other": "x"}
            assert item.version == 2
        stranger.refresh_from_db()
        assert (stranger.custom_data, stranger.version) == ({"other": "y"}, 1)

    def test_keeps_numbers_exact(self):
        field = CustomFieldFactory(name="old", field_type=CustomFieldType.NUMBER)
        make_item(old="12345678901234567890.0123456789")

        services.update_custom_field(field, by=ACTOR, name="new")

        assert Item.objects.get().custom_data == {"new": Decimal("12345678901234567890.0123456789")}

    def test_keeps_unique_values_unique(self):
        field = CustomFieldFactory(name="old", unique_values=True)
        make_item(old="7")

        services.update_custom_field(field, by=ACTOR, name="new")

        with pytest.raises(errors.CustomValueTakenError):
            make_item(new="7")

    def test_to_a_taken_name_is_refused_and_moves_nothing(self):
        field = CustomFieldFactory(name="old")
        CustomFieldFactory(name="new")
        make_item(old="7")

        with pytest.raises(DomainError, match="already has a custom field"):
            services.update_custom_field(field, by=ACTOR, name="new")

        assert Item.objects.get().custom_data == {"old": "7"}


class TestRetyping:
    def test_is_refused_while_a_record_holds_a_value(self):
        field = CustomFieldFactory(name="field")
        make_item(field="7")

        with pytest.raises(InUseError):
            services.update_custom_field(field, by=ACTOR, field_type="number")

        assert CustomField.objects.get().field_type == "text"

    def test_is_free_before_that(self):
        field = CustomFieldFactory(name="field")
        item = make_item(field="7")
        change_item(item, field=None)

        services.update_custom_field(field, by=ACTOR, field_type="number")

        assert make_item(field="7").custom_data == {"field": 7}


class TestOtherChanges:
    def test_the_kind_of_record_is_fixed(self):
        with pytest.raises(errors.ImmutableError):
            services.update_custom_field(CustomFieldFactory(), by=ACTOR, entity_type="students.student")

    def test_a_default_must_obey_the_rules_that_are_to_hold(self):
        field = CustomFieldFactory(default_value="abc")

        with pytest.raises(errors.AboveMaximumError):
            services.update_custom_field(field, by=ACTOR, max_value=Decimal(2))

        assert CustomField.objects.get().max_value is None

    def test_counts_its_version(self):
        field = CustomFieldFactory()

        services.update_custom_field(field, by=ACTOR, label="Another")

        assert CustomField.objects.get().version == 2


class TestArchiving:
    def test_keeps_the_values_and_says_when(self):
        field = CustomFieldFactory(name="field")
        make_item(field="7")

        before = timezone.now()
        services.update_custom_field(field, by=ACTOR, is_active=False)

        field.refresh_from_db()
        assert not field.is_active
        assert before <= field.archived_at <= timezone.now()
        assert Item.objects.get().custom_data == {"field": "7"}

    def test_twice_is_the_same_as_once(self):
        field = CustomFieldFactory(is_active=False, archived_at=NOON)

        services.update_custom_field(field, by=ACTOR, is_active=False)

        assert CustomField.objects.get().archived_at == NOON

    def test_a_restored_field_shows_its_values_again(self):
        field = CustomFieldFactory(is_active=False, archived_at=NOON)

        services.update_custom_field(field, by=ACTOR, is_active=True)

        assert CustomField.objects.get().archived_at is None


class TestDeleting:
    def test_is_refused_while_a_record_holds_a_value_even_when_archived(self):
        field = CustomFieldFactory(name="field")
        make_item(field="7")
        services.update_custom_field(field, by=ACTOR, is_active=False)

        with pytest.raises(InUseError):
            services.delete_custom_field(field, by=ACTOR)

        assert CustomField.objects.exists()

    def test_takes_an_unused_definition_away(self):
        field = CustomFieldFactory(name="field", unique_values=True)
        item = make_item(field="7")
        change_item(item, field=None)

        services.delete_custom_field(field, by=ACTOR)

        assert not CustomField.objects.exists()
        assert not UniqueCustomValue.objects.exists()

    def test_the_definition_of_records_that_no_longer_exist_can_go(self):
        field = CustomFieldFactory(entity_type="library.book")

        services.delete_custom_field(field, by=ACTOR)

        assert not CustomField.objects.exists()

    def test_looks_under_the_lock(self):
        field = CustomFieldFactory(name="field")
        statements = []

        with connection.execute_wrapper(lambda execute, sql, *rest: (statements.append(sql), execute(sql, *rest))[1]):
            services.delete_custom_field(field, by=ACTOR)

        locked = next(place for place, sql in enumerate(statements) if "pg_advisory_xact_lock" in sql)
        looked = next(place for place, sql in enumerate(statements) if "testapp_item" in sql)
        assert locked < looked
