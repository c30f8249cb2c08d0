"""Sheets that are final: locked by those in charge or by the policy, and unlocked for a reason that stays."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.roles import Role, ScopeKind
from attendance import services
from attendance.models import AttendanceRecord, ClassSession
from audit.models import Change
from core.models import Chore
from tests.attendance.factories import AttendancePolicyFactory, ClassSessionFactory, ExcuseRequestFactory, usual_codes
from tests.courses.factories import CourseFactory, SectionFactory, SectionInstructorFactory
from tests.departments.factories import TermFactory
from tests.enrollment.factories import EnrollmentFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def lesson():
    usual_codes()
    section = SectionInstructorFactory(section__term=TermFactory(state="in_progress")).section
    EnrollmentFactory(section=section)
    return ClassSessionFactory(section=section)


def step(client, session, verb, **body):
    return client.post(f"/api/v1/attendance/sessions/{session.pk}/{verb}/", body, format="json")


def put(client, session):
    page = f"/api/v1/attendance/sessions/{session.pk}/roster/"
    headers = {"If-Match": client.get(page).headers["ETag"]}
    return client.put(page, {"default": "absent", "marks": []}, format="json", headers=headers)


def test_a_locked_sheet_is_corrected_by_who_says_why_and_the_reason_stays(lesson, registrar_client):
    locked = step(registrar_client, lesson, "lock")
    refused = [put(registrar_client, lesson), step(registrar_client, lesson, "open")]
    silent = [step(registrar_client, lesson, "unlock", **body) for body in ({}, {"reason": ""})]
    unlocked = step(registrar_client, lesson, "unlock", reason="Two students mixed up")
    still_closed = put(registrar_client, lesson)
    untold = step(registrar_client, lesson, "open")
    step(registrar_client, lesson, "open", reason="They were")
    marked = put(registrar_client, lesson)
    step(registrar_client, lesson, "lock", reason="Mended")

    assert (locked.json()["data"]["marking"], unlocked.json()["data"]["marking"]) == ("locked", "closed")
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(409, "session_locked")] * 2
    assert [(answer.status_code, answer.json()["errors"][0]["field"]) for answer in silent] == [(400, "reason")] * 2
    assert (still_closed.json()["code"], marked.status_code) == ("session_closed", 200)
    assert (untold.status_code, untold.json()["code"]) == (400, "reason_required")
    changes = Change.objects.filter(row_id=str(lesson.pk), operation="update").order_by("id")
    notes = [
        (entry.changes["lock_note"], entry.actor_id is not None) for entry in changes if "lock_note" in entry.changes
    ]
    assert notes == [
        (["", "Two students mixed up"], True), (["Two students mixed up", "They were"], True),
        (["They were", "Mended"], True),
    ]  # fmt: skip


def test_what_cannot_be_locked_or_unlocked_is_refused_by_name(lesson, registrar_client):
    to_come = ClassSessionFactory(section=lesson.section, starts_at=timezone.now() + timedelta(days=1))
    off = ClassSessionFactory(section=lesson.section, status="cancelled")

    answers = [
        step(registrar_client, lesson, "unlock", reason="Why not"),
        step(registrar_client, to_come, "lock"),
        step(registrar_client, off, "lock"),
    ]

    assert [answer.json()["code"] for answer in answers] == [
        "session_not_locked", "session_not_begun", "session_cancelled",
    ]  # fmt: skip
    assert [step(registrar_client, lesson, "lock").status_code for _ in range(2)] == [200, 200]


def test_who_teaches_locks_and_unlocks_nothing(lesson, user_with, client_for):
    person = lesson.section.section_instructors.get().faculty.person
    teacher = client_for(user_with(Role.FACULTY, "self", person=person))
    head = client_for(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, lesson.section.course.department_id))

    assert [step(client, lesson, "lock").status_code for client in (teacher, head)] == [403, 200]
    assert [step(client, lesson, "unlock", reason="Mine").status_code for client in (teacher, head)] == [403, 200]


def test_the_policy_locks_after_so_many_days_and_again_what_was_unlocked(lesson):
    elsewhere = SectionFactory(term=lesson.section.term, course=CourseFactory())
    AttendancePolicyFactory(lock_after=7)
    AttendancePolicyFactory(course=elsewhere.course)
    now = timezone.now()
    over = {
        name: ClassSessionFactory(section=section, starts_at=now - timedelta(days=days), **values)
        for name, section, days, values in [
            ("long", lesson.section, 9, {}), ("open", lesson.section, 8, {"marking": "open"}),
            ("lately", lesson.section, 6, {}), ("off", lesson.section, 9, {"status": "cancelled"}),
            ("elsewhere", elsewhere, 9, {}),
        ]
    }  # fmt: skip
    told = StringIO()

    call_command("lock_sessions", stdout=told)

    assert "2 sheets locked." in told.getvalue()
    assert Chore.objects.get(name="lock_sessions").count == 2
    locked = set(ClassSession.objects.filter(marking="locked").values_list("pk", flat=True))
    assert locked == {over["long"].pk, over["open"].pk}
    services.unlock_session(ClassSession.objects.get(pk=over["long"].pk), by=None, at=now, reason="A slip")
    assert [services.lock_sessions(at=now) for _ in range(2)] == [1, 0]


def test_who_is_excused_is_marked_so_before_the_sheet_is_final(lesson):
    AttendancePolicyFactory(lock_after=0)
    now = timezone.now()
    by_hand = ClassSessionFactory(section=lesson.section, starts_at=now + timedelta(hours=3))
    enrollment = lesson.section.enrollments.get()
    ClassSession.objects.filter(pk=lesson.pk).update(
        starts_at=now + timedelta(hours=1), ends_at=now + timedelta(hours=2)
    )
    period = DateTimeTZRange(now, now + timedelta(hours=5), "[)")
    services.approve_excuse(ExcuseRequestFactory(student=enrollment.student, period=period), by=None, at=now)

    services.lock_session(by_hand, by=None, at=now + timedelta(hours=4))
    assert services.lock_sessions(at=now + timedelta(hours=2)) == 1

    records = AttendanceRecord.objects.filter(enrollment=enrollment).values_list("session", "code__code", "source")
    assert set(records) == {(row.pk, "excused", "excuse") for row in (lesson, by_hand)}
    assert set(ClassSession.objects.values_list("marking", flat=True)) == {"locked"}


def test_who_changes_many_sessions_locks_them_in_one_order(lesson):
    AttendancePolicyFactory(lock_after=0)

    with CaptureQueriesContext(connection) as captured:
        services.generate_sessions(at=timezone.now())
        services.lock_sessions(at=timezone.now() + timedelta(days=1))

    locking = [each["sql"] for each in captured if "FOR NO KEY UPDATE" in each["sql"]]
    of_sessions = [sql for sql in locking if 'FROM "attendance_classsession"' in sql]
    assert of_sessions
    assert all('ORDER BY "attendance_classsession"."id" ASC' in sql for sql in of_sessions)
