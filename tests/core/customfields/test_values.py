"""What becomes of custom values when a record is written, and how they are shown."""

from decimal import Decimal

import pytest

from core import crud, customfields
from core.customfields import errors, services
from core.errors import InvalidError, ViolationsError
from core.models import CustomFieldType
from tests.core.customfields.factories import ACTOR, CustomFieldFactory, change_item, choices, make_item
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db


def refusals(raised: pytest.ExceptionInfo) -> set[tuple[str, str]]:
    return {(violation.field, violation.error_code) for violation in raised.value.violations}


class TestCreating:
    def test_keeps_canonical_values_under_the_names(self):
        CustomFieldFactory(name="score", field_type=CustomFieldType.NUMBER)
        CustomFieldFactory(name="languages", field_type=CustomFieldType.MULTISELECT, choices=choices("en", "hi"))

        item = make_item(score="3.50", languages=["hi", "en"])

        item.refresh_from_db()
        assert item.custom_data == {"score": Decimal("3.5"), "languages": ["en", "hi"]}

    def test_applies_the_default_where_nothing_was_said(self):
        CustomFieldFactory(name="shift", default_value="morning")

        assert make_item().custom_data == {"shift": "morning"}
        assert make_item(shift="evening").custom_data == {"shift": "evening"}

    def test_an_explicit_null_is_no_value_even_where_there_is_a_default(self):
        CustomFieldFactory(name="shift", default_value="morning")

        assert make_item(shift=None).custom_data == {}

    def test_refuses_everything_that_is_wrong_at_once_and_writes_nothing(self):
        CustomFieldFactory(name="shift", required=True)
        CustomFieldFactory(name="score", field_type=CustomFieldType.NUMBER)
        CustomFieldFactory(name="old", is_active=False, archived_at="2026-01-01T00:00:00Z")

        with pytest.raises(ViolationsError) as raised:
            make_item(score="many", old="x", nobody="x", **{"no slug": "x"})

        assert refusals(raised) == {
            ("custom_fields.shift", "required"),
            ("custom_fields.score", "invalid_format"),
            ("custom_fields.old", "custom_field_archived"),
            ("custom_fields.nobody", "unknown_custom_field"),
            ("custom_fields", "unknown_custom_field"),
        }
        assert not Item.objects.exists()

    @pytest.mark.parametrize("values", [[], "text", 3, [["a", 1]]])
    def test_refuses_what_is_no_object(self, values):
        with pytest.raises(errors.WrongTypeError):
            customfields.validated(Item, values, existing={}, instance_id=None, partial=False)

    @pytest.mark.parametrize("name", ["", "a__gte", "A", "\x00", "\ud800", "x" * 64, 1, None])
    def test_does_not_repeat_a_name_that_is_none(self, name):
        with pytest.raises(errors.UnknownCustomFieldError) as raised:
            customfields.validated(Item, {name: 1}, existing={}, instance_id=None, partial=False)

        assert refusals(raised) == {("custom_fields", "unknown_custom_field")}

    def test_a_definition_of_another_kind_of_record_is_unknown(self):
        CustomFieldFactory(name="shift", entity_type="students.student")

        with pytest.raises(errors.UnknownCustomFieldError):
            make_item(shift="x")


class TestChanging:
    def test_leaves_what_is_not_named(self):
        CustomFieldFactory(name="first")
        CustomFieldFactory(name="second")
        item = make_item(first="1", second="2")

        change_item(item, second="3")

        assert Item.objects.get().custom_data == {"first": "1", "second": "3"}

    @pytest.mark.parametrize("empty", [None, ""])
    def test_an_empty_value_removes_the_key(self, empty):
        CustomFieldFactory(name="first")
        item = make_item(first="1")

        change_item(item, first=empty)

        assert Item.objects.get().custom_data == {}

    def test_a_required_field_cannot_be_emptied(self):
        CustomFieldFactory(name="first", required=True)
        item = make_item(first="1")

        with pytest.raises(errors.RequiredError):
            change_item(item, first=None)

        assert Item.objects.get().custom_data == {"first": "1"}

    def test_a_field_that_became_required_binds_only_those_who_write_it(self):
        field = CustomFieldFactory(name="first")
        item = make_item()
        services.update_custom_field(field, by=ACTOR, required=True)

        crud.update(item, {"name": "renamed", "custom_fields": {}})

        assert Item.objects.get().name == "renamed"

    def test_an_archived_field_keeps_what_is_stored(self):
        field = CustomFieldFactory(name="first")
        item = make_item(first="1")
        CustomFieldFactory(name="second")
        services.update_custom_field(field, by=ACTOR, is_active=False)

        change_item(item, second="2")

        assert Item.objects.get().custom_data == {"first": "1", "second": "2"}

    def test_a_stored_value_may_be_sent_back_after_the_rules_became_stricter(self):
        field = CustomFieldFactory(name="blood", field_type=CustomFieldType.SELECT, choices=choices("a", "b"))
        item = make_item(blood="a")
        services.update_custom_field(field, by=ACTOR, choices=["b"])

        change_item(item, blood="a")

        with pytest.raises(errors.InvalidChoiceError):
            make_item(blood="a")

    def test_the_same_values_again_are_no_change(self):
        CustomFieldFactory(name="score", field_type=CustomFieldType.NUMBER)
        item = make_item(score="3.50")

        change_item(item, score=3.5)

        assert Item.objects.get().version == 1


class TestShowing:
    def test_shows_every_active_field_in_order_and_numbers_as_texts(self):
        CustomFieldFactory(name="late", order=2, field_type=CustomFieldType.NUMBER)
        CustomFieldFactory(name="early", order=1)
        CustomFieldFactory(name="gone", is_active=False, archived_at="2026-01-01T00:00:00Z")

        shown = customfields.represent(Item, {"late": Decimal("3.5"), "gone": "x", "stranger": "y"})

        assert list(shown.items()) == [("early", None), ("late", "3.5")]


class TestCost:
    def test_writing_reads_the_definitions_once(self, django_assert_num_queries):
        for number in range(5):
            CustomFieldFactory(name=f"field_{number}", default_value="x")

        with django_assert_num_queries(2):  # the lock and the definitions
            customfields.validated(Item, {"field_0": "y"}, existing={}, instance_id=None, partial=False)

    def test_given_definitions_cost_nothing(self, django_assert_num_queries):
        CustomFieldFactory(name="first")
        definitions = customfields.definitions_of(Item)

        with django_assert_num_queries(0):
            customfields.validated(
                Item, {"first": "y"}, existing={}, instance_id=None, partial=False, definitions=definitions
            )


def test_every_refusal_of_a_value_has_a_code_of_its_own():
    own = [error for error in vars(errors).values() if getattr(error, "__module__", "") == errors.__name__]

    codes = [error.code for error in own]

    assert len(codes) == len(set(codes))
    assert InvalidError.code not in codes
