"""Check constraints, evaluated on values that are not written yet."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import models

from core.bulk import faults
from core.bulk.conditions import broken, rules_of
from courses.models import CourseVersion, Section
from departments.models import Department, Term

ID = UUID(int=1)


@pytest.mark.parametrize(
    ("model", "values", "names"),
    [
        (CourseVersion, {"credits": Decimal(-1)}, ["courses_courseversion_credits_not_negative"]),
        (CourseVersion, {"credits": Decimal(3), "credits_max": None}, []),
        (CourseVersion, {"credits": Decimal(3), "credits_max": Decimal(2)}, ["courses_courseversion_credits_ordered"]),
        (CourseVersion, {"credits_max": Decimal(2)}, []),
        (Term, {"starts_on": date(2026, 9, 1), "ends_on": date(2026, 9, 1)}, ["departments_term_has_length"]),
        (Term, {"starts_on": date(2026, 9, 1), "ends_on": "soon"}, []),
        (Department, {"id": ID, "parent_id": ID}, ["departments_department_not_own_parent"]),
        (Department, {"id": ID, "parent_id": None}, []),
        (Department, {"parent_id": ID}, []),
    ],
)
def test_only_what_is_certainly_false_is_a_fault(
    model: type[models.Model], values: dict[str, Any], names: list[str]
) -> None:
    assert [rule.name for rule, _ in broken(model, values)] == names


def test_sums_of_columns_are_compared() -> None:
    seats = {"capacity": 1, "override_seats": 1, "held_count": 1}

    assert not broken(Section, {**seats, "enrolled_count": 1})
    assert [error.error_code for _, error in broken(Section, {**seats, "enrolled_count": 2})] == ["section_full"]


def test_what_choices_say_already_is_not_said_twice() -> None:
    assert "departments_department_kind_known" not in {rule.name for rule in rules_of(Department)}
    assert [fault.error_code for fault in faults(Department, {"code": "A", "name": "x", "kind": "guild"})] == [
        "invalid_choice"
    ]


def test_a_field_that_is_wrong_by_itself_is_named_once() -> None:
    values = {"code": "T", "name": "x", "starts_on": date(2026, 9, 1), "ends_on": None, "academic_year_id": ID}

    assert [(fault.error_code, fault.field) for fault in faults(Term, values)] == [("null", "ends_on")]
