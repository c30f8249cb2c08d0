"""A sheet that was closed is changed by whoever says why, and by no other way; the reason stays in the history."""

import pytest
from django.utils import timezone

from attendance.models import AttendanceRecord
from audit.models import Change
from core.ids import new_id
from tests.attendance.test_marking import classroom, codes_of, mark, marked, put, url

__all__ = ["classroom"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def closed(classroom):
    """A sheet on which everybody is present, and which the teacher has closed."""
    put(classroom, default="present")
    assert classroom.post(url(classroom.lesson, "close")).status_code == 200
    classroom.lesson.refresh_from_db()
    return classroom.lesson


def reopen(client, session, **given):
    return client.post(url(session, "open"), given, format="json")


def written():
    return Change.objects.filter(table_name__startswith="attendance_").count()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "reason_required"), ({"reason": ""}, "reason_required"), ({"reason": " "}, "surrounding_space"),
        ({"reason": None}, "null"), ({"reason": 7}, "invalid"), ({"reason": "x" * 501}, "max_length"),
        ({"why": "x"}, "unknown_field"),
    ],
)  # fmt: skip
def test_nobody_changes_a_mark_of_a_closed_sheet_without_saying_why(classroom, closed, given, code):
    session, before = closed, (closed.version, written())

    refused = reopen(classroom, session, **given)
    marking = put(classroom, mark(classroom.class_[0], "absent"))
    body = {"code": "absent", "students": [str(classroom.class_[0].student_id)], "sessions": [str(session.pk)]}
    together = classroom.post("/api/v1/attendance/sessions/bulk-mark/", body, format="json")
    queued = {
        "client_id": str(new_id()), "session": str(session.pk), "enrollment": str(classroom.class_[0].pk),
        "code": "absent", "made_at": timezone.now().isoformat(), "version": session.version,
    }  # fmt: skip
    offline = classroom.post("/api/v1/attendance/sessions/sync/", {"marks": [queued]}, format="json")

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, code), refused.json()
    assert refused.json()["errors"][0]["field"] == ("why" if "why" in given else "reason")
    assert codes_of(marking) == [("session_closed", "marking")]
    assert codes_of(together) == [("session_closed", "sessions.0.marking")]
    assert offline.json()["data"]["results"][0]["error"]["code"] == "session_closed"
    session.refresh_from_db()
    assert (session.version, written()) == before
    assert set(marked(session).values()) == {"present"}


def test_why_a_sheet_is_opened_again_stays_in_its_history_with_what_was_changed_then(classroom, closed):
    session, first = closed, classroom.class_[0]
    assert reopen(classroom, session, reason="Came in late").status_code == 200
    # Of an open one nothing changes, and nothing is asked.
    assert classroom.post(url(session, "open")).status_code == 200
    put(classroom, mark(first, "late"))
    classroom.post(url(session, "close"))

    entries = Change.objects.filter(row_id=str(session.pk), operation="update").order_by("id")
    (noted,) = (entry for entry in entries if "lock_note" in entry.changes)
    assert noted.changes["lock_note"] == ["", "Came in late"]
    assert (noted.changes["marking"], noted.actor_id is not None) == (["closed", "open"], True)
    record = AttendanceRecord.objects.get(session=session, enrollment=first)
    changed = Change.objects.filter(row_id=str(record.pk), operation="update").latest("id")
    assert changed.id > noted.id
