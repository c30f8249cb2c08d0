"""Readers and cards over the API: set up, given and taken away, and what readers have seen."""

from dataclasses import replace

import pytest

from attendance import services
from attendance.models import Reader
from tests.accounts.factories import UserFactory
from tests.attendance.test_punches import MINUTE, door, report, seen
from tests.enrollment.factories import EnrollmentFactory

pytestmark = pytest.mark.django_db

__all__ = ["door"]


def test_readers_are_set_up_over_the_api(registrar_client, door):
    body = {
        "code": "west-1", "name": "West", "room": str(door.reader.room_id), "account": str(door.reader.account_id),
    }  # fmt: skip
    made = registrar_client.post("/api/v1/attendance/readers/", body, format="json")
    assert made.status_code == 201, made.content
    row = made.json()["data"]
    assert (row["code"], row["room"]["id"], row["is_active"]) == ("west-1", body["room"], True)

    again = registrar_client.post("/api/v1/attendance/readers/", body, format="json")
    person = registrar_client.post(
        "/api/v1/attendance/readers/", {**body, "code": "west-2", "account": str(UserFactory().pk)}, format="json"
    )
    assert [refusals(each) for each in (again, person)] == [["code_taken"], ["not_a_service_account"]]

    off = registrar_client.patch(f"/api/v1/attendance/readers/{row['id']}/", {"is_active": False}, format="json")
    assert off.json()["data"]["is_active"] is False
    listed = registrar_client.get("/api/v1/attendance/readers/", {"is_active": "false"}).json()["data"]
    assert [each["code"] for each in listed] == ["west-1"]
    assert registrar_client.delete(f"/api/v1/attendance/readers/{row['id']}/").status_code == 204


def test_a_reader_that_has_seen_somebody_is_not_forgotten(registrar_client, door):
    report(door, seen(door, 0))

    refused = registrar_client.delete(f"/api/v1/attendance/readers/{door.reader.pk}/")

    assert refused.status_code == 409, refused.content
    assert Reader.objects.filter(pk=door.reader.pk).exists()


def test_cards_are_given_and_taken_away_over_the_api_and_never_told(registrar_client, door):
    student = EnrollmentFactory(section=door.session.section).student
    body = {"student": str(student.pk), "credential": " card 99", "label": "Green"}
    given = registrar_client.post("/api/v1/attendance/credentials/", body, format="json")
    assert given.status_code == 201, given.content
    assert "card 99" not in given.content.decode()

    taken = registrar_client.post("/api/v1/attendance/credentials/", {**body, "label": "Mine"}, format="json")
    assert refusals(taken) == ["credential_taken"]

    card = given.json()["data"]["id"]
    one = services.Seen(reader="north-1", external_event_id="spaced", credential=" card 99", at=door.session.starts_at)
    assert report(door, one) == ["marked"]
    assert registrar_client.patch(f"/api/v1/attendance/credentials/{card}/", {}, format="json").status_code == 405
    assert registrar_client.delete(f"/api/v1/attendance/credentials/{card}/").status_code == 204
    assert report(door, replace(one, external_event_id="later")) == ["unknown_credential"]


def test_what_readers_have_seen_is_listed_with_what_came_of_it(registrar_client, door):
    report(door, seen(door, 0, event="first"), seen(door, 1, after=20, event="second"))

    found = registrar_client.get("/api/v1/attendance/punches/", {"session": str(door.session.pk)}).json()["data"]

    assert [(row["external_event_id"], row["reader"], row["outcome"]) for row in found] == [
        ("second", "north-1", "marked"), ("first", "north-1", "marked"),
    ]  # fmt: skip
    assert found[0]["student"]["id"] == str(door.enrollments[1].student_id)
    until = (door.session.starts_at + 10 * MINUTE).isoformat()
    earlier = registrar_client.get("/api/v1/attendance/punches/", {"seen_before": until}).json()["data"]
    assert [row["external_event_id"] for row in earlier] == ["first"]
    assert registrar_client.get("/api/v1/attendance/punches/", {"seen": "now"}).status_code == 400


def refusals(answer):
    return [error["code"] for error in answer.json()["errors"]]
