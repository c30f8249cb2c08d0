"""Whatever a body holds, it is kept exactly or refused with a documented code, and a refusal changes nothing."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from rest_framework.test import APIClient

from courses.models import Course
from departments.models import Department
from students.models import Student
from tests.contract.hostile import COMMON_FRAMES, FRAMES, VALUES, Frame, encoded
from tests.contract.operations import WRITES, Operation, document, operations
from tests.contract.problems import assert_documented, assert_refused, everything
from tests.contract.routes import routes
from tests.contract.work import NOTE

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("university"),
    pytest.mark.sweep,
]

OPERATIONS = operations()
IN_BULK = {each.route.model for each in OPERATIONS if each.action.startswith("bulk_")}
# What the bulk operations of the resource do not try field by field.
SINGLE = [
    each
    for each in OPERATIONS
    if not each.action.startswith("bulk_")
    and (each.action not in ("create", "update", "partial_update") or each.route.model not in IN_BULK)
]
BULK_UPDATES = [each for each in OPERATIONS if each.action == "bulk_update"]
BULK_CREATIONS = [each for each in OPERATIONS if each.action == "bulk_create"]
ITEMS = 400
# All naughty strings are tried on students; of each sort some are on what else has names, which writes them alike.
SOME = slice(None, None, 4)
NAUGHTY_STRINGS = Path(settings.BASE_DIR).parent / "shared" / "data" / "robustness" / "blns.json"

Row = dict[str, Any]


def test_every_write_is_tried() -> None:
    tried = {(each.route.path, each.method) for each in OPERATIONS}
    writes = {(route.path, method) for route in routes() for method in route.actions if method in WRITES}
    others = {
        (path, method)
        for path, method in writes - tried
        if "requestBody" in document()["paths"][path.replace("{pk}", "{id}")][method.lower()]
    }

    # What takes a file is tried beside its other tests.
    files = {("/api/v1/files/", "POST"), ("/api/v1/files/uploads/{pk}/", "PATCH"), ("/api/v1/imports/", "POST")}
    assert others == files
    silent = {
        "/api/v1/auth/logout/", "/api/v1/attendance/calendar-feed/", "/api/v1/privacy/erasures/{pk}/approve/",
        "/api/v1/notifications/{pk}/read/", "/api/v1/notifications/read-all/",
        "/api/v1/webhook-deliveries/{pk}/replay/",
        *(f"/api/v1/attendance/sessions/{{pk}}/{step}/" for step in ("close", "check-in/close")),
        *(f"/api/v1/projects/{{pk}}/{step}/" for step in ("publish", "complete", "reopen")),
    }  # fmt: skip
    assert writes - tried - others == {(path, "POST") for path in silent}


@pytest.mark.checklist(45)
@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_body_without_meaning_is_refused_by_every_operation(system_admin: APIClient, operation: Operation) -> None:
    assert_meaningless(system_admin, operation, {name: FRAMES[name] for name in COMMON_FRAMES})


@pytest.mark.checklist(45)
def test_a_body_without_meaning_is_refused_whatever_it_is(system_admin: APIClient) -> None:
    (operation,) = (each for each in OPERATIONS if str(each) == "POST departments/")

    assert_meaningless(system_admin, operation, FRAMES)


def assert_meaningless(client: APIClient, operation: Operation, frames: Mapping[str, Frame]) -> None:
    """Send the frames, and insist on a refusal of each that changes nothing."""
    before, url = everything(), operation.url()
    for name, frame in frames.items():
        headers = {"Content-Encoding": frame.encoding} if frame.encoding else None
        answer = client.generic(operation.method, url, frame.body, frame.content_type, headers=headers)

        assert_refused(answer, name)
        assert answer.status_code == frame.status, (name, answer.content)
    assert everything() == before


@pytest.mark.checklist(42, 45)
@pytest.mark.parametrize("operation", SINGLE, ids=str)
def test_no_value_in_every_field_at_once_is_more_than_a_refusal(system_admin: APIClient, operation: Operation) -> None:
    before, url = everything(), operation.url()

    for value in VALUES:
        body = encoded(dict.fromkeys(operation.fields, value))
        with transaction.atomic():
            answer = system_admin.generic(operation.method, url, body, "application/json")
            if answer.status_code in (200, 201, 202, 204):
                transaction.set_rollback(True)
            else:
                assert_refused(answer, value)

    assert everything() == before


@pytest.mark.parametrize("operation", BULK_UPDATES, ids=str)
def test_no_value_in_any_field_of_a_row_is_more_than_a_refusal(system_admin: APIClient, operation: Operation) -> None:
    rows = operation.route.model._base_manager.order_by("-pk").values_list("pk", flat=True)[:ITEMS]

    assert_every_value_answered(
        system_admin, operation, [{"id": str(pk)} for pk in rows], fields_of(operation, "PATCH")
    )


@pytest.mark.parametrize("operation", BULK_CREATIONS, ids=str)
def test_no_value_in_any_field_of_a_new_row_is_more_than_a_refusal(
    system_admin: APIClient, operation: Operation
) -> None:
    fields = fields_of(operation, "POST")

    assert_every_value_answered(system_admin, operation, [like_a_row(system_admin, operation, fields)] * ITEMS, fields)


def fields_of(operation: Operation, method: str) -> tuple[str, ...]:
    """Return the fields of the items of a bulk operation: those of the single one."""
    path = operation.route.path.removesuffix(operation.action.replace("_", "-") + "/")
    path += "{pk}/" if method != "POST" else ""
    return next(each.fields for each in OPERATIONS if each.route.path == path and each.method == method)


def like_a_row(client: APIClient, operation: Operation, fields: tuple[str, ...]) -> Row:
    """Return a body such as would write a row that there is."""
    model = operation.route.model
    path = operation.route.path.removesuffix("bulk-create/")
    shown = client.get(f"{path}{model._base_manager.order_by('pk')[0].pk}/").json()["data"]
    written = {name: shown[name] for name in fields if name in shown and not isinstance(shown[name], list)}
    return {
        name: value["id"] if isinstance(value, dict) and "id" in value else value for name, value in written.items()
    }


def assert_every_value_answered(
    client: APIClient, operation: Operation, sound: list[Row], fields: tuple[str, ...]
) -> None:
    """Send every value in all fields at once, and alone in each of those that had nothing against it.

    Fields are looked at one by one, so that what one of them refuses among others it refuses alone.
    """
    everywhere = [dict.fromkeys(fields, value) for value in VALUES]
    refused = [named_in(errors) for errors in errors_of(client, operation, sound, everywhere)]
    assert set().union(*refused) & set(fields)

    alone = [
        {name: value} for value, names in zip(VALUES, refused, strict=True) for name in fields if name not in names
    ]
    assert alone
    list(errors_of(client, operation, sound, alone))


def named_in(errors: list[Row]) -> set[str]:
    """Return the fields of an item that errors are about: `items.7.name` is about `name`."""
    return {error["field"].split(".")[2] for error in errors if error["field"].count(".") > 1}


def errors_of(client: APIClient, operation: Operation, sound: list[Row], changes: list[Row]) -> Iterator[list[Row]]:
    """Send sound rows, changed, none twice at once; insist on a result for each, and yield its documented errors."""
    for start in range(0, len(changes), len(sound)):
        at_once = changes[start : start + len(sound)]
        some = [{**row, **change} for row, change in zip(sound, at_once, strict=False)]
        answer = client.post(operation.route.path, {"items": some, "mode": "best_effort"}, format="json")
        assert answer.status_code == 200, answer.content[:2000]
        results = answer.json()["data"]["results"]
        assert [result["index"] for result in results] == list(range(len(some)))
        for result, item in zip(results, some, strict=True):
            assert (result["status"] == "refused") == bool(result["errors"])
            for error in result["errors"]:
                assert_documented(error, item)
            yield result["errors"]


@pytest.fixture(scope="module")
def naughty_strings() -> list[str]:
    """Provide the Big List of Naughty Strings."""
    if not NAUGHTY_STRINGS.exists() and not os.environ.get("REAL_DATA_REQUIRED"):
        pytest.skip(f"{NAUGHTY_STRINGS} is not there")
    strings: list[str] = json.loads(NAUGHTY_STRINGS.read_text())
    return strings


def results_of(client: APIClient, path: str, items: list[Row]) -> Iterator[tuple[Row, Row]]:
    """Yield each item that was written with its result; insist on documented codes for the others."""
    answer = client.post(f"/api/v1/{path}/", {"items": items, "mode": "best_effort"}, format="json")
    assert answer.status_code == 200, answer.content[:2000]
    for item, result in zip(items, answer.json()["data"]["results"], strict=True):
        for error in result["errors"]:
            assert_documented(error, item)
        if result["status"] != "refused":
            yield item, result


def test_naughty_names_of_departments_are_kept_or_refused(system_admin: APIClient, naughty_strings: list[str]) -> None:
    items = [
        {"code": f"N{number}", "name": text, "kind": "department"} for number, text in enumerate(naughty_strings[SOME])
    ]

    kept = list(results_of(system_admin, "departments/bulk-create", items))

    assert len(kept) >= 0.9 * len(items)
    stored = {str(row.pk): row.name for row in Department.objects.all()}
    for item, result in kept:
        assert stored[result["id"]] == item["name"]


def test_naughty_names_and_custom_values_are_kept_or_refused(
    system_admin: APIClient, naughty_strings: list[str]
) -> None:
    students = Student.objects.order_by("pk").values_list("pk", flat=True)[: len(naughty_strings)]
    items = [
        {"id": str(student), "preferred_name": text, "custom_fields": {NOTE: text}}
        for student, text in zip(students, naughty_strings, strict=True)
    ]

    kept = list(results_of(system_admin, "students/bulk-update", items))

    assert len(kept) >= 0.9 * len(items)
    stored = {str(row.pk): row for row in Student.objects.select_related("person")}
    for item, result in kept:
        assert stored[result["id"]].person.preferred_name == item["preferred_name"]
        assert stored[result["id"]].custom_data.get(NOTE, "") == item["custom_fields"][NOTE]
    for item, result in kept[-5:]:
        shown = system_admin.get(f"/api/v1/students/{result['id']}/").json()["data"]
        assert shown["preferred_name"] == item["preferred_name"]
        assert shown["custom_fields"][NOTE] == item["custom_fields"][NOTE]


def test_naughty_titles_of_courses_are_kept_or_refused(system_admin: APIClient, naughty_strings: list[str]) -> None:
    department = str(Department.objects.order_by("pk")[0].pk)
    items = [
        {"code": f"N{number}", "title": text, "credits": "3", "department": department, "level": "graduate"}
        for number, text in enumerate(naughty_strings[SOME])
    ]

    kept = list(results_of(system_admin, "courses/bulk-create", items))

    assert len(kept) >= 0.9 * len(items)
    stored = {str(row.pk): row.current_version.title for row in Course.objects.select_related("current_version")}
    for item, result in kept:
        assert stored[result["id"]] == item["title"]
