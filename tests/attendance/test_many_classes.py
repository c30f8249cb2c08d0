"""Many classes at once: a day that is called off, and sheets that become final before the policy makes them so."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.roles import Role, ScopeKind
from attendance.models import ClassSession
from core.models import OutboxEvent
from tests.attendance.factories import ClassSessionFactory, usual_codes
from tests.courses.factories import SectionFactory
from tests.enrollment.factories import EnrollmentFactory

pytestmark = pytest.mark.django_db
CANCEL, LOCK = "/api/v1/attendance/sessions/bulk-cancel/", "/api/v1/attendance/sessions/bulk-lock/"
DAY = timedelta(days=1)


@pytest.fixture
def day():
    """Two classes of tomorrow, in two departments, and one of the day after."""
    start = timezone.now() + DAY
    first, second = (ClassSessionFactory(starts_at=start + hour * DAY / 24) for hour in (0, 2))
    return first, second, ClassSessionFactory(section=first.section, starts_at=start + DAY)


def snow(day, **more):
    first, second, _ = day
    return {"starts_at": first.starts_at, "ends_at": second.ends_at, "reason": "Heavy snow", **more}


def statuses(sessions):
    return [ClassSession.objects.get(pk=session.pk).status for session in sessions]


def told(answer):
    return [
        (row["session"], row["status"], [e["code"] for e in row["errors"]]) for row in answer.json()["data"]["results"]
    ]


def test_a_day_is_called_off_in_one_request(registrar_client, day):
    answer = registrar_client.post(CANCEL, snow(day), format="json")

    assert answer.status_code == 200, answer.json()
    assert told(answer) == [(str(session.pk), "cancelled", []) for session in day[:2]]
    assert statuses(day) == ["cancelled", "cancelled", "scheduled"]
    assert set(ClassSession.objects.filter(status="cancelled").values_list("note", flat=True)) == {"Heavy snow"}
    assert OutboxEvent.objects.filter(name="attendance.session.cancelled").count() == 2


def test_each_class_is_judged_by_itself(registrar, registrar_client, day):
    """Nobody calls off a class that they take themselves, and the others are called off all the same."""
    EnrollmentFactory(section=day[0].section, student__person=registrar.person)

    answer = registrar_client.post(CANCEL, snow(day), format="json")

    assert told(answer) == [(str(day[0].pk), "scheduled", ["self_marking"]), (str(day[1].pk), "cancelled", [])]
    assert statuses(day) == ["scheduled", "cancelled", "scheduled"]


def test_units_end_where_they_end(user_with, client_for, registrar_client, day):
    department = day[0].section.course.department_id
    head = client_for(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, department))

    assert [row[0] for row in told(head.post(CANCEL, snow(day), format="json"))] == [str(day[0].pk)]
    narrowed = registrar_client.post(CANCEL, snow(day, department=str(department)), format="json")
    assert (narrowed.status_code, narrowed.json()["code"]) == (400, "no_sessions")
    assert statuses(day) == ["cancelled", "scheduled", "scheduled"]


def test_too_many_are_refused_and_nothing_is_cancelled(registrar_client, day, monkeypatch):
    monkeypatch.setattr("attendance.api.many_views.MOST_CANCELLED", 1)

    refused = registrar_client.post(CANCEL, snow(day), format="json")

    assert (refused.status_code, refused.json()["code"]) == (400, "too_many_sessions")
    assert registrar_client.post(CANCEL, snow(day, reason=""), format="json").status_code == 400
    assert statuses(day) == ["scheduled"] * 3


def test_the_sheets_of_a_term_are_locked_in_one_request(registrar_client, user_with, client_for):
    usual_codes()
    section = SectionFactory()
    over, recent, to_come, elsewhere = (
        ClassSessionFactory(section=section, starts_at=timezone.now() - 9 * DAY),
        ClassSessionFactory(section=section, starts_at=timezone.now() - 2 * DAY, marking="open"),
        ClassSessionFactory(section=section, starts_at=timezone.now() + DAY),
        ClassSessionFactory(starts_at=timezone.now() - 9 * DAY),
    )
    body = {"section": str(section.pk), "reason": "The middle of the term"}
    before = {**body, "ends_before": (timezone.now() - 5 * DAY).isoformat()}
    teacher = client_for(user_with(Role.FACULTY, "self"))

    assert teacher.post(LOCK, body, format="json").status_code == 403
    assert registrar_client.post(LOCK, before, format="json").json()["data"] == {"locked": 1, "is_complete": True}
    assert registrar_client.post(LOCK, body, format="json").json()["data"] == {"locked": 1, "is_complete": True}
    assert registrar_client.post(LOCK, body, format="json").json()["code"] == "no_sessions"
    found = [ClassSession.objects.get(pk=session.pk) for session in (over, recent, to_come, elsewhere)]
    assert [row.marking for row in found] == ["locked", "locked", "scheduled", "scheduled"]
    assert {row.lock_note for row in found[:2]} == {"The middle of the term"}


def test_what_is_left_is_locked_by_the_same_request(registrar_client, monkeypatch):
    monkeypatch.setattr("attendance.api.many_views.MOST_LOCKED", 2)
    section = SectionFactory()
    for days in (3, 4, 5):
        ClassSessionFactory(section=section, starts_at=timezone.now() - days * DAY)

    answers = [
        registrar_client.post(LOCK, {"section": str(section.pk)}, format="json").json()["data"] for _ in range(2)
    ]

    assert answers == [{"locked": 2, "is_complete": False}, {"locked": 1, "is_complete": True}]
