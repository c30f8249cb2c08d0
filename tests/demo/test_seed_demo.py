"""`manage.py seed_demo`: the same university for the same seed, and only where there is none."""

from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder

from accounts.models import User
from departments.models import Department
from tests.demo.seeding import TODAY
from tests.departments.factories import DepartmentFactory

pytestmark = pytest.mark.django_db

# What services write beside the copied tables has keys, times and hashes of its own.
WRITTEN_BY_SERVICES = {"core", "accounts"}
OWN = {"password", "valid", "payload", "tags"}
# When, by whom and in what order rows were written differs from one time to the next.
LOGS = "audit"


def columns(model: type[models.Model]) -> list[str]:
    """Return the columns that the seed decides about."""
    fields = list(model._meta.concrete_fields)
    if model._meta.app_label in WRITTEN_BY_SERVICES:
        fields = [
            field
            for field in fields
            if not (
                field.primary_key or field.is_relation or isinstance(field, models.DateTimeField | models.UUIDField)
            )
            and field.name not in OWN
        ]
    return [field.attname for field in fields]


def dump() -> dict[str, list[str]]:
    """Return every row of every table of the product, in a stable order."""
    return {
        model._meta.label: sorted(map(repr, model._base_manager.values_list(*columns(model))))
        for app in settings.FIRST_PARTY_APPS
        if app != LOGS
        for model in apps.get_app_config(app).get_models()
        if columns(model)
    }


def university(**options: Any) -> dict[str, list[str]]:
    """Return what `seed_demo` writes, and take it back."""
    with transaction.atomic():
        call_command("seed_demo", stdout=StringIO(), **options)
        rows = dump()
        transaction.set_rollback(True)
    return rows


def test_a_seed_and_a_day_decide_about_every_row() -> None:
    first = university(seed=7, today=TODAY)
    again = university(seed=7, today=TODAY)
    other = university(seed=8, today=TODAY)

    assert len(first["students.Student"]) == 1_000
    for table, rows in first.items():
        assert again[table] == rows, table
    for table in ("accounts.Person", "students.Student", "courses.Section", "enrollment.Enrollment"):
        assert other[table] != first[table], table
        assert len(other[table]) == len(first[table]) or table == "courses.Section"


def test_the_command_says_what_it_has_written() -> None:
    out = StringIO()

    call_command("seed_demo", today=TODAY, stdout=out)

    lines = [line.split() for line in out.getvalue().splitlines()]
    assert ["1,000", "students"] in lines
    assert ["10,000", "enrolments"] in lines
    assert ["18", "demo", "accounts"] in lines


def test_a_database_that_holds_anything_is_left_alone() -> None:
    department = DepartmentFactory()

    with pytest.raises(CommandError, match="already holds a university"):
        call_command("seed_demo")

    assert list(Department.objects.all()) == [department]
    assert not User.objects.exists()


def test_a_database_that_lacks_migrations_is_told_so() -> None:
    MigrationRecorder(connection).flush()

    with pytest.raises(CommandError, match="lacks migrations"):
        call_command("seed_demo")


def test_an_installation_for_real_people_gets_neither_rows_nor_accounts(settings) -> None:
    settings.DEMO_ACCOUNTS_ALLOWED = False

    with pytest.raises(CommandError, match="DEMO_ACCOUNTS_ALLOWED"):
        call_command("seed_demo")

    assert not Department.objects.exists()
    assert not User.objects.exists()


def test_a_summer_day_has_a_university_too() -> None:
    """Between the years every term but the last one is over."""
    rows = university(today=date(2027, 7, 31))

    assert len(rows["enrollment.Enrollment"]) == 10_000
