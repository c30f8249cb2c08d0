"""Finding records by their custom values, and that an index does it."""

import json
from decimal import Decimal

import pytest
from django.db import connection

from core.customfields import filtered
from core.errors import InvalidError
from core.models import CustomFieldType
from tests.core.customfields.factories import CustomFieldFactory, choices
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db


@pytest.fixture
def _items():
    CustomFieldFactory(name="blood", field_type=CustomFieldType.SELECT, choices=choices("O+", "A+"))
    CustomFieldFactory(name="score", field_type=CustomFieldType.NUMBER, min_value=1)
    CustomFieldFactory(name="born", field_type=CustomFieldType.DATE)
    CustomFieldFactory(name="hostel", field_type=CustomFieldType.BOOLEAN)
    CustomFieldFactory(
        name="languages", field_type=CustomFieldType.MULTISELECT, choices=choices("en", "hi", "te", "a, b")
    )
    CustomFieldFactory(name="mail", field_type=CustomFieldType.EMAIL)
    CustomFieldFactory(name="gone", is_active=False, archived_at="2026-01-01T00:00:00Z")
    Item.objects.bulk_create(
        [
            Item(name="ada", custom_data={"blood": "O+", "score": Decimal("3.5"), "languages": ["en", "hi"]}),
            Item(name="bob", custom_data={"blood": "A+", "score": Decimal(10), "hostel": True, "born": "2004-02-29"}),
            Item(name="cy", custom_data={"score": "no number", "hostel": False, "mail": "cy@example.edu"}),
            Item(name="dee", custom_data={}),
        ]
    )


@pytest.mark.usefixtures("_items")
@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("blood", "O+", ["ada"]),
        ("score", "3.50", ["ada"]),
        ("score", "0", []),
        ("score__gte", "3.5", ["ada", "bob"]),
        ("score__gte", "4", ["bob"]),
        ("score__lte", "9.99", ["ada"]),
        ("born", "2004-02-29", ["bob"]),
        ("born__gte", "2004-01-01", ["bob"]),
        ("born__lte", "2004-01-01", []),
        ("hostel", "true", ["bob"]),
        ("hostel", "false", ["cy"]),
        ("languages", "hi", ["ada"]),
        ("languages", "hi,en", ["ada"]),
        ("languages", "hi,te", []),
        ("languages", "a, b", []),
        ("mail", "CY@example.EDU", ["cy"]),
    ],
)
def test_finds_the_rows_that_hold_the_value(name, value, found):
    rows = filtered(Item.objects.all(), name, value)

    assert sorted(row.name for row in rows) == found


@pytest.mark.checklist(43)
@pytest.mark.usefixtures("_items")
@pytest.mark.parametrize(
    ("name", "value", "field", "code"),
    [
        ("nobody", "x", "custom.nobody", "unknown_custom_field"),
        ("gone", "x", "custom.gone", "unknown_custom_field"),
        ("blood__gte", "O+", "custom.blood__gte", "unknown_custom_field"),
        ("score__regex", "x", "custom", "unknown_custom_field"),
        ("no slug", "x", "custom", "unknown_custom_field"),
        ('x" ? (1 == 1)', "x", "custom", "unknown_custom_field"),
        ("\x00", "x", "custom", "unknown_custom_field"),
        ("score", "many", "custom.score", "invalid_format"),
        ("score", "", "custom.score", "invalid_format"),
        ("blood", "Z", "custom.blood", "invalid_choice"),
        ("hostel", "perhaps", "custom.hostel", "wrong_type"),
        ("mail", "\x00", "custom.mail", "invalid_text"),
        ("born__gte", "2004-02-30", "custom.born__gte", "invalid_format"),
    ],
)
def test_refuses_what_it_cannot_look_for(name, value, field, code):
    with pytest.raises(InvalidError) as raised:
        filtered(Item.objects.all(), name, value)

    assert (raised.value.field, raised.value.error_code) == (field, code)


def test_an_index_finds_the_rows():
    definition = CustomFieldFactory(name="blood")
    Item.objects.bulk_create(Item(name=str(n), custom_data={"blood": f"type {n}"}) for n in range(2000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE testapp_item")

    plan = filtered(Item.objects.all(), "blood", "type 7", [definition]).explain(format="json")

    assert "testapp_item_custom_data" in json.dumps(json.loads(plan))


def test_given_definitions_cost_nothing(django_assert_num_queries):
    definition = CustomFieldFactory(name="blood")

    with django_assert_num_queries(1):
        list(filtered(Item.objects.all(), "blood", "x", [definition]))
