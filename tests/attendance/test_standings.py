"""What attendance is divided by: each case by its name, and every unit explained."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.roles import Role
from attendance import services
from attendance.calculation import Tally, tallies, units
from audit.models import Disclosure
from tests.attendance.factories import AttendanceRecordFactory, ClassSessionFactory, usual_codes
from tests.courses.factories import SectionInstructorFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.students.factories import StudentFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WEEK = timedelta(weeks=1)
CODES = {"p": "present", "a": "absent", "l": "late", "e": "excused", "d": "on_duty"}


def held(section, *, ago=WEEK, starts_at=None, **values):
    return ClassSessionFactory(section=section, starts_at=starts_at or NOW - ago, **values)


def marked(session, enrollment, code):
    return AttendanceRecordFactory(
        session=session, enrollment=enrollment, code=getattr(usual_codes(), CODES[code]), local_date=session.local_date
    )


def term_of(enrollment, marks):
    """Hold a class each week, the last a week ago, and mark the student; `.` marks nobody."""
    sessions = []
    for weeks, code in enumerate(reversed(marks), start=1):
        sessions.append(held(enrollment.section, ago=weeks * WEEK))
        if code != ".":
            marked(sessions[-1], enrollment, code)
    return list(reversed(sessions))


def tally(enrollment, at=NOW):
    found = tallies([enrollment.pk], at=at)[enrollment.pk]
    explained = units(enrollment.pk, at=at)
    # What explains a number adds up to it, whatever the case.
    counted = [unit for unit in explained if unit.counts_as == "counted"]
    assert (len(counted), sum((unit.weight for unit in counted), Decimal(0))) == (found.counted, found.attended)
    ways = [unit.counts_as for unit in explained]
    assert [ways.count(name) for name in ("exempt", "unmarked", "to_come")] == [
        found.exempt, found.unmarked, found.to_come,
    ]  # fmt: skip
    return found


def test_present_late_and_on_duty_count_and_absent_does_not():
    student = EnrollmentFactory()
    term_of(student, "ppald")

    found = tally(student)

    assert (found.attended, found.counted, found.percent) == (4, 5, Decimal("80.00"))


def test_a_late_joiner_is_not_absent_from_what_was_before():
    student = EnrollmentFactory()
    sessions = term_of(student, ".." + "pp")
    student.enrolled_at = sessions[1].ends_at
    student.save()

    assert tally(student) == Tally(counted=2, attended=Decimal(2))
    assert [unit.counts_as for unit in units(student.pk, at=NOW)][:2] == ["not_enrolled"] * 2


def test_an_early_leaver_is_not_absent_from_what_came_after():
    student = EnrollmentFactory()
    sessions = term_of(student, "pa..")
    student.status, student.dropped_at = "withdrawn", sessions[2].starts_at
    student.save()

    assert tally(student) == Tally(counted=2, attended=Decimal(1))


def test_a_departed_student_keeps_what_they_had_and_misses_nothing_to_come():
    student = EnrollmentFactory()
    term_of(student, "ppa")
    held(student.section, starts_at=NOW + WEEK)
    student.status, student.dropped_at = "cancelled", NOW
    student.save()

    assert tally(student) == Tally(counted=3, attended=Decimal(2))


def test_a_cancelled_class_counts_for_nobody_though_somebody_was_marked():
    student = EnrollmentFactory()
    sessions = term_of(student, "pa")
    services.cancel_session(sessions[1], by=None, at=NOW, reason="Ill")

    assert tally(student) == Tally(counted=1, attended=Decimal(1))


def test_two_classes_on_one_day_are_two():
    student = EnrollmentFactory()
    for hours, code in ((30, "p"), (27, "a")):
        marked(held(student.section, ago=timedelta(hours=hours)), student, code)

    assert tally(student) == Tally(counted=2, attended=Decimal(1))


def test_an_excused_class_is_in_neither_sum():
    student = EnrollmentFactory()
    term_of(student, "ppea")

    found = tally(student)

    assert (found.exempt, found.percent) == (1, Decimal("66.67"))


def test_what_is_not_yet_marked_is_told_apart_and_nobody_is_present_or_absent():
    student = EnrollmentFactory()
    term_of(student, "p.")
    held(student.section, starts_at=NOW + WEEK)

    assert tally(student) == Tally(counted=1, attended=Decimal(1), unmarked=1, to_come=1)
    assert tally(EnrollmentFactory(section=student.section)).percent is None


def test_a_sheet_that_is_opened_again_counts_once_and_as_it_is_now():
    student = EnrollmentFactory()
    (session,) = term_of(student, "a")
    for _ in range(2):
        services.open_session(session, by=None, at=NOW, reason="Somebody was missed")
        services.mark_roster(session, marks=[services.Mark(enrollment=student.pk, code="present")], by=None, at=NOW)
        services.close_session(session, by=None, at=NOW)

    assert tally(student) == Tally(counted=1, attended=Decimal(1))


def test_on_the_night_that_the_clocks_change_each_class_counts_once():
    student = EnrollmentFactory()
    # Both at half past two in Vienna, an hour apart.
    for hour, code in ((0, "p"), (1, "a")):
        starts_at = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
        marked(held(student.section, starts_at=starts_at, local_date=starts_at.date()), student, code)

    assert tally(student) == Tally(counted=2, attended=Decimal(1))


def test_a_class_across_midnight_belongs_to_the_day_on_which_it_begins_where_the_campus_is():
    student = EnrollmentFactory()
    starts_at = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)  # on the first of November in Vienna
    marked(
        held(student.section, starts_at=starts_at, local_date=datetime(2026, 11, 1, tzinfo=UTC).date()), student, "p"
    )
    student.status, student.dropped_at = "withdrawn", starts_at + timedelta(minutes=40)
    student.save()

    assert tally(student) == Tally(counted=1, attended=Decimal(1))


@pytest.mark.parametrize(
    ("attended", "counted", "to_come", "may_miss", "is_short"),
    [(8, 10, 10, 3, False), (10, 10, 10, 5, False), (0, 10, 10, 0, True), (3, 4, 0, 0, False), (0, 0, 4, 1, False)],
)
def test_how_many_may_be_missed_yet(attended, counted, to_come, may_miss, is_short):
    found = Tally(attended=Decimal(attended), counted=counted, to_come=to_come)

    assert (found.may_miss, found.is_short) == (may_miss, is_short)
    if may_miss:
        worst = Tally(attended=found.attended + to_come - may_miss, counted=counted + to_come)
        one_more = Tally(attended=worst.attended - 1, counted=worst.counted)
        assert (worst.is_short, one_more.is_short) == (False, True)


@pytest.fixture
def taught(user_with, client_for):
    row = SectionInstructorFactory()
    client = client_for(user_with(Role.FACULTY, "self", person=row.faculty.person))
    client.section = row.section
    return client


def recent(section, enrollment, code):
    session = ClassSessionFactory(section=section, starts_at=timezone.now() - WEEK)
    marked(session, enrollment, code)


def test_a_student_sees_their_own_attendance_and_why(user_with, client_for, django_assert_max_num_queries):
    student = StudentFactory()
    ada = client_for(user_with(Role.STUDENT, "self", person=student.person))
    first, second = (EnrollmentFactory(student=student) for _ in range(2))
    recent(first.section, first, "p")
    recent(second.section, second, "a")

    with django_assert_max_num_queries(5):
        data = ada.get(f"/api/v1/students/{student.pk}/attendance/").json()["data"]

    assert (data["student"], len(data["sections"])) == (str(student.pk), 2)
    assert {line["attendance"]["threshold"] for line in data["sections"]} == {"75.00"}
    assert data["total"] == {
        "attended": "1.000", "counted": 2, "exempt": 0, "unmarked": 0, "to_come": 0, "percent": "50.00",
    }  # fmt: skip
    unit = ada.get(f"/api/v1/enrollments/{second.pk}/attendance/").json()["data"]
    assert unit["attendance"]["is_short"] is True
    assert [(row["code"], row["weight"], row["counts_as"]) for row in unit["units"]] == [("absent", "0.000", "counted")]


def test_attendance_is_narrowed_to_a_term_and_the_total_with_it(user_with, client_for):
    student = StudentFactory()
    ada = client_for(user_with(Role.STUDENT, "self", person=student.person))
    first, second = (EnrollmentFactory(student=student) for _ in range(2))
    recent(first.section, first, "p")
    recent(second.section, second, "a")
    page = f"/api/v1/students/{student.pk}/attendance/"

    data = ada.get(f"{page}?term={first.term_id}").json()["data"]

    assert first.term_id != second.term_id
    assert [line["enrollment"] for line in data["sections"]] == [str(first.pk)]
    assert (data["total"]["counted"], data["total"]["percent"]) == (1, "100.00")
    for asked, code in (
        ("term=x", "invalid_parameter"),
        ("section=x", "unknown_parameter"),
        ("fields=total", "unknown_parameter"),
    ):
        refused = ada.get(f"{page}?{asked}")
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, code)


def test_a_section_of_any_size_costs_five_statements_and_is_put_on_record(taught, django_assert_max_num_queries):
    for code in "ppa":
        enrollment = EnrollmentFactory(section=taught.section)
        recent(taught.section, enrollment, code)

    with django_assert_max_num_queries(5):
        data = taught.get(f"/api/v1/sections/{taught.section.pk}/attendance/").json()["data"]

    assert [row["attendance"]["counted"] for row in data["students"]] == [1, 1, 1]
    assert [row["attendance"]["unmarked"] for row in data["students"]] == [2, 2, 2]
    assert Disclosure.objects.filter(what="attendance").count() == 3


def test_a_teacher_sees_of_a_student_what_they_teach_them(taught):
    here = EnrollmentFactory(section=taught.section)
    elsewhere = EnrollmentFactory(student=here.student)

    data = taught.get(f"/api/v1/students/{here.student_id}/attendance/").json()["data"]

    assert [row["enrollment"] for row in data["sections"]] == [str(here.pk)]
    assert taught.get(f"/api/v1/enrollments/{elsewhere.pk}/attendance/").status_code == 404


def test_published_figures_are_checked_by_the_same_rule(tmp_path):
    table = tmp_path / "figures.csv"
    table.write_text("id,attended,held\nada,27,32\nbob,0,0\ncy,2,3\n", encoding="utf-8")
    told = StringIO()

    call_command("attendance_percent", str(table), "--json", stdout=told)

    found = json.loads(told.getvalue())
    assert [(row["id"], row["percent"]) for row in found["rows"]] == [("ada", "84.38"), ("bob", None), ("cy", "66.67")]
    assert found["total"] == {"attended": "29", "held": "35", "percent": "82.86", "rows": 3}
    call_command("attendance_percent", str(table), stdout=told)
    assert "ada: 84.38 (27 of 32)" in told.getvalue()


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("id,held\n", "no column attended"),
        ("id,attended,held\na,4,3\n", "line 2"),
        ("id,attended,held\na,x,3\n", "line 2"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_with_its_line(tmp_path, text, match):
    table = tmp_path / "figures.csv"
    table.write_text(text, encoding="utf-8")

    with pytest.raises(CommandError, match=match):
        call_command("attendance_percent", str(table))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("attendance_percent", str(tmp_path / "nowhere.csv"))
