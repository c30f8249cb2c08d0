"""JSON is taken for what it says: a value of another type is refused, not converted."""

import pytest

from departments.models import Department, Room
from tests.courses.factories import CourseFactory
from tests.departments.factories import BuildingFactory

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(45)]


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


@pytest.mark.parametrize("credits_", ["٣", "three", "1_0", True, "NaN", "Infinity", "0x3"])
def test_what_is_no_decimal_makes_none(registrar_client, credits_):
    course = CourseFactory()

    assert refused(registrar_client.patch(f"/api/v1/courses/{course.pk}/", {"credits": credits_})) == (400, {"credits"})


@pytest.mark.parametrize("credits_", ["3.50", 3.5, "3.5"])
def test_a_decimal_is_a_string_or_a_number(registrar_client, credits_):
    course = CourseFactory()

    changed = registrar_client.patch(f"/api/v1/courses/{course.pk}/", {"credits": credits_})

    assert (changed.status_code, changed.json()["data"]["credits"]) == (200, "3.50")
