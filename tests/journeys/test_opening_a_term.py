"""A registrar sets a term up from nothing, and a student finds a seat in it."""

import pytest

from accounts import services as accounts
from accounts.models import Person
from accounts.roles import Role, ScopeKind

pytestmark = pytest.mark.django_db


class Caller:
    """Somebody who speaks JSON to the API and expects an answer of a certain status."""

    def __init__(self, client):
        self.client = client

    def post(self, path, body, status=201, **headers):
        response = self.client.post(f"/api/v1/{path}", body, format="json", headers=headers)
        assert response.status_code == status, response.json()
        return response.json().get("data") or response.json()

    def stated(self, path):
        """Say which state of a row was read."""
        return {"If-Match": self.client.get(f"/api/v1/{path}").headers["ETag"]}

    def get(self, path):
        response = self.client.get(f"/api/v1/{path}")
        assert response.status_code == 200, response.content
        return response.json()["data"]


def test_from_an_empty_database_to_a_full_section(registrar_client, user_with, client_for):
    registrar = Caller(registrar_client)

    # The shape of the university.
    science = registrar.post("departments/", {"code": "SCI", "name": "Science", "kind": "college"})
    physics = registrar.post("departments/", {"code": "PHY", "name": "Physics", "parent": science["id"]})
    program = registrar.post(
        "programs/",
        {"code": "B-PHY", "name": "Physics", "level": "bachelor", "department": physics["id"], "total_credits": "180"},
    )
    campus = registrar.post("campuses/", {"code": "MAIN", "name": "Main", "time_zone": "Europe/Vienna"})
    building = registrar.post("buildings/", {"code": "A", "name": "A", "campus": campus["id"]})
    room = registrar.post("rooms/", {"code": "A1", "building": building["id"], "capacity": 40})

    # The calendar.
    year = registrar.post(
        "academic-years/", {"code": "2026/27", "name": "2026/27", "starts_on": "2026-09-01", "ends_on": "2027-08-31"}
    )
    term = registrar.post(
        "terms/",
        {
            "code": "2026-FA", "name": "Fall 2026", "academic_year": year["id"],
            "starts_on": "2026-09-01", "ends_on": "2027-01-31",
        },
    )  # fmt: skip
    registrar.post(f"terms/{term['id']}/move/", {"state": "registration"}, status=200)

    # Who teaches, what, when and where.
    meitner = registrar.post(
        "faculty/",
        {
            "employee_no": "E1", "first_name": "Lise", "last_name": "Meitner", "rank": "professor",
            "department": physics["id"],
        },
    )  # fmt: skip
    course = registrar.post(
        "courses/", {"code": "PHY101", "title": "Mechanics", "credits": "5", "department": physics["id"]}
    )
    meeting = {
        "weekday": 1, "starts_at": "09:00", "ends_at": "10:30", "room": room["id"],
        "dates": {"starts_on": "2026-09-01", "ends_on": "2027-01-31"},
    }  # fmt: skip
    section = registrar.post(
        "sections/",
        {
            "course": course["id"], "term": term["id"], "code": "01", "capacity": 1,
            "instructors": [{"faculty": meitner["id"], "role": "primary", "share": "100"}], "meetings": [meeting],
        },
    )  # fmt: skip
    registrar.post(f"sections/{section['id']}/move/", {"status": "open"}, status=200)

    # The room is taken on Monday mornings.
    refused = registrar.post(
        "sections/",
        {"course": course["id"], "term": term["id"], "code": "02", "capacity": 1, "meetings": [meeting]},
        status=409,
    )
    assert refused["code"] == "room_conflict"

    # Two students, one seat.
    ada, emmy = (
        registrar.post(
            "students/",
            {"first_name": first, "last_name": last, "department": physics["id"], "admitted_on": "2026-08-01"},
        )
        for first, last in (("Ada", "Lovelace"), ("Emmy", "Noether"))
    )
    registrar.post(
        "program-enrollments/", {"student": ada["id"], "program": program["id"], "is_primary": True, "cohort": "2026"}
    )
    person = Person.objects.get(student__pk=ada["id"])
    student = Caller(client_for(user_with(Role.STUDENT, ScopeKind.SELF, person=person)))
    mine = student.post("enrollments/", {"student": ada["id"], "section": section["id"]})
    assert (mine["status"], mine["credits"]) == ("enrolled", "5.00")
    full = registrar.post("enrollments/", {"student": emmy["id"], "section": section["id"]}, status=409)
    assert full["code"] == "section_full"

    # The student sees their own record and nobody else's; the teacher sees who comes.
    assert [row["student_no"] for row in student.get("students/")] == [ada["student_no"]]
    teacher = user_with(Role.FACULTY, ScopeKind.SELF, person=Person.objects.get(faculty__pk=meitner["id"]))
    assert [row["last_name"] for row in Caller(client_for(teacher)).get("students/")] == ["Lovelace"]

    # What is in use stays; a dropped seat is free again.
    in_use = registrar_client.delete(f"/api/v1/departments/{physics['id']}/")
    assert (in_use.status_code, in_use.json()["code"]) == (409, "in_use")
    assert student.client.delete(f"/api/v1/enrollments/{mine['id']}/").status_code == 204
    registrar.post("enrollments/", {"student": emmy["id"], "section": section["id"]})
    assert registrar.get(f"sections/{section['id']}/")["seats_left"] == 0


def test_a_closed_account_sees_nothing_any_more(user_with, client_for):
    user = user_with(Role.REGISTRAR)
    client = client_for(user)
    assert client.get("/api/v1/students/").status_code == 200

    accounts.deactivate_user(user, by=None)

    assert client.get("/api/v1/students/").status_code == 401
