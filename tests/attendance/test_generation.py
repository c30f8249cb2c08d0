"""Sessions follow the timetable and the calendar: each day once, in the time of the campus, nothing lost by hand."""

from datetime import UTC, date, datetime, time, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.backends.postgresql.psycopg_any import DateRange, DateTimeTZRange
from django.utils import timezone

from attendance import services, tasks
from attendance.calculation import units
from attendance.models import ClassSession
from core.relay import Relay
from courses.services import delete_meeting, delete_section
from departments.models import RoomReservation
from departments.services import (
    create_calendar_event,
    delete_calendar_event,
    reserve_room,
    update_calendar_event,
)
from faculty.models import FacultyReservation
from tests.attendance.conftest import BEFORE, generate, taught
from tests.attendance.factories import AttendanceRecordFactory, SubstitutionFactory
from tests.departments.factories import CalendarEventFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.faculty.factories import FacultyFactory

HOUR = timedelta(hours=1)
MONDAYS = [date(2026, 10, 12) + timedelta(weeks=week) for week in range(5)]


def days(section):
    return list(ClassSession.objects.filter(section=section).order_by("starts_at").values_list("local_date", flat=True))


def rows():
    return sorted(
        ClassSession.objects.values_list("pk", "section", "gathering", "starts_at", "ends_at", "room", "version")
    )


def test_a_section_has_a_session_on_each_day_of_its_meeting(side):
    assert generate().made == 5
    assert days(side.physics.section) == MONDAYS


def test_to_generate_again_changes_nothing(side):
    generate()
    before = rows()

    assert generate().written == 0
    assert rows() == before


def test_classes_begin_at_nine_where_the_campus_is_before_and_after_the_clocks_change(side):
    generate()

    starts = ClassSession.objects.order_by("starts_at").values_list("starts_at", flat=True)
    assert [start.hour for start in starts] == [7, 7, 8, 8, 8]


@pytest.mark.parametrize(
    ("clocks", "starts_at", "expected"),
    [
        (date(2027, 3, 28), time(2, 30), "01:30"),  # no such hour: an hour later, 03:30 in Vienna
        (date(2026, 10, 25), time(2, 30), "00:30"),  # twice: the first
    ],
)
def test_a_class_in_the_night_that_the_clocks_change_lasts_as_long_as_any(side, clocks, starts_at, expected):
    night = taught(
        side, "NIGHT", starts_at=starts_at, ends_at=time(3, 15), weekday=7,
        dates=DateRange(clocks, clocks + timedelta(days=1), "[)"),
    )  # fmt: skip
    generate()

    session = ClassSession.objects.get(section=night.section)
    assert (f"{session.starts_at:%H:%M}", session.ends_at - session.starts_at) == (expected, timedelta(minutes=45))
    assert session.local_date == clocks


def test_a_late_class_is_on_the_day_of_the_campus_though_it_is_tomorrow_in_utc(side):
    side.campus.time_zone = "America/New_York"
    side.campus.save()
    late = taught(side, "LATE", starts_at=time(21), ends_at=time(22))
    generate()

    session = ClassSession.objects.filter(section=late.section).earliest("starts_at")
    assert (session.local_date, session.starts_at.date()) == (MONDAYS[0], MONDAYS[0] + timedelta(days=1))


def test_holidays_have_no_class_and_make_up_days_have(side):
    CalendarEventFactory(starts_on=MONDAYS[2], ends_on=MONDAYS[2])
    CalendarEventFactory(kind="make_up", taught_as=1, starts_on=date(2026, 11, 5), ends_on=date(2026, 11, 5))
    generate()

    assert days(side.physics.section) == [*MONDAYS[:2], MONDAYS[3], date(2026, 11, 5), MONDAYS[4]]


def test_a_day_that_becomes_a_holiday_loses_its_session_and_gets_it_back(side):
    generate()
    holiday = CalendarEventFactory(starts_on=MONDAYS[2], ends_on=MONDAYS[2])

    assert generate().removed == 1
    assert RoomReservation.objects.count() == FacultyReservation.objects.count() == 4
    holiday.delete()
    assert generate().made == 1
    assert ClassSession.objects.filter(room=side.room).count() == 5


def test_what_has_begun_and_is_marked_or_open_or_long_ago_stays_whatever_the_calendar_says_since(side):
    generate()
    marked, opened, moved, plain, last = ClassSession.objects.order_by("starts_at")
    AttendanceRecordFactory(session=marked)
    ClassSession.objects.filter(pk=opened.pk).update(marking="open")
    ClassSession.objects.filter(pk=moved.pk).update(changed_by_hand=True)
    CalendarEventFactory(starts_on=MONDAYS[0], ends_on=MONDAYS[-1])

    assert generate(at=datetime(2026, 12, 9, 7, tzinfo=UTC)).removed == 1  # the last alone is not yet a month ago
    assert generate(at=datetime(2026, 11, 10, 7, tzinfo=UTC)).removed == 1

    there = ClassSession.objects.filter(status="scheduled").values_list("pk", flat=True)
    assert set(there) == {marked.pk, opened.pk, moved.pk}
    gone = ClassSession.objects.filter(pk__in=[plain.pk, last.pk])
    assert set(gone.values_list("status", "note")) == {("cancelled", "Not on the timetable.")}
    assert RoomReservation.objects.count() == FacultyReservation.objects.count() == 3


def test_a_holiday_that_is_declared_on_the_day_takes_the_classes_of_the_morning_off_and_gives_them_back(side):
    generate()
    student = EnrollmentFactory(section=side.physics.section, enrolled_at=None)
    noon = datetime(2026, 10, 19, 12, tzinfo=UTC)
    snow = create_calendar_event(by=None, name="Snow", kind="holiday", starts_on=MONDAYS[1], ends_on=MONDAYS[1])

    def what(at=noon):
        return {unit.local_date: unit.counts_as for unit in units(student.pk, at=at)}[MONDAYS[1]]

    assert what() == "unmarked"
    assert services.generate_days(MONDAYS[1], MONDAYS[1], at=noon).removed == 1
    assert what() == "cancelled"
    assert services.generate_days(MONDAYS[1], MONDAYS[1], at=noon).written == 0
    delete_calendar_event(snow, by=None)
    assert services.generate_days(MONDAYS[1], MONDAYS[1], at=noon).changed == 1
    assert what() == "unmarked"
    assert RoomReservation.objects.count() == FacultyReservation.objects.count() == 5


def test_what_has_begun_stays_when_another_weekday_is_on_the_timetable_since(side):
    generate()
    side.physics.meeting.weekday = 2
    side.physics.meeting.save()

    generate(at=datetime(2026, 10, 19, 12, tzinfo=UTC))

    assert set(MONDAYS[:2]) < set(days(side.physics.section))
    assert not set(MONDAYS[2:]) & set(days(side.physics.section))


def test_only_the_meetings_of_the_days_are_brought_in_line(side):
    tuesdays = taught(side, "TUE", weekday=2, room=side.other_room)

    services.generate_days(MONDAYS[1], MONDAYS[1], at=BEFORE)
    assert (len(days(side.physics.section)), days(tuesdays.section)) == (5, [])
    services.generate_days(MONDAYS[1], MONDAYS[1], at=BEFORE, taught_as=2)
    assert len(days(tuesdays.section)) == 4
    assert services.generate_days(date(2027, 3, 1), date(2027, 5, 1), at=BEFORE).written == 0


def test_whoever_writes_in_the_calendar_wakes_a_worker_for_the_days_that_it_says_and_said(side, monkeypatch):
    woken = []
    monkeypatch.setattr("attendance.subscribers.current_app.send_task", lambda name, args: woken.append((name, *args)))
    day = {"starts_on": MONDAYS[1], "ends_on": MONDAYS[1]}
    event = create_calendar_event(by=None, name="Snow", kind="holiday", **day)
    create_calendar_event(by=None, name="Open house", kind="notice", **day)
    update_calendar_event(event, by=None, name="Much snow")
    update_calendar_event(event, by=None, starts_on=MONDAYS[2], ends_on=MONDAYS[2])
    delete_calendar_event(event, by=None)

    Relay().drain()

    one, two = (("attendance.tasks.generate_days", str(day), str(day), None) for day in MONDAYS[1:3])
    assert woken == [one, one, one, two, two]
    generate()
    monkeypatch.setattr(timezone, "now", lambda: BEFORE)
    CalendarEventFactory(**day)
    tasks.generate_days(*woken[0][1:])
    assert MONDAYS[1] not in days(side.physics.section)


def test_another_time_and_room_are_taken_over_by_the_same_sessions(side):
    generate()
    before = {row[0] for row in rows()}
    meeting = side.physics.meeting
    meeting.starts_at, meeting.room = time(11), side.other_room
    meeting.ends_at = time(12)
    meeting.save()

    assert generate().changed == 5
    assert {row[0] for row in rows()} == before
    assert set(RoomReservation.objects.values_list("room", flat=True)) == {side.other_room.pk}
    assert generate().written == 0


def test_what_somebody_cancelled_stays_cancelled(side):
    generate()
    session = ClassSession.objects.earliest("starts_at")
    services.cancel_session(session, by=None, at=BEFORE, reason="Ill")

    assert generate().written == 0
    session.refresh_from_db()
    assert (session.status, session.note) == ("cancelled", "Ill")


def test_sections_that_are_taught_together_share_a_room_and_do_not_clash(side):
    graduate = taught(side, "PHY5", meeting=side.physics.meeting)

    generated = generate()

    assert (generated.made, generated.clashes) == (10, [])
    assert days(graduate.section) == days(side.physics.section) == MONDAYS
    assert RoomReservation.objects.count() == 5
    assert set(RoomReservation.objects.values_list("what", flat=True)) == {"PHY-01, PHY5-01"}
    assert FacultyReservation.objects.count() == 10


def test_who_teaches_one_of_two_sections_alone_is_free_when_that_one_is_cancelled(side):
    chemistry = taught(side, "CHE", meeting=side.physics.meeting)
    generate()
    session = ClassSession.objects.filter(section=side.physics.section).earliest("starts_at")

    def wanted():
        held = FacultyReservation.objects.filter(source=session.gathering, cancelled_at=None)
        return set(held.values_list("faculty", flat=True))

    services.cancel_session(session, by=None, at=BEFORE)

    assert wanted() == {chemistry.faculty.pk}
    assert RoomReservation.objects.filter(source=session.gathering).exists()
    generate()
    assert wanted() == {chemistry.faculty.pk}


def test_a_class_whose_room_is_taken_is_told_with_both_sides_and_gets_it_when_it_is_free(side):
    nine = datetime(2026, 10, 12, 7, tzinfo=UTC)
    booking = reserve_room(
        room=side.room, starts_at=nine, ends_at=nine + timedelta(hours=1), kind="event", what="Open house"
    )

    (clash,) = generate().clashes

    assert (clash["what"], clash["starts_at"]) == ("PHY-01", nine.isoformat())
    assert [other["what"] for other in clash["taken_by"]] == ["Open house"]
    assert ClassSession.objects.get(room=None).local_date == MONDAYS[0]
    booking.delete()
    assert (generate().changed, ClassSession.objects.filter(room=None).count()) == (1, 0)


def test_history_keeps_its_rooms_and_is_flagged(side):
    nine = datetime(2026, 10, 12, 7, tzinfo=UTC)
    reserve_room(room=side.room, starts_at=nine, ends_at=nine + timedelta(hours=1), kind="event", what="Open house")

    generate(at=datetime(2027, 1, 1, tzinfo=UTC))

    assert ClassSession.objects.filter(room=side.room).count() == 5
    assert RoomReservation.objects.get(conflict_waived=True).slot.lower == nine


def test_a_teacher_whom_the_timetable_wants_twice_is_flagged_and_told(side):
    maths = taught(side, "MAT", room=side.other_room, starts_at=time(9), ends_at=time(10))
    maths.section.section_instructors.update(faculty=side.physics.faculty)

    generated = generate()

    assert len(generated.clashes) == 5
    assert {clash["wanted_twice"] for clash in generated.clashes} == {str(side.physics.faculty.pk)}
    assert FacultyReservation.objects.filter(conflict_waived=True).count() == 5


def move(session, room):
    times = {"starts_at": session.starts_at + 3 * HOUR, "ends_at": session.ends_at + 3 * HOUR}
    services.reschedule_session(session, **times, room=room, by=None, at=BEFORE)


def wanted():
    """Return for which days people are wanted, by their ids."""
    days = dict(ClassSession.objects.values_list("gathering", "local_date"))
    held = FacultyReservation.objects.filter(cancelled_at=None).values_list("faculty", "source")
    return {(faculty, days[source]) for faculty, source in held}


def test_who_takes_a_section_over_is_wanted_from_then_on_and_who_gave_it_up_is_free(
    side, django_assert_max_num_queries
):
    generate()
    former, section = side.physics.faculty, side.physics.section
    by_hand = ClassSession.objects.get(local_date=MONDAYS[4])
    services.reschedule_session(
        by_hand, starts_at=by_hand.starts_at + HOUR, ends_at=by_hand.ends_at + HOUR, by=None, at=BEFORE
    )
    second = FacultyFactory()
    section.section_instructors.update(faculty=second)

    with django_assert_max_num_queries(26):
        assert generate(at=datetime(2026, 10, 13, tzinfo=UTC)).written == 0

    stays = {(former.pk, MONDAYS[0]), (former.pk, MONDAYS[4])}
    assert wanted() == stays | {(second.pk, day) for day in MONDAYS[1:4]}
    with django_assert_max_num_queries(24):
        generate(at=datetime(2026, 10, 13, tzinfo=UTC))


def test_who_takes_over_what_clashes_is_flagged_and_told_once(side):
    maths = taught(side, "MAT", room=side.other_room, starts_at=time(9), ends_at=time(10))
    generate()
    maths.section.section_instructors.update(faculty=side.physics.faculty)

    assert len(generate().clashes) == 5
    assert generate().clashes == []
    assert not FacultyReservation.objects.filter(faculty=maths.faculty).exists()
    assert FacultyReservation.objects.filter(conflict_waived=True).count() == 5


def test_a_cancelled_section_has_no_sessions_to_come(side):
    generate()
    side.physics.section.status = "cancelled"
    side.physics.section.save()

    assert generate().removed == 5
    assert not RoomReservation.objects.exists()


@pytest.mark.parametrize("is_off_the_timetable", [False, True])
def test_a_cancelled_section_takes_along_what_somebody_has_moved(side, is_off_the_timetable):
    generate()
    moved = ClassSession.objects.get(local_date=MONDAYS[4])
    move(moved, side.room)
    side.physics.section.status = "cancelled"
    side.physics.section.save()
    if is_off_the_timetable:
        delete_meeting(side.physics.meeting, by=None)

    assert generate().removed == 5
    assert not ClassSession.objects.exists()
    assert not RoomReservation.objects.exists()
    assert not FacultyReservation.objects.exists()


def test_a_section_that_is_cancelled_leaves_what_was_moved_to_those_that_gather_there(side):
    chemistry = taught(side, "CHE", meeting=side.physics.meeting)
    generate()
    moved = ClassSession.objects.get(section=side.physics.section, local_date=MONDAYS[4])
    move(moved, side.room)
    side.physics.section.status = "cancelled"
    side.physics.section.save()

    assert generate().removed == 5
    wanted = FacultyReservation.objects.filter(source=moved.gathering, cancelled_at=None)
    assert list(wanted.values_list("faculty", flat=True)) == [chemistry.faculty.pk]
    assert RoomReservation.objects.filter(source=moved.gathering, status="approved").exists()
    assert ClassSession.objects.get(gathering=moved.gathering).changed_by_hand


def test_a_section_that_comes_back_has_its_classes_when_the_timetable_says(side):
    generate()
    moved = ClassSession.objects.get(local_date=MONDAYS[4])
    SubstitutionFactory(session=moved, instructor=side.physics.faculty)
    planned = moved.starts_at
    move(moved, side.room)
    for status in ("cancelled", "open"):
        side.physics.section.status = status
        side.physics.section.save()
        generate()

    moved.refresh_from_db()
    assert (moved.status, moved.starts_at, ClassSession.objects.count()) == ("scheduled", planned, 5)


def test_what_is_off_the_timetable_has_no_sessions_to_come_and_holds_nothing(side):
    maths = taught(side, "MAT", room=side.other_room, starts_at=time(14), ends_at=time(15))
    generate()
    delete_meeting(side.physics.meeting, by=None)
    delete_section(maths.section, by=None)

    assert generate().removed == 5
    assert not ClassSession.objects.exists()
    assert not RoomReservation.objects.exists()
    assert not FacultyReservation.objects.exists()


def test_however_many_sections_meet_a_run_asks_as_often(side, django_assert_max_num_queries):
    for number in range(12):
        taught(side, f"C{number}", room=None, starts_at=time(14), ends_at=time(15))

    with django_assert_max_num_queries(32):
        assert generate().made == 65
    with django_assert_max_num_queries(24):
        assert generate().written == 0


def test_the_command_tells_clashes_and_knows_its_terms(side):
    nine = datetime(2026, 10, 12, 7, tzinfo=UTC)
    RoomReservation.objects.create(
        room=side.room, slot=DateTimeTZRange(nine, nine + timedelta(hours=1), "[)"), kind="exam", what="Exam"
    )
    told = StringIO()

    call_command("generate_sessions", "--term", "T", stdout=told)

    assert "5 sessions made" in told.getvalue()
    with pytest.raises(CommandError, match="no term NOPE"):
        call_command("generate_sessions", "--term", "NOPE")
