"""What other apps ask about the shape of the university."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db.models import Q

from departments.models import CalendarEvent, CalendarEventKind, Department

ONE_DAY = timedelta(days=1)


def below(ids: Iterable[UUID], *, path: str = "department") -> Q:
    """Match rows whose `path` leads into one of the departments or into what lies below them."""
    return Q(**{f"{path}__in": Department.objects.within(ids).values("pk")})


@dataclass(frozen=True)
class TeachingCalendar:
    """Which days of a span are taught, on one campus; `exceptions` has the weekday of each that is not as usual."""

    first: date
    last: date
    exceptions: Mapping[date, int | None]

    def days(self, weekday: int, *, first: date | None = None, last: date | None = None) -> list[date]:
        """Return the days that are taught as a weekday, 1 for Monday to 7, of the span or a part of it."""
        day, end = max(first or self.first, self.first), min(last or self.last, self.last)
        found = []
        while day <= end:
            if self.exceptions.get(day, day.isoweekday()) == weekday:
                found.append(day)
            if day == date.max:
                break
            day += ONE_DAY
        return found


def teaching_calendar(*, campus_id: UUID | None, first: date, last: date) -> TeachingCalendar:
    """Return which days of a span, both ends included, are taught on a campus; without one, by what holds everywhere.

    What a campus says of a day outranks what is said of all; to be taught as another weekday outranks a holiday.
    """
    everywhere, here = Q(campus=None), Q(campus=campus_id) if campus_id is not None else Q(pk=None)
    events = CalendarEvent.objects.filter(everywhere | here, starts_on__lte=last, ends_on__gte=first).exclude(
        kind=CalendarEventKind.NOTICE
    )
    rank = {CalendarEventKind.HOLIDAY.value: 0, CalendarEventKind.MAKE_UP.value: 1}
    exceptions: dict[date, int | None] = {}
    for event in sorted(events, key=lambda each: (each.campus_id is not None, rank[each.kind])):
        day, end = max(event.starts_on, first), min(event.ends_on, last)
        exceptions.update({day + ONE_DAY * number: event.taught_as for number in range((end - day).days + 1)})
    return TeachingCalendar(first, last, exceptions)
