"""A class checks in with the code on the wall, and somebody at home tries to with a code that was passed on."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.roles import Role
from attendance import check_in_tokens as tokens
from attendance.models import CheckInWindow
from tests.attendance.factories import ClassSessionFactory, usual_codes
from tests.courses.factories import SectionInstructorFactory
from tests.enrollment.factories import EnrollmentFactory

pytestmark = pytest.mark.django_db
ROOM, HOME = "10.20.0.7", "203.0.113.9"


@pytest.mark.checklist(81)
def test_a_stolen_code_lets_nobody_in_and_is_flagged(user_with, client_for):
    taught = SectionInstructorFactory()
    usual_codes()
    teacher = client_for(user_with(Role.FACULTY, "self", person=taught.faculty.person))
    ada, friend = (EnrollmentFactory(section=taught.section) for _ in range(2))
    clients = {row: client_for(user_with(Role.STUDENT, person=row.student.person)) for row in (ada, friend)}
    session = ClassSessionFactory(section=taught.section, starts_at=timezone.now())
    url = f"/api/v1/attendance/sessions/{session.pk}/"

    def shown():
        return teacher.get(f"{url}check-in/token/").json()["data"]["token"]

    def comes(row, token, device, address):
        body = {"token": token, "device_key": device}
        return clients[row].post(f"{url}check-in/", body, format="json", REMOTE_ADDR=address).json()

    assert shown() is None
    opened = teacher.post(f"{url}check-in/open/", {"networks": ["10.20.0.0/16"]}, format="json")
    assert opened.status_code == 200, opened.json()
    assert "secret" not in opened.json()["data"]

    # Ada is in the room, and passes the code on to her friend at home, who tries what there is to try.
    assert comes(ada, shown(), "the telephone of Ada", ROOM)["data"]["outcome"] == "accepted"
    stolen = tokens.shown(CheckInWindow.objects.get().secret, session.pk, at=timezone.now() - timedelta(seconds=30))
    tried = [
        comes(friend, shown(), "the friend's telephone", HOME),
        comes(friend, stolen.token, "the friend's telephone", ROOM),
        comes(friend, shown(), "the telephone of Ada", ROOM),
        comes(ada, shown(), "the telephone of Ada", ROOM),
    ]

    assert [answer["code"] for answer in tried] == [
        "wrong_network", "token_expired", "device_shared", "check_in_replayed",
    ]  # fmt: skip
    entries = teacher.get(f"{url}roster/").json()["data"]["entries"]
    assert {entry["enrollment"]: entry["code"] for entry in entries} == {str(ada.pk): "present", str(friend.pk): None}
    strange = teacher.get("/api/v1/attendance/check-ins/?is_flagged=true&is_reviewed=false").json()["data"]
    assert {(row["student"]["id"], row["outcome"]) for row in strange} == {
        (str(friend.student_id), "device_shared"), (str(ada.student_id), "check_in_replayed"),
    }  # fmt: skip
    for row in strange:
        looked_at = teacher.post(f"/api/v1/attendance/check-ins/{row['id']}/review/", {"note": "Talked"}, format="json")
        assert looked_at.json()["data"]["note"] == "Talked"
    assert teacher.get("/api/v1/attendance/check-ins/?is_flagged=true&is_reviewed=false").json()["data"] == []
    assert clients[friend].get("/api/v1/attendance/check-ins/").status_code == 403
