"""What the database itself refuses, and with which code."""

import pytest

from core.db.constraints import refusing
from core.errors import DomainError
from core.ids import new_id
from core.models import UniqueCustomValue
from tests.core.customfields.factories import CustomFieldFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"name": "Blood"}, "invalid_name"),
        ({"name": "a__b"}, "invalid_name"),
        ({"name": "a\n"}, "invalid_name"),
        ({"field_type": "color"}, "invalid_choice"),
        ({"field_type": "select"}, "choices_required"),
        ({"field_type": "multiselect"}, "choices_required"),
        ({"min_value": 2, "max_value": 1}, "bounds_reversed"),
        ({"min_date": "2024-01-02", "max_date": "2024-01-01"}, "bounds_reversed"),
        ({"is_active": False}, "invalid"),
        ({"archived_at": "2024-01-01T00:00:00Z"}, "invalid"),
    ],
)
def test_a_definition_that_makes_no_sense_cannot_be_stored(values, code):
    with pytest.raises(DomainError) as raised, refusing():
        CustomFieldFactory(**values)

    assert raised.value.error_code == code


def test_a_name_is_stored_once_for_each_kind_of_record():
    CustomFieldFactory(name="blood")
    CustomFieldFactory(name="blood", entity_type="students.student")

    with pytest.raises(DomainError) as raised, refusing():
        CustomFieldFactory(name="blood")

    assert raised.value.error_code == "custom_field_name_taken"


def test_a_unique_value_is_stored_once():
    field = CustomFieldFactory(unique_values=True)
    UniqueCustomValue.objects.create(field=field, object_id=new_id(), digest=b"x")

    with pytest.raises(DomainError) as raised, refusing():
        UniqueCustomValue.objects.create(field=field, object_id=new_id(), digest=b"x")

    assert raised.value.error_code == "custom_value_taken"


def test_a_record_is_stored_with_one_value_of_a_field():
    field, record_id = CustomFieldFactory(unique_values=True), new_id()
    UniqueCustomValue.objects.create(field=field, object_id=record_id, digest=b"x")

    with pytest.raises(DomainError) as raised, refusing():
        UniqueCustomValue.objects.create(field=field, object_id=record_id, digest=b"y")

    assert raised.value.error_code == "conflict"
