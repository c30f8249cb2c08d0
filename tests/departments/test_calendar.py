"""Which days are taught, and as which weekday: what attendance and timetables rest upon."""

from datetime import date

import pytest

from departments.selectors import teaching_calendar
from tests.departments.factories import CalendarEventFactory, CampusFactory

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2026, 10, 1), date(2026, 11, 30)
MONDAY, THURSDAY, SATURDAY = 1, 4, 6
NATIONAL = date(2026, 10, 26)  # a Monday


def mondays(campus=None, **span):
    calendar = teaching_calendar(campus_id=campus.pk if campus else None, first=FIRST, last=LAST)
    return [day.isoformat()[5:] for day in calendar.days(MONDAY, **span)]


USUAL = ["10-05", "10-12", "10-19", "10-26", "11-02", "11-09", "11-16", "11-23", "11-30"]
WITHOUT_NATIONAL = [day for day in USUAL if day != "10-26"]


def test_without_events_every_week_is_the_same_both_ends_included():
    assert mondays() == USUAL
    assert mondays(first=date(2026, 10, 5), last=date(2026, 10, 12)) == ["10-05", "10-12"]


def test_a_holiday_is_not_taught_and_a_notice_changes_nothing():
    CalendarEventFactory(starts_on=NATIONAL, ends_on=NATIONAL)
    CalendarEventFactory(starts_on=date(2026, 11, 1), ends_on=date(2026, 11, 8), kind="notice")

    assert mondays() == WITHOUT_NATIONAL


def test_a_break_that_begins_before_and_ends_after_the_span_leaves_nothing():
    CalendarEventFactory(starts_on=date.min, ends_on=date.max)

    assert mondays() == []


def test_a_day_is_taught_as_another_weekday_and_no_longer_as_its_own():
    CalendarEventFactory(kind="make_up", taught_as=MONDAY, starts_on=date(2026, 11, 5), ends_on=date(2026, 11, 5))
    calendar = teaching_calendar(campus_id=None, first=FIRST, last=LAST)

    assert mondays() == sorted([*USUAL, "11-05"])
    assert date(2026, 11, 5) not in calendar.days(THURSDAY)


def test_a_make_up_day_in_a_break_is_taught():
    CalendarEventFactory(starts_on=FIRST, ends_on=LAST)
    CalendarEventFactory(kind="make_up", taught_as=MONDAY, starts_on=date(2026, 10, 3), ends_on=date(2026, 10, 3))

    assert mondays() == ["10-03"]


def test_what_a_campus_says_outranks_what_is_said_of_all_and_holds_nowhere_else():
    north, south = CampusFactory(), CampusFactory()
    CalendarEventFactory(kind="make_up", taught_as=MONDAY, starts_on=date(2026, 11, 7), ends_on=date(2026, 11, 7))
    CalendarEventFactory(campus=north, starts_on=date(2026, 11, 7), ends_on=date(2026, 11, 7))
    CalendarEventFactory(campus=north, starts_on=NATIONAL, ends_on=NATIONAL)

    assert mondays(north) == WITHOUT_NATIONAL
    assert mondays(south) == mondays() == sorted([*USUAL, "11-07"])


def test_a_calendar_is_one_question(django_assert_num_queries):
    for number in range(1, 9):
        CalendarEventFactory(starts_on=date(2026, 10, number), ends_on=date(2026, 10, number))

    with django_assert_num_queries(1):
        mondays(CampusFactory.build())


def test_an_event_over_http_reads_as_it_was_written(registrar_client):
    campus = CampusFactory(code="N", name="North")
    body = {"name": "Thursday of week 5", "kind": "make_up", "campus": str(campus.pk), "taught_as": THURSDAY,
            "starts_on": "2026-11-07", "ends_on": "2026-11-07"}  # fmt: skip

    written = registrar_client.post("/api/v1/calendar-events/", body, format="json").json()["data"]
    found = registrar_client.get("/api/v1/calendar-events/?on=2026-11-07").json()["data"]

    assert found == [written]
    assert written.items() >= {**body, "campus": {"id": str(campus.pk), "code": "N", "name": "North"}}.items()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ends_on": "2026-10-25"}, "ends_before_start"),
        ({"taught_as": 3}, "weekday_of_make_up"),
        ({"kind": "make_up"}, "weekday_of_make_up"),
        ({"kind": "make_up", "taught_as": 3, "ends_on": "2026-10-27"}, "make_up_is_one_day"),
        ({"kind": "make_up", "taught_as": 0}, "min_value"),
        ({"kind": "mood"}, "invalid_choice"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(registrar_client, changes, code):
    body = {"name": "x", "kind": "holiday", "starts_on": "2026-10-26", "ends_on": "2026-10-26", **changes}

    answer = registrar_client.post("/api/v1/calendar-events/", body, format="json")

    assert answer.status_code in (400, 409)
    assert [error["code"] for error in answer.json()["errors"]] == [code]
    assert registrar_client.get("/api/v1/calendar-events/").json()["data"] == []
