"""JSON is taken for what it says: a value of another type is refused, not converted."""

import pytest
from rest_framework import serializers

from core.api.serializers import ModelWriteSerializer, WriteSerializer
from departments.models import Department, Room
from tests.accounts.factories import UserFactory
from tests.courses.factories import CourseFactory, SectionFactory
from tests.departments.factories import BuildingFactory, DepartmentFactory

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(45)]


# What takes other types than its own.
CONVERTING = {
    each.to_internal_value
    for each in (
        serializers.CharField, serializers.BooleanField, serializers.IntegerField, serializers.DecimalField,
        serializers.DateField, serializers.TimeField, serializers.DateTimeField, serializers.UUIDField,
        serializers.FloatField,
    )
}  # fmt: skip


def descendants(of):
    return [each for child in of.__subclasses__() for each in (child, *descendants(child))]


def refused(answer):
    return answer.status_code, {error["field"] for error in answer.json()["errors"]}


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", 6), ("name", 1.10), ("name", True), ("code", 5), ("is_active", "yes"), ("is_active", 1), ("name", ["a"])],
)
def test_what_is_no_text_or_truth_makes_none(registrar_client, field, value):
    body = {"code": "AST", "name": "Astronomy", field: value}

    assert refused(registrar_client.post("/api/v1/departments/", body)) == (400, {field})
    assert not Department.objects.exists()


@pytest.mark.parametrize("text", [" Astronomy", "Astronomy\n", "\u00a0Astronomy", "Astronomy\u3000", "\tAstronomy "])
def test_space_around_a_text_is_neither_taken_off_nor_kept(registrar_client, text):
    answer = registrar_client.post("/api/v1/departments/", {"code": "AST", "name": text})

    assert (refused(answer), answer.json()["errors"][0]["code"]) == ((400, {"name"}), "surrounding_space")
    assert not Department.objects.exists()


def test_space_around_an_address_is_not_taken_off(registrar_client):
    answer = registrar_client.post("/api/v1/students/", {"email": "ada@example.org "})

    assert ("email", "surrounding_space") in {(error["field"], error["code"]) for error in answer.json()["errors"]}


def test_space_within_a_text_is_kept(registrar_client):
    name = "Astronomy  and\tthe\nSky"

    created = registrar_client.post("/api/v1/departments/", {"code": "AST", "name": name})

    assert (created.status_code, created.json()["data"]["name"]) == (201, name)


@pytest.mark.parametrize("capacity", ["20", "1e2", 20.5, True, "٣", [20]])
def test_what_is_no_whole_number_makes_none(registrar_client, capacity):
    body = {"building": str(BuildingFactory().pk), "code": "101", "capacity": capacity}

    assert refused(registrar_client.post("/api/v1/rooms/", body)) == (400, {"capacity"})
    assert not Room.objects.exists()


@pytest.mark.parametrize(
    "credits_", ["٣", "three", "1_0", True, "NaN", "Infinity", "0x3", "+3", " 3", "3e0", "3.", ".5"]
)
def test_what_is_no_decimal_makes_none(registrar_client, credits_):
    course = CourseFactory()

    assert refused(registrar_client.patch(f"/api/v1/courses/{course.pk}/", {"credits": credits_})) == (400, {"credits"})


@pytest.mark.parametrize("capacity", ["20.0000000000000001", "2e1000"])
def test_a_number_is_read_to_its_last_digit(registrar_client, capacity):
    body = f'{{"building": "{BuildingFactory().pk}", "code": "101", "capacity": {capacity}}}'

    answer = registrar_client.generic("POST", "/api/v1/rooms/", body, "application/json")

    assert answer.status_code == 400
    assert not Room.objects.exists()


def test_a_fraction_too_fine_to_be_kept_is_refused(registrar_client):
    url = f"/api/v1/courses/{CourseFactory().pk}/"

    answer = registrar_client.generic("PATCH", url, '{"credits": 3.0000000000000000001}', "application/json")

    assert refused(answer) == (400, {"credits"})


@pytest.mark.parametrize("time", ["09:00+05:30", "09:00Z", "090000", "9:00", "09:00 AM", 9])
def test_a_time_of_day_is_of_no_zone(registrar_client, time):
    meeting = {"weekday": 1, "starts_at": time, "ends_at": "11:00"}

    answer = registrar_client.patch(f"/api/v1/sections/{SectionFactory().pk}/", {"meetings": [meeting]})

    assert refused(answer) == (400, {"meetings.0.starts_at"})


@pytest.mark.parametrize("day", ["2026-W10-1", "20260302", "2026-03-02T00:00", " 2026-03-02", 20260302])
def test_a_day_is_spelled_in_one_way(registrar_client, day):
    body = {"last_name": "Byron", "department": str(DepartmentFactory().pk), "admitted_on": day}

    assert refused(registrar_client.post("/api/v1/students/", body)) == (400, {"admitted_on"})


@pytest.mark.parametrize("instant", ["2026-03-02", "2026-03-02T09:00:00", "2026-03-02 09:00:00Z", 1772442000])
def test_an_instant_has_an_offset(user_with, client_for, instant):
    body = {"user": str(UserFactory().pk), "role": "auditor", "valid_until": instant}

    answer = client_for(user_with("system_admin")).post("/api/v1/role-assignments/", body)

    assert refused(answer) == (400, {"valid_until"})


@pytest.mark.parametrize("spelling", ["urn:uuid:{}", "{{{}}}", "without dashes", "in a list"])
def test_an_id_is_spelled_as_answers_spell_it(registrar_client, spelling):
    there = DepartmentFactory()
    others = {"without dashes": there.pk.hex, "in a list": ["junk", str(there.pk)]}
    one = others.get(spelling) or spelling.format(there.pk)

    deleted = registrar_client.post("/api/v1/departments/bulk-delete/", {"items": [{"id": one}]})
    named = registrar_client.post("/api/v1/departments/", {"code": "AST", "name": "Astronomy", "parent": one})

    assert (refused(deleted), refused(named)) == ((400, {"items.0.id"}), (400, {"parent"}))
    assert Department.objects.get() == there


def test_every_writer_takes_json_for_what_it_says():
    """A field of a class that is not among the strict ones would convert what it is sent."""
    writers = [each for each in descendants(WriteSerializer) if each.__module__.partition(".")[0] != "tests"]
    loose = {
        f"{writer.__qualname__}.{name}"
        for writer in writers
        if hasattr(writer, "Meta") or not issubclass(writer, ModelWriteSerializer)
        for name, field in writer().fields.items()
        if not field.read_only and type(field).to_internal_value in CONVERTING
    }

    assert len(writers) > 50
    assert not loose


@pytest.mark.parametrize("credits_", ["3.50", 3.5, "3.5"])
def test_a_decimal_is_a_string_or_a_number(registrar_client, credits_):
    course = CourseFactory()

    changed = registrar_client.patch(f"/api/v1/courses/{course.pk}/", {"credits": credits_})

    assert (changed.status_code, changed.json()["data"]["credits"]) == (200, "3.50")
