"""Lists that PostgreSQL renders answer the bytes that the serializers would, whatever the rows hold and whoever asks.

The rows of the university are filled with what its people would never write: every kind of character, every precision,
nothing at all. What a constraint refuses is let be.
"""

import random
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.contrib.postgres.fields import ArrayField
from django.db import DataError, IntegrityError, models, transaction
from rest_framework.test import APIClient

from core.api import rows
from core.api.compiled.columns import NotCompiledError
from core.api.compiled.readers import Context, compiled
from core.api.serializers import expansions, reader_of
from core.customfields.selectors import customizable_models, entity_type_of
from core.models import CustomField, CustomFieldType
from tests.contract.routes import Route, routes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("university"), pytest.mark.sweep]

LISTS = [route for route in routes() if route.lists]
ROLES = ("system_admin", "department_head", "student")
# What it takes Python to show: JSON columns, what is decrypted or computed, roles.
BEYOND_SQL = {
    "AllocationOutcomeSerializer.missed",
    "ChangeSerializer.changes",
    "CustomFieldReader.default_value",
    "DeliverySerializer.payload",
    "ErasureRequestSerializer.counts",
    "EventSerializer.detail",
    "HeldFieldSerializer.choices",
    "ImportJobSerializer.percent",
    "ImportRowSerializer.reasons",
    "PersonIdentifierSerializer.masked_value",
    "ProjectApplicationSerializer.preferences",
    "RequisiteSerializer.expr",
    "SessionSerializer.is_current",
    "ShortageSerializer.attendance",
    "SubmissionSerializer.files",
    "UserSerializer.roles",
}
AWKWARD = [
    "", '"', "\\", "/", "%", "%s", "{}", "'", "\t\n\r\b\f", "\x01\x1f\x7f", "\u00a0\u2003", "\u2028\u2029", "é", "न्",
    "\u202e", "\U0001f393", "\ufeff", "null", "<&>", "\\u0041", "e\u0301",
]  # fmt: skip
TIMESTAMP = re.compile(rb',"timestamp":"[^"]+"}$')


@pytest.fixture
def chance() -> random.Random:
    """Provide what the rows are filled with, the same in every run."""
    return random.Random(20)


def text(chance: random.Random, length: int | None) -> str:
    return "".join(chance.choices(AWKWARD, k=chance.randrange(4)))[:length]


def moment(chance: random.Random) -> datetime:
    fraction = chance.choice([0, 1, 120_000, 999_999, 500_000])
    return datetime(chance.choice([1, 999, 1970, 2026, 9999]), 3, 1, 23, 59, 58, fraction, UTC)


# By kind of column, the more special before the others.
VALUES: dict[Any, Any] = {
    models.CharField: lambda field, chance: text(chance, field.max_length),
    models.TextField: lambda field, chance: text(chance, field.max_length),
    models.DateTimeField: lambda field, chance: moment(chance),
    models.DateField: lambda field, chance: date(chance.choice([1, 999, 2026, 9999]), chance.randrange(1, 13), 28),
    models.TimeField: lambda field, chance: time(chance.randrange(24), 59, 1, chance.choice([0, 1, 250_000])),
    models.DecimalField: lambda field, chance: Decimal(chance.choice(["0", "0.10", "1.50", "99.99", "7"])),
    models.BooleanField: lambda field, chance: chance.random() < 0.5,
    models.IntegerField: lambda field, chance: chance.choice([0, 1, 7, 32_000]),
    models.GenericIPAddressField: lambda field, chance: chance.choice(["10.0.0.1", "2001:db8::1", "::ffff:10.0.0.2"]),
    ArrayField: lambda field, chance: [text(chance, 9) for _ in range(chance.randrange(3))],
}


def disturb(model: type[models.Model], chance: random.Random) -> None:
    """Fill the columns of some rows, as far as the database lets that happen."""
    for row in model._base_manager.all()[:12]:
        for field in model._meta.concrete_fields:
            make = next((make for kind, make in VALUES.items() if isinstance(field, kind)), None)
            if make is None or field.generated or field.is_relation or field.choices or field.name in ("id", "version"):
                continue
            if not isinstance(getattr(field, "base_field", field), models.CharField) and isinstance(field, ArrayField):
                continue
            if hasattr(field, "from_db_value") and not isinstance(field, ArrayField):
                continue  # what is encrypted belongs to its row alone
            try:
                with transaction.atomic():
                    value = None if field.null and chance.random() < 0.3 else make(field, chance)
                    models.QuerySet(model).filter(pk=row.pk).update(**{field.name: value})
            except (IntegrityError, DataError):
                continue


def define_fields_of_every_type(model: Any, chance: random.Random) -> None:
    """Give a kind of record a custom field of every type, one that is protected, and rows with values of them."""
    kinds: dict[str, Any] = {
        CustomFieldType.TEXT: lambda: text(chance, 50) or "x",
        CustomFieldType.TEXTAREA: lambda: "\n".join(AWKWARD),
        CustomFieldType.NUMBER: lambda: Decimal(chance.choice(["0", "1.5", "-12.0000000001", "999999999999999999"])),
        CustomFieldType.DATE: lambda: "2026-03-01",
        CustomFieldType.EMAIL: lambda: "a@example.org",
        CustomFieldType.PHONE: lambda: "+4312345",
        CustomFieldType.URL: lambda: "https://example.org/?a=%20&b='",
        CustomFieldType.SELECT: lambda: 'a "b"',
        CustomFieldType.MULTISELECT: lambda: chance.sample(AWKWARD[1:], 3),
        CustomFieldType.BOOLEAN: lambda: chance.random() < 0.5,
        CustomFieldType.FILE: lambda: str(UUID(int=7)),
    }
    choices = [{"value": 'a "b"', "label": "B"}]
    options: dict[str, Any] = {"entity_type": entity_type_of(model), "label": "L", "choices": choices}
    for order, kind in enumerate(kinds):
        CustomField.objects.create(name=f"awkward_{kind}", field_type=kind, order=order % 3, **options)
    CustomField.objects.create(name="awkward_secret", field_type="text", protected=True, **options)
    given = {f"awkward_{kind}": make for kind, make in kinds.items()} | {"awkward_secret": lambda: "s"}
    for row in model._base_manager.all()[:12]:
        row.custom_data = {name: make() for name, make in given.items() if chance.random() < 0.7}
        models.QuerySet(model).filter(pk=row.pk).update(custom_data=row.custom_data)


@pytest.fixture
def awkward(chance: random.Random) -> None:
    """Fill the rows of every list, and of what they refer to."""
    filled = {route.model for route in LISTS} | {
        field.related_model for route in LISTS for field in route.model._meta.concrete_fields if field.is_relation
    }
    for model in sorted(filled, key=lambda each: each._meta.label):
        # Who calls stays who they are; the logs refuse to be written to, and a view has no rows of its own.
        if model._meta.app_label != "audit" and model._meta.managed and model.__name__ not in KEPT:
            disturb(model, chance)
    for customizable in customizable_models().values():
        define_fields_of_every_type(customizable, chance)


KEPT = ("User", "Session", "RoleAssignment", "CustomField", "PersonIdentifier")


def answer(client: APIClient, url: str, question: dict[str, Any]) -> tuple[bytes, str] | None:
    """Return the bytes of a page but for their time, and its tag; None for what is not to be seen."""
    response = client.get(url, question)
    if response.status_code in (403, 404):
        return None
    assert response.status_code == 200, (url, question, response.content)
    return TIMESTAMP.sub(b"}", response.content), response.headers["ETag"]


def questions(route: Route, role: str) -> Iterator[dict[str, Any]]:
    yield {"page_size": 200 if role == "system_admin" else 25}
    if role != "student":
        yield {"page_size": 7, "page": 2}
        for name in expansions(route.view.list_serializer_class):
            yield {"page_size": 25, "include": name}
        for name in route.view.ordering_fields:
            yield {"page_size": 10, "ordering": f"-{name}", "fields": "id"}


def refuse(view: Any) -> Any:
    raise NotCompiledError


@pytest.mark.usefixtures("awkward")
def test_what_postgresql_renders_is_what_the_serializers_would(clients, monkeypatch) -> None:
    compared = set()
    for route in LISTS:
        reader = route.view.list_serializer_class
        if beyond_sql(route, []) or reader in compared:
            continue
        url = route.list_url()
        for role in ROLES:
            for question in questions(route, role):
                rendered = answer(clients[role], url, question)
                with monkeypatch.context() as without:
                    without.setattr(rows, "plan_for", refuse)
                    by_serializer = answer(clients[role], url, question)

                assert rendered == by_serializer, (role, url, question)
                compared |= {reader} if rendered else set()

    assert {each.__name__ for each in compared} >= {"StudentSerializer", "EnrollmentSerializer", "CourseSerializer"}


def test_what_is_beyond_postgresql_is_known_by_name() -> None:
    beyond = {
        name
        for route in LISTS
        for include in ([], *([name] for name in expansions(route.view.list_serializer_class)))
        if (name := beyond_sql(route, include))
    }

    assert beyond == BEYOND_SQL


def beyond_sql(route: Route, include: list[str]) -> str:
    """Return the first field of a list that is not compiled, or nothing."""
    context = Context(
        names=lambda model: (),
        included=lambda reader, name: reader_of(reader.expandable[name]).Meta.model._default_manager.all().for_api(),
    )
    reader: Any = route.view.list_serializer_class
    loaded: Any = route.view.queryset.all()
    try:
        compiled(reader(include=include), loaded.for_api(), context)
    except NotCompiledError as error:
        return str(re.findall(r"(\w+\.\w+): ", str(error))[-1])
    return ""
