"""Values on their way into tables: what is not looked at is what a field would have handed on unchanged."""

from datetime import date, time
from types import NoneType
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection

from campushub360.demo.rows import AS_THEY_ARE, taken_as_they_are

SAMPLES = {
    UUID: UUID(int=7),
    str: " Zoë\t",
    bool: True,
    int: 5,
    date: date(2026, 3, 1),
    time: time(9, 30),
    NoneType: None,
}
FIELDS = [field for model in apps.get_models() for field in model._meta.concrete_fields]


@pytest.mark.parametrize("kind", AS_THEY_ARE, ids=lambda kind: kind.__name__)
def test_a_value_that_is_taken_as_it_is_would_have_stayed_so(kind: type) -> None:
    for field in FIELDS:
        for each in taken_as_they_are(field):
            if type(field) is kind and not (field.primary_key and each is NoneType):
                prepared = field.get_db_prep_save(SAMPLES[each], connection)
                assert prepared == SAMPLES[each], field
                assert isinstance(prepared, each), field  # psycopg has its own kinds of integers


def test_a_reference_is_taken_as_it_is_where_the_field_would_have_handed_it_on() -> None:
    references = [field for field in FIELDS if field.is_relation and UUID in taken_as_they_are(field)]

    assert len(references) > 50
    for field in references:
        assert field.get_db_prep_save(SAMPLES[UUID], connection) == SAMPLES[UUID], field
        assert field.get_db_prep_save(None, connection) is None, field
