"""Checking in by the code on the wall: who is let in, who is refused by which code, what is kept and flagged."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from ipaddress import ip_address
from types import SimpleNamespace

import pytest
from django.core.exceptions import FieldError
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.roles import Role
from attendance import check_in_tokens as tokens
from attendance import services
from attendance.models import AttendanceRecord, CheckInEvent, CheckInWindow, ClassSession, ExcuseRequest, Outcome
from attendance.services import sheets
from audit.models import Change
from campushub360.local import CHECKOUT
from core.errors import DomainError
from core.privacy.retention import periods
from tests.attendance.factories import (
    AttendanceRecordFactory,
    ClassSessionFactory,
    ExcuseRequestFactory,
    usual_codes,
)
from tests.courses.factories import SectionInstructorFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.racing import at_once
from tests.students.factories import StudentFactory

pytestmark = pytest.mark.django_db
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
CAMPUS = ip_address("10.20.0.7")
HOME = ip_address("203.0.113.9")
HERE = services.Place(Decimal("48.208000"), Decimal("16.373000"), 100)
# Some hundred kilometres away.
FAR = {"latitude": Decimal("47.070000"), "longitude": Decimal("15.430000")}


@pytest.fixture
def hall(user_with):
    """A session that begins now, the account of its teacher, and three students who have accounts."""
    usual_codes()
    taught = SectionInstructorFactory()
    hall = SimpleNamespace(teacher=user_with(Role.FACULTY, "self", person=taught.faculty.person))
    hall.now = timezone.now().replace(microsecond=0)
    hall.session = ClassSessionFactory(section=taught.section, starts_at=hall.now)
    hall.enrollments = [EnrollmentFactory(section=taught.section) for _ in range(3)]
    hall.students = [user_with(Role.STUDENT, person=row.student.person) for row in hall.enrollments]
    return hall


def opened(hall, session=None, **values):
    return services.open_check_in(session or hall.session, by=hall.teacher, at=hall.now, **values)


def token(hall, at=None, session=None):
    session = session or hall.session
    return tokens.shown(CheckInWindow.objects.get(session=session).secret, session.pk, at=at or hall.now).token


def comes(hall, number=0, *, at=None, session=None, device=None, **said):
    """Let a student check in, and return the outcome."""
    at = at or hall.now
    session = session or hall.session
    sent = {"token": said.pop("token", None) or token(hall, at, session), "address": CAMPUS, **said}
    attempt = services.Attempt(device_key=device or f"the telephone of student {number}", **sent)
    by = hall.students[number] if isinstance(number, int) else number
    try:
        return services.check_in(session, attempt, by=by, at=at).outcome
    except DomainError as refused:
        return refused.violations[0].error_code


def marks(session):
    records = AttendanceRecord.objects.filter(session=session)
    return {row.enrollment_id: (row.code.code, row.source, row.minutes_late) for row in records.select_related("code")}


def outcomes():
    return list(CheckInEvent.objects.order_by("pk").values_list("outcome", flat=True))


def test_whoever_shows_the_code_of_the_moment_is_marked_and_lateness_is_counted_from_the_beginning(hall):
    opened(hall, closes_at=hall.now + 30 * MINUTE)

    assert comes(hall, 0) == "accepted"
    assert comes(hall, 1, at=hall.now + 12 * MINUTE) == "accepted"

    first, second, _ = hall.enrollments
    assert marks(hall.session) == {first.pk: ("present", "qr", None), second.pk: ("late", "qr", 12)}
    assert AttendanceRecord.objects.get(enrollment=first).marked_by == hall.students[0]


def test_what_a_teacher_has_marked_stays_and_a_teacher_changes_what_a_code_has_marked(hall):
    first, second, _ = hall.enrollments
    AttendanceRecordFactory(session=hall.session, enrollment=first, code=usual_codes().absent)
    opened(hall)

    assert (comes(hall, 0), comes(hall, 1)) == ("accepted", "accepted")
    session = ClassSession.objects.get(pk=hall.session.pk)
    services.mark_roster(
        session, marks=[services.Mark(enrollment=second.pk, code="absent")], by=hall.teacher, at=hall.now
    )

    assert {code for code, _, _ in marks(hall.session).values()} == {"absent"}


def test_an_earlier_arrival_that_a_reader_has_seen_stays(hall):
    first, second, _ = hall.enrollments
    codes = usual_codes()
    for row, code, minutes in ((first, codes.present, None), (second, codes.late, 14)):
        AttendanceRecordFactory(
            session=hall.session, enrollment=row, code=code, minutes_late=minutes, source="reader"
        )  # fmt: skip
    opened(hall, closes_at=hall.now + 30 * MINUTE)

    assert [comes(hall, number, at=hall.now + 12 * MINUTE) for number in (0, 1)] == ["accepted", "accepted"]

    assert marks(hall.session) == {first.pk: ("present", "reader", None), second.pk: ("late", "qr", 12)}


def test_each_refusal_has_its_code_marks_nobody_and_is_kept(hall, user_with):
    assert comes(hall, token="x") == "check_in_closed"
    assert outcomes() == []
    opened(hall, opens_at=hall.now + MINUTE, networks=["10.20.0.0/16"], place=HERE)
    later = hall.now + 2 * MINUTE
    there = {"latitude": HERE.latitude, "longitude": HERE.longitude}
    other = ClassSessionFactory(section=hall.session.section, starts_at=hall.now)
    opened(hall, session=other)

    assert comes(hall) == "check_in_early"
    assert comes(hall, at=later, token=token(hall, later, other), **there) == "token_invalid"
    assert comes(hall, at=later, token=token(hall, later)[:-1] + "é", **there) == "token_invalid"
    assert comes(hall, at=later, token=token(hall, later + 10 * SECOND), **there) == "token_early"
    assert comes(hall, at=later, token=token(hall, later - 16 * SECOND), **there) == "token_expired"
    assert comes(hall, at=later, address=HOME, **there) == "wrong_network"
    assert comes(hall, at=later, address=None, **there) == "wrong_network"
    assert comes(hall, at=later) == "wrong_place"
    assert comes(hall, at=later, **FAR) == "wrong_place"
    stranger = user_with(Role.STUDENT, person=StudentFactory().person)
    assert comes(hall, stranger, at=later, **there) == "not_expected"
    assert marks(hall.session) == {}
    assert outcomes() == [
        "check_in_early", "token_invalid", "token_invalid", "token_early", "token_expired",
        "wrong_network", "wrong_network", "wrong_place", "wrong_place", "not_expected",
    ]  # fmt: skip
    assert comes(hall, at=later, **there) == "accepted"
    assert comes(hall, 1, at=hall.now + 16 * MINUTE, **there) == "check_in_closed"


def test_a_token_is_good_for_fifteen_seconds_at_most(hall):
    window = opened(hall)
    slice_begins = tokens.shown(window.secret, hall.session.pk, at=hall.now).starts_at + tokens.SLICE
    shown = token(hall, slice_begins)

    assert comes(hall, 0, at=slice_begins + 14 * SECOND, token=shown) == "accepted"
    assert comes(hall, 1, at=slice_begins + 15 * SECOND, token=shown) == "token_expired"


def test_one_checks_in_once_and_a_device_serves_one_student_in_one_session_at_a_time(hall):
    opened(hall)
    parallel = ClassSessionFactory(starts_at=hall.now + MINUTE)
    after = ClassSessionFactory(starts_at=hall.session.ends_at)
    for session in (parallel, after):
        EnrollmentFactory(section=session.section, student=hall.enrollments[0].student)
        services.open_check_in(session, by=None, at=session.starts_at)

    assert comes(hall, 0) == "accepted"
    assert comes(hall, 0) == "check_in_replayed"
    assert comes(hall, 0, device="another telephone of theirs") == "check_in_replayed"
    assert comes(hall, 1, device="the telephone of student 0") == "device_shared"
    assert comes(hall, 0, session=parallel, at=hall.now + MINUTE) == "device_elsewhere"
    assert comes(hall, 0, session=after, at=after.starts_at) == "accepted"


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"marking": "closed"}, "session_closed"),
        ({"marking": "locked"}, "session_locked"),
        ({"status": "cancelled"}, "session_cancelled"),
    ],
)
def test_a_sheet_that_takes_no_marks_takes_no_check_ins(hall, state, code):
    opened(hall)
    ClassSession.objects.filter(pk=hall.session.pk).update(**state)

    assert comes(hall) == code
    assert (outcomes(), marks(hall.session)) == ([code], {})


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_with_one_device_one_is_let_in(hall):
    parallel = ClassSessionFactory(starts_at=hall.now)
    EnrollmentFactory(section=parallel.section, student=hall.enrollments[1].student)
    opened(hall)
    opened(hall, session=parallel)

    found = at_once(
        lambda: comes(hall, 0, device="a telephone for two"),
        lambda: comes(hall, 1, device="a telephone for two", session=parallel),
    )

    assert sorted(found) == ["accepted", "device_shared"]
    assert sorted(outcomes()) == ["accepted", "device_shared"]
    assert AttendanceRecord.objects.count() == 1


def test_every_refusal_that_is_kept_is_explained():
    page = (CHECKOUT / "docs/explanation/check-in.md").read_text()

    assert [outcome for outcome in Outcome.values if f"`{outcome}`" not in page] == ["accepted"]


def test_what_is_strange_is_flagged_and_punishes_nobody(hall):
    opened(hall, closes_at=hall.now + 60 * MINUTE)
    here = {"latitude": HERE.latitude, "longitude": HERE.longitude}
    after = ClassSessionFactory(section=hall.session.section, starts_at=hall.session.ends_at)
    opened(hall, session=after, opens_at=after.starts_at)

    comes(hall, 0, **here)
    comes(hall, 1, session=after, at=after.starts_at, device="the telephone of student 0")
    comes(hall, 0, at=hall.now + MINUTE, **FAR)
    for _ in range(5):
        comes(hall, 2, token="guessed")

    assert marks(after)[hall.enrollments[1].pk] == ("present", "qr", None)
    flags = list(CheckInEvent.objects.order_by("pk").values_list("flags", flat=True))
    assert flags == [[], ["shared_device"], ["impossible_place", "shared_device"], [], [], [], [], ["burst"]]


def test_as_many_statements_whoever_came_before(hall):
    opened(hall)

    def cost(number):
        with CaptureQueriesContext(connection) as captured:
            assert comes(hall, number) == "accepted"
        return len(captured)

    first, second = cost(0), cost(1)

    # The first opens the sheet, and the others count on.
    assert second <= first <= 30


def test_who_is_in_a_hall_is_not_read_again_for_each_who_comes(hall, monkeypatch):
    excused = ExcuseRequestFactory(
        student=hall.enrollments[2].student, period=DateTimeTZRange(hall.now - MINUTE, hall.now + 60 * MINUTE, "[)")
    )
    ExcuseRequest.objects.filter(pk=excused.pk).update(status="approved")
    opened(hall)
    real, read = sheets.lines_of, []

    def counted(*args, **named):
        lines = real(*args, **named)
        read.append(len(lines))
        return lines

    monkeypatch.setattr(sheets, "lines_of", counted)

    assert (comes(hall, 0), comes(hall, 1)) == ("accepted", "accepted")

    # The first opens the sheet, with those who are excused.
    assert read == [3, 1]
    assert [code for code, _, _ in marks(hall.session).values()].count("excused") == 1


@pytest.mark.django_db(transaction=True)
def test_the_wall_shows_the_code_while_somebody_checks_in(hall, client_for):
    client, url = client_for(hall.teacher), f"/api/v1/attendance/sessions/{hall.session.pk}/check-in/token/"
    opened(hall)

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        ClassSession.objects.select_for_update(no_key=True).get(pk=hall.session.pk)

        def shown():
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            try:
                return client.get(url)
            finally:
                connection.close()

        answer = pool.submit(shown).result(30)

    assert answer.status_code == 200, answer.json()
    assert answer.json()["data"]["token"].startswith(hall.session.pk.hex)


def test_a_code_is_shown_to_those_alone_who_mark_the_session(hall, user_with, client_for):
    opened(hall)
    url = f"/api/v1/attendance/sessions/{hall.session.pk}/check-in/token/"
    another = SectionInstructorFactory().faculty.person

    found = [
        client_for(each).get(url).status_code
        for each in (user_with(Role.FACULTY, "self", person=another), user_with(Role.AUDITOR))
    ]

    assert found == [404, 403]


def test_the_secret_and_the_devices_are_told_nowhere(hall):
    opened(hall)
    window = opened(hall)
    comes(hall)

    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM attendance_checkinwindow")
        stored = bytes(cursor.fetchone()[0])
        cursor.execute("SELECT string_agg(e::text, '') FROM attendance_checkinevent e")
        events = cursor.fetchone()[0]
    history = "".join(str(entry.changes) for entry in Change.objects.filter(table_name="attendance_checkinwindow"))
    assert window.secret.encode() not in stored
    assert "secret" in history
    assert window.secret not in history
    assert "the telephone" not in events
    with pytest.raises(FieldError):
        CheckInWindow.objects.filter(secret=window.secret)


def test_opening_again_ends_the_codes_before_and_closing_ends_them_all(hall):
    opened(hall)
    before = token(hall)
    opened(hall)
    assert comes(hall, token=before) == "token_invalid"

    services.close_check_in(hall.session, by=hall.teacher, at=hall.now)
    assert comes(hall) == "check_in_closed"
    assert services.poster(hall.session, by=hall.teacher, at=hall.now).token is None


def test_attempts_go_when_their_time_is_over(hall):
    opened(hall)
    comes(hall)
    (period,) = (each for each in periods() if each.what == "attendance.CheckInEvent")
    later = hall.now + period.kept() + SECOND

    assert (period.due(hall.now), period.due(later)) == (0, 1)
    assert period.apply(later) == 1
    assert not CheckInEvent.objects.exists()
    assert len(marks(hall.session)) == 1


def test_whoever_is_no_student_checks_in_nowhere(hall, client_for):
    url = f"/api/v1/attendance/sessions/{hall.session.pk}/check-in/"

    answer = client_for(hall.teacher).post(url, {"token": "x", "device_key": "k" * 16}, format="json")

    assert answer.status_code == 403
    assert not CheckInEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_teacher_marks_the_class_while_everybody_checks_in_and_nobody_who_came_is_lost(hall, user_with, client_for):
    rows = [EnrollmentFactory(section=hall.session.section) for _ in range(27)]
    hall.enrollments += rows
    hall.students += [user_with(Role.STUDENT, person=row.student.person) for row in rows]
    opened(hall)
    first, *others = hall.enrollments
    assert comes(hall, 0) == "accepted"  # which opens the sheet
    teacher, url = client_for(hall.teacher), f"/api/v1/attendance/sessions/{hall.session.pk}/roster/"
    read = teacher.get(url).headers["ETag"]

    def mark():
        body = {"default": "absent", "marks": [{"enrollment": str(others[0].pk), "code": "late", "minutes_late": 3}]}
        return teacher.put(url, body, format="json", headers={"If-Match": read}).status_code

    def arrive(numbers):
        return lambda: {comes(hall, number) for number in numbers}

    *arrived, answer = at_once(arrive(range(2, 16)), arrive(range(16, 30)), mark)

    assert (arrived, answer) == ([{"accepted"}] * 2, 200)
    found = marks(hall.session)
    assert found[others[0].pk] == ("late", "manual", 3)
    # Whoever came before the teacher saved stays, and so does what the teacher said of those who came after it.
    came = {row.pk for row in others[1:] if found[row.pk][:2] == ("present", "qr")}
    assert {found[row.pk] for row in others[1:] if row.pk not in came} <= {("absent", "manual", None)}
    assert found[first.pk] == ("present", "qr", None)


def test_who_is_let_in_to_two_classes_at_one_time_is_flagged(hall):
    opened(hall)
    parallel, later = (ClassSessionFactory(starts_at=hall.now + wait) for wait in (10 * MINUTE, 90 * MINUTE))
    for session in (parallel, later):
        EnrollmentFactory(section=session.section, student=hall.enrollments[0].student)
        EnrollmentFactory(section=session.section, student=hall.enrollments[1].student)
        opened(hall, session=session)

    assert comes(hall, 0) == "accepted"
    assert comes(hall, 0, session=parallel, device="another telephone in one hand") == "accepted"
    assert comes(hall, 1, session=parallel) == "accepted"

    flags = CheckInEvent.objects.order_by("pk").values_list("flags", flat=True)
    assert list(flags) == [[], ["two_places"], []]


def test_arrivals_change_the_tag_of_a_sheet_and_not_the_version_that_a_teacher_compares(hall, client_for):
    teacher, url = client_for(hall.teacher), f"/api/v1/attendance/sessions/{hall.session.pk}/roster/"
    opened(hall)
    comes(hall, 0)
    before = teacher.get(url)

    assert comes(hall, 1) == "accepted"

    assert teacher.get(url, headers={"If-None-Match": before.headers["ETag"]}).status_code == 200
    body = {"default": "absent", "marks": []}
    first = teacher.put(url, body, format="json", headers={"If-Match": before.headers["ETag"]})
    again = teacher.put(url, body, format="json", headers={"If-Match": before.headers["ETag"]})
    assert (first.status_code, first.json()["data"]["counts"]) == (200, {"present": 2, "absent": 1})
    assert again.status_code == 412
