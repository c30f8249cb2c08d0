"""What readers report: whose class it is, how it weighs against other marks, and that an event counts once."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.roles import Role
from attendance import services
from attendance.models import AttendanceRecord, ClassSession, Credential, Punch, Reader
from core.errors import DomainError
from core.models import Chore
from tests.accounts.factories import RoleAssignmentFactory, UserFactory
from tests.accounts.keys import bare_key
from tests.attendance.factories import (
    AttendancePolicyFactory,
    AttendanceRecordFactory,
    ClassSessionFactory,
    ExcuseRequestFactory,
    ReaderFactory,
    usual_codes,
)
from tests.departments.factories import RoomFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def door():
    """A reader at the door of a room in which a class began an hour ago, and three students who have cards."""
    door = SimpleNamespace(codes=usual_codes(), reader=ReaderFactory(code="north-1"), number=0)
    door.session = ClassSessionFactory(room=door.reader.room)
    door.enrollments = [EnrollmentFactory(section=door.session.section) for _ in range(3)]
    for number, row in enumerate(door.enrollments):
        services.create_credential(by=None, student=row.student, credential=f"card {number}", label="Blue card")
    return door


def seen(door, card=0, *, after=0, event=None, reader="north-1"):
    door.number += 1
    at = door.session.starts_at + after * MINUTE
    return services.Seen(reader=reader, external_event_id=event or f"e{door.number}", credential=f"card {card}", at=at)


def report(door, *reports, by=None):
    taken = services.take_punches(reports, by=by or door.reader.account, at=timezone.now())
    return [each.refused.code if each.refused else each.outcome for each in taken]


def marks(door):
    records = AttendanceRecord.objects.filter(session=door.session).select_related("code")
    found = {row.enrollment_id: (row.code.code, row.source, row.minutes_late) for row in records}
    return [found.get(row.pk) for row in door.enrollments]


def test_whoever_was_seen_at_the_door_is_marked_by_when_they_came(door):
    assert report(door, seen(door, 0, after=-5), seen(door, 1, after=20), seen(door, 1, after=25)) == [
        "marked", "marked", "kept",
    ]  # fmt: skip

    assert marks(door) == [("present", "reader", None), ("late", "reader", 20), None]


def test_how_late_is_late_is_what_the_policy_says(door):
    begins = door.session.section.term.starts_on
    week = timedelta(days=7)
    AttendancePolicyFactory(valid=DateRange(begins - week, begins + week, "[)"), late_after=15)

    report(door, seen(door, 0, after=15), seen(door, 1, after=16))

    assert marks(door)[:2] == [("present", "reader", None), ("late", "reader", 16)]


def test_an_event_counts_once_however_often_it_is_reported(door):
    one = seen(door, 0, after=20)
    first = services.take_punches([one, one], by=door.reader.account, at=timezone.now())
    version = ClassSession.objects.get(pk=door.session.pk).version

    again = services.take_punches([one], by=door.reader.account, at=timezone.now())

    assert [(each.outcome, each.is_known) for each in (*first, *again)] == [
        ("marked", False), ("marked", True), ("marked", True),
    ]  # fmt: skip
    assert Punch.objects.count() == 1
    assert ClassSession.objects.get(pk=door.session.pk).version == version


def test_what_is_not_believed_is_refused_by_itself_and_not_kept(door):
    other = UserFactory(is_service=True)
    Reader.objects.create(code="off", name="Off", room=door.reader.room, account=door.reader.account, is_active=False)

    assert report(
        door, seen(door, reader="south"), seen(door, reader="off"), seen(door, 9), seen(door, after=90), seen(door, 0)
    ) == ["unknown_reader", "unknown_reader", "unknown_credential", "punch_in_future", "marked"]
    assert report(door, seen(door), by=other) == ["unknown_reader"]
    assert Punch.objects.count() == 1


def test_what_comes_late_is_weighed_by_source_and_by_when_it_was_seen(door):
    first, second, third = door.enrollments
    AttendanceRecordFactory(session=door.session, enrollment=first, code=door.codes.absent, source="import")
    AttendanceRecordFactory(session=door.session, enrollment=second, code=door.codes.absent, source="manual")
    AttendanceRecordFactory(session=door.session, enrollment=third, code=door.codes.late, minutes_late=30, source="qr")
    ClassSession.objects.filter(pk=door.session.pk).update(marking="closed")

    assert report(door, *(seen(door, card, after=20) for card in range(3))) == ["marked", "kept", "marked"]

    assert marks(door) == [("late", "reader", 20), ("absent", "manual", None), ("late", "reader", 20)]
    assert ClassSession.objects.get(pk=door.session.pk).marking == "closed"
    assert report(door, seen(door, 0, after=40)) == ["kept"]
    assert report(door, seen(door, 0, after=2)) == ["marked"]
    assert marks(door)[0] == ("present", "reader", None)


def test_what_lies_beneath_an_excuse_is_the_earliest_arrival_too(door):
    now = timezone.now()
    report(door, seen(door, 0, after=-5), seen(door, 1, after=30))
    excuses = [ExcuseRequestFactory(student=row.student) for row in door.enrollments[:2]]
    for excuse in excuses:
        services.approve_excuse(excuse, by=None, at=now)

    assert report(door, seen(door, 0, after=40), seen(door, 1, after=20)) == ["kept", "kept"]
    assert {mark[0] for mark in marks(door)[:2]} == {"excused"}

    for excuse in excuses:
        excuse.refresh_from_db()
        services.revoke_excuse(excuse, by=None, at=now)
    assert marks(door)[:2] == [("present", "reader", None), ("late", "reader", 20)]


def test_what_is_of_no_class_or_of_a_locked_sheet_marks_nobody(door):
    elsewhere = ReaderFactory(code="south-1", account=door.reader.account, room=RoomFactory())
    assert report(door, seen(door, reader=elsewhere.code), seen(door, after=-16)) == ["no_session", "no_session"]
    ClassSession.objects.update(marking="locked")
    assert report(door, seen(door)) == ["session_locked"]
    ClassSession.objects.update(marking="open", status="cancelled")
    assert report(door, seen(door)) == ["no_session"]
    assert marks(door) == [None, None, None]


def test_what_becomes_of_a_class_later_marks_when_it_is_reported_again_and_at_night(door):
    ClassSession.objects.filter(pk=door.session.pk).update(room=None)
    again, at_night = seen(door, 0, after=1), seen(door, 1, after=20)
    assert report(door, again, at_night) == ["no_session"] * 2
    assert report(door, again, again) == ["no_session"] * 2
    assert services.weigh_punches(at=timezone.now()) == 0
    ClassSession.objects.filter(pk=door.session.pk).update(room=door.reader.room, marking="locked")
    assert report(door, again) == ["session_locked"]
    assert services.weigh_punches(at=timezone.now()) == 0
    ClassSession.objects.filter(pk=door.session.pk).update(marking="closed")

    (taken,) = services.take_punches([again], by=door.reader.account, at=timezone.now())
    call_command("weigh_punches")

    assert (taken.outcome, taken.is_known) == ("marked", True)
    assert marks(door)[:2] == [("present", "reader", None), ("late", "reader", 20)]
    assert list(Punch.objects.values_list("outcome", "session")) == [("marked", door.session.pk)] * 2
    assert Chore.objects.get(name="weigh_punches").count == 1
    assert services.weigh_punches(at=timezone.now()) == 0


@pytest.mark.django_db(transaction=True)
def test_what_is_reported_again_by_two_at_once_marks_once(door):
    ClassSession.objects.filter(pk=door.session.pk).update(room=None)
    one = seen(door, 0, after=1)
    report(door, one)
    ClassSession.objects.filter(pk=door.session.pk).update(room=door.reader.room)

    assert at_once(lambda: report(door, one), lambda: report(door, one)) == [["marked"]] * 2
    assert Punch.objects.get().outcome == "marked"


def test_of_two_classes_that_touch_it_is_the_one_that_begins_at_that_time(door):
    after = ClassSessionFactory(
        section=door.session.section, room=door.reader.room, starts_at=door.session.ends_at - 75 * MINUTE
    )
    ClassSession.objects.filter(pk=door.session.pk).update(ends_at=after.starts_at)

    assert report(door, seen(door, 0), seen(door, 1, after=10)) == ["marked", "marked"]

    assert [marks(door)[0], marks(door)[1]] == [("present", "reader", None), None]
    assert AttendanceRecord.objects.get(session=after).enrollment == door.enrollments[1]


def test_many_reports_of_many_classes_cost_as_many_statements_as_two(door):
    def classes(count):
        found = []
        for _ in range(count):
            session = ClassSessionFactory(room=door.reader.room, starts_at=door.session.starts_at)
            for _ in range(5):
                row = EnrollmentFactory(section=session.section)
                services.create_credential(by=None, student=row.student, credential=f"card {row.pk}")
                found.append(seen(door, row.pk))
        return found

    def cost(reports):
        with CaptureQueriesContext(connection) as captured:
            assert set(report(door, *reports)) == {"marked"}
        return len(captured)

    assert cost(classes(2)) == cost(classes(6)) <= 14


def test_a_program_reports_over_http_and_is_told_what_became_of_each(door, client_for):
    account = door.reader.account
    RoleAssignmentFactory(user=account, role=Role.INTEGRATION)
    client = client_for(None)
    client.credentials(HTTP_AUTHORIZATION=f"Api-Key {bare_key(account, 'attendance.add_punch').secret}")
    at = door.session.starts_at.isoformat()
    item = {"reader": "north-1", "external_event_id": "1", "credential": "card 0", "at": at}

    answer = client.post("/api/v1/attendance/punches/", {"items": [item, {**item, "reader": "x"}, item]}, format="json")

    data = answer.json()["data"]
    assert (data["taken"], data["known"], data["refused"]) == (1, 1, 1)
    assert [(each["status"], each["code"]) for each in data["results"]] == [
        ("taken", None), ("refused", "unknown_reader"), ("known", None),
    ]  # fmt: skip
    too_many = client.post("/api/v1/attendance/punches/", {"items": [item] * 1001}, format="json")
    assert too_many.status_code == 400
    assert marks(door)[0] == ("present", "reader", None)


def test_cards_are_kept_as_keyed_hashes_and_belong_to_one_student(door):
    with pytest.raises(DomainError) as refused:
        services.create_credential(by=None, student=door.enrollments[1].student, credential="card 0")

    assert refused.value.violations[0].error_code == "credential_taken"
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(c::text, '') FROM attendance_credential c")
        assert "card 0" not in cursor.fetchone()[0]


def test_cards_are_given_on_the_administration_pages(client, registrar, door):
    client.force_login(registrar)
    student = EnrollmentFactory().student

    given = client.post(
        "/admin/attendance/credential/add/", {"student": str(student.pk), "label": "Red", "credential": "card 77"}
    )

    assert given.status_code == 302, given.content.decode()
    assert Credential.objects.get(student=student).label == "Red"
