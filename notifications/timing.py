"""When a mail may go: outside of somebody's quiet hours, and for a digest at their next morning.

Quiet hours are told by the clock on the wall of a place, whose days have 23, 24 or 25 hours. Each night's are reckoned
as two instants: a time that a day has twice counts when it comes first, and one that it has not, as much later as the
clocks were set forward.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DIGEST_AT = time(7)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Hours:
    """Somebody's time zone, by its IANA name, and their quiet hours, if they have any."""

    time_zone: str
    starts_at: time | None = None
    ends_at: time | None = None


def opens_at(hours: Hours, at: datetime) -> datetime:
    """Return the first instant, from `at` on, that lies outside of the quiet hours."""
    if hours.starts_at is None or hours.ends_at is None:
        return at
    zone = ZoneInfo(hours.time_zone)
    today = at.astimezone(zone).date()
    for day in (today - _DAY, today):
        last = day if hours.starts_at < hours.ends_at else day + _DAY
        if _instant(day, hours.starts_at, zone) <= at < (end := _instant(last, hours.ends_at, zone)):
            return end
    return at


def next_digest(hours: Hours, at: datetime) -> datetime:
    """Return the next morning's hour of digests after `at`, or the end of the quiet hours that it lies in."""
    zone = ZoneInfo(hours.time_zone)
    today = at.astimezone(zone).date()
    mornings = (_instant(day, DIGEST_AT, zone) for day in (today, today + _DAY))
    return opens_at(hours, next(morning for morning in mornings if morning > at))


def _instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock.replace(fold=0), tzinfo=zone).astimezone(UTC)
