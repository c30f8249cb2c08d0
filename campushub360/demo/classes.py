"""The classes of some months, by COPY: sessions, and the rooms and teachers that they hold.

They are what `generate_sessions` makes of the timetable: planned by the same function, with the same reservations. Some
sections are planned at a time, however many there are.
"""

import calendar
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from attendance.models import ClassSession, Marking
from attendance.services.planning import Planned, called, campus_of, planned, zone_of
from attendance.services.teaching import TEACHERS
from campushub360.demo.rows import Keys, Row, copy
from courses.models import MeetingSection, Section, SectionInstructor
from departments.models import ReservationKind, RoomReservation, Term
from departments.selectors import TeachingCalendar, teaching_calendar
from faculty.models import FacultyReservation

# So many sections are read and planned at a time.
BATCH = 200
# Of a hundred classes two are forgotten to be marked; the sheets of the last days are still open.
FORGOTTEN, OPEN_FOR = 0.02, timedelta(days=3)


def months_before(day: date, number: int) -> date:
    """Return the same day so many months earlier, or the last of that month where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 - number, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


class Classes:
    """What took place in the months before a day, and what is yet to take place in the terms that are on.

    Between two terms, the months are those before the end of the former one.
    """

    def __init__(self, *, months: int, today: date, seed: int, keys: Keys) -> None:
        self.now = datetime.combine(today, time(0), UTC)
        begun = Term.objects.filter(starts_on__lt=today).order_by("starts_on")
        self.last = max(term.ends_on for term in begun)
        self.first = months_before(min(today, self.last), months)
        self.terms = [term for term in begun if term.ends_on >= self.first]
        self._chooser = random.Random(f"classes:{seed}")  # noqa: S311 - demo data needs repetition, not secrecy
        self._keys = keys
        self._calendars: dict[UUID | None, TeachingCalendar] = {}

    def load(self) -> Counter[str]:
        """Write them, and return the number of rows by kind."""
        counts: Counter[str] = Counter()
        for sections in self._batches():
            made = self._made(sections)
            for model, rows in zip((ClassSession, RoomReservation, FacultyReservation), made, strict=True):
                counts[str(model._meta.verbose_name_plural)] += copy(model, rows)
        return counts

    def _batches(self) -> Iterator[dict[UUID, Section]]:
        ids = list(Section.objects.filter(term__in=self.terms).order_by("pk").values_list("pk", flat=True))
        for start in range(0, len(ids), BATCH):
            yield Section.objects.select_related("course", "campus").in_bulk(ids[start : start + BATCH])

    def _made(self, sections: dict[UUID, Section]) -> tuple[list[Row], list[Row], list[Row]]:
        sessions: list[Row] = []
        rooms: list[Row] = []
        teachers: list[Row] = []
        faculty = _teachers_of(sections)
        links = MeetingSection.objects.filter(section__in=sections).select_related("meeting__room__building__campus")
        for section_id, days in self._planned(links.order_by("section", "meeting"), sections).items():
            for each in sorted(days, key=lambda one: one.starts_at):
                held = self._held(sections[section_id], each)
                sessions.append(self._session(section_id, each))
                if each.meeting.room_id is not None:
                    rooms.append({**held, "id": self._keys.next(), "room_id": each.meeting.room_id})
                teachers += [{**held, "id": self._keys.next(), "faculty_id": pk} for pk in faculty[section_id]]
        return sessions, rooms, teachers

    def _planned(
        self, links: Iterable[MeetingSection], sections: dict[UUID, Section]
    ) -> defaultdict[UUID, list[Planned]]:
        """Return on which days of the months sections meet."""
        found: defaultdict[UUID, list[Planned]] = defaultdict(list)
        for link in links:
            campus = campus_of(link.meeting.room, [sections[link.section_id]])
            pk = campus.pk if campus else None
            if pk not in self._calendars:
                self._calendars[pk] = teaching_calendar(campus_id=pk, first=self.first, last=self.last)
            found[link.section_id] += planned(link.meeting, self._calendars[pk], zone_of(campus))
        return found

    def _session(self, section_id: UUID, each: Planned) -> Row:
        return {
            "id": self._keys.next(), "created_at": self.now, "updated_at": self.now, "section_id": section_id,
            "meeting_id": each.meeting.pk, "gathering": each.gathering, "planned_on": each.day,
            "local_date": each.day, "starts_at": each.starts_at, "ends_at": each.ends_at,
            "room_id": each.meeting.room_id, "marking": self._marking(each).value,
        }  # fmt: skip

    def _held(self, section: Section, each: Planned) -> Row:
        return {
            "created_at": self.now, "updated_at": self.now, "slot": DateTimeTZRange(each.starts_at, each.ends_at, "[)"),
            "kind": ReservationKind.CLASS.value, "what": called([section])[:200], "source": each.gathering,
        }  # fmt: skip

    def _marking(self, each: Planned) -> Marking:
        if each.ends_at > self.now or self._chooser.random() < FORGOTTEN:
            return Marking.SCHEDULED
        return Marking.OPEN if each.ends_at > self.now - OPEN_FOR else Marking.CLOSED


def _teachers_of(sections: Iterable[UUID]) -> defaultdict[UUID, list[UUID]]:
    found: defaultdict[UUID, list[UUID]] = defaultdict(list)
    rows = SectionInstructor.objects.filter(section__in=sections, role__in=TEACHERS).order_by("faculty")
    for section, faculty in rows.values_list("section", "faculty"):
        found[section].append(faculty)
    return found
