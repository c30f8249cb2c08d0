"""When a mail may go, by clocks that are set forward and back."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.timing import DIGEST_AT, Hours, next_digest, opens_at

VIENNA = "Europe/Vienna"
NIGHT = Hours(VIENNA, time(22), time(7))
NOON = Hours(VIENNA, time(12), time(14))


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "at", "opens"),
    [
        (Hours(VIENNA), "2026-06-01 22:00", "2026-06-01 22:00"),
        # 21:59 and 22:00 on the wall in summer, and 22:00 in winter.
        (NIGHT, "2026-06-01 19:59", "2026-06-01 19:59"),
        (NIGHT, "2026-06-01 20:00", "2026-06-02 05:00"),
        (NIGHT, "2026-12-01 21:00", "2026-12-02 06:00"),
        (NIGHT, "2026-06-02 04:59:59", "2026-06-02 05:00"),
        (NIGHT, "2026-06-02 05:00", "2026-06-02 05:00"),
        (NOON, "2026-06-01 10:00", "2026-06-01 12:00"),
        (NOON, "2026-06-01 12:00", "2026-06-01 12:00"),
        # The night in which the clocks are set forward is an hour shorter, and the other one longer.
        (NIGHT, "2026-03-28 21:00", "2026-03-29 05:00"),
        (NIGHT, "2026-10-24 20:00", "2026-10-25 06:00"),
        # 02:30 does not come on that day: it counts as 03:30.
        (Hours(VIENNA, time(23), time(2, 30)), "2026-03-29 01:29", "2026-03-29 01:30"),
        (Hours(VIENNA, time(2, 30), time(5)), "2026-03-29 01:29", "2026-03-29 01:29"),
        (Hours(VIENNA, time(2, 30), time(5)), "2026-03-29 01:30", "2026-03-29 03:00"),
        # 02:30 comes twice: the first one ends the night, and begins it.
        (Hours(VIENNA, time(23), time(2, 30)), "2026-10-25 00:29", "2026-10-25 00:30"),
        (Hours(VIENNA, time(23), time(2, 30)), "2026-10-25 01:10", "2026-10-25 01:10"),
        (Hours(VIENNA, time(2, 30), time(5)), "2026-10-25 00:30", "2026-10-25 04:00"),
        # Far from the institution the day is another one.
        (Hours("Pacific/Auckland", time(22), time(7)), "2026-06-01 10:00", "2026-06-01 19:00"),
    ],
)
def test_quiet_hours_are_those_of_the_clock_on_the_wall(hours, at, opens):
    assert opens_at(hours, utc(at)) == utc(opens)


@pytest.mark.parametrize(
    ("hours", "at", "due"),
    [
        (Hours(VIENNA), "2026-06-01 04:59", "2026-06-01 05:00"),
        (Hours(VIENNA), "2026-06-01 05:00", "2026-06-02 05:00"),
        (NIGHT, "2026-06-01 12:00", "2026-06-02 05:00"),
        (Hours(VIENNA, time(22), time(9)), "2026-06-01 12:00", "2026-06-02 07:00"),
        (Hours(VIENNA), "2026-03-28 12:00", "2026-03-29 05:00"),
        (Hours(VIENNA), "2026-10-24 12:00", "2026-10-25 06:00"),
    ],
)
def test_a_digest_goes_in_the_morning_or_when_the_quiet_hours_end(hours, at, due):
    assert next_digest(hours, utc(at)) == utc(due)


@given(
    st.sampled_from([VIENNA, "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]),
    st.times(),
    st.times(),
    st.integers(0, 3 * 365 * 24 * 60),
)
def test_nothing_waits_for_longer_than_a_day_or_is_let_go_in_quiet_hours(zone, starts, ends, minutes):
    hours, at = Hours(zone, starts, ends), datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)

    opens = opens_at(hours, at)

    assert at <= opens <= at + timedelta(hours=25)
    assert starts == ends or opens_at(hours, opens) == opens
    local = opens.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert opens == at or local.time() >= ends or local.time() < starts
    assert at < next_digest(hours, at) <= at + timedelta(hours=51)
    assert time(7) == DIGEST_AT
