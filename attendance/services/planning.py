"""On which days and at which instants a weekly meeting takes place.

The timetable speaks in the time of the campus. A class that begins in an hour which a change of clocks takes away
begins an hour later; one in an hour that comes twice begins when it comes first; each lasts as long as on other days.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django.conf import settings

from courses.models import Meeting, Section
from departments.models import Campus, Room
from departments.selectors import TeachingCalendar


@dataclass(frozen=True)
class Planned:
    """One day on which a meeting takes place."""

    meeting: Meeting
    day: date
    starts_at: datetime
    ends_at: datetime

    @property
    def gathering(self) -> UUID:
        """What the sessions, the room and the teachers of this day have in common, always the same."""
        return uuid5(self.meeting.pk, self.day.isoformat())


def planned(meeting: Meeting, calendar: TeachingCalendar, zone: ZoneInfo) -> Iterator[Planned]:
    """Yield the days of a meeting on which it is taught."""
    length = datetime.combine(date.min, meeting.ends_at) - datetime.combine(date.min, meeting.starts_at)
    for day in calendar.days(meeting.weekday, first=meeting.dates.lower, last=meeting.last_day):
        starts_at = datetime.combine(day, meeting.starts_at, tzinfo=zone).astimezone(UTC)
        yield Planned(meeting, day, starts_at, starts_at + length)


def campus_of(room: Room | None, sections: Iterable[Section]) -> Campus | None:
    """Return the campus where something takes place: that of its room, or the one that its sections name."""
    if room is not None:
        return room.building.campus
    return next((section.campus for section in sections if section.campus is not None), None)


def zone_of(campus: Campus | None) -> ZoneInfo:
    """Return the time of a campus; without one, that of the institution."""
    return ZoneInfo(campus.time_zone if campus is not None else settings.TIME_ZONE)


def called(sections: Iterable[Section]) -> str:
    """Return what a class of these sections is called to whoever wants its room."""
    return ", ".join(sorted(f"{section.course.code}-{section.code}" for section in sections))
