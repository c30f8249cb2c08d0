"""The classes of one person as an iCalendar (RFC 5545)."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, QuerySet
from icalendar import Calendar, Event, Timezone, TimezoneDaylight, TimezoneStandard

from attendance.models import ClassSession, SessionStatus, Substitution, SubstitutionStatus
from attendance.services.planning import campus_of, zone_of
from courses.models import SectionInstructor
from enrollment.models import Enrollment, EnrollmentStatus

# What a calendar goes back and ahead by, from the day on which it is read.
BACK, AHEAD = timedelta(days=60), timedelta(days=400)
PRODUCT = "-//CampusHub360//Classes//EN"
# How often a program should ask again.
REFRESH = timedelta(hours=1)
HOUR = timedelta(hours=1)


def classes_of(person: UUID | None, *, at: datetime) -> QuerySet[ClassSession]:
    """Return the sessions that a person is expected in, or teaches, around an instant, cancelled ones too.

    Whoever teaches a class in somebody's place has it, and the other has it not. An account that is nobody's has none.
    Reads at once which sections and classes are theirs: as questions within the query, they would be asked of every
    session that anybody has meanwhile.
    """
    if person is None:
        return ClassSession.objects.none()
    attended = Enrollment.objects.filter(
        Q(enrolled_at=None) | Q(enrolled_at__lt=OuterRef("ends_at")),
        Q(dropped_at=None) | Q(dropped_at__gt=OuterRef("starts_at")),
        student__person=person,
        section=OuterRef("section"),
    ).exclude(status=EnrollmentStatus.PENDING)
    enrolled = set(Enrollment.objects.filter(student__person=person).values_list("section", flat=True))
    taught = set(SectionInstructor.objects.filter(faculty__person=person).values_list("section", flat=True))
    rows = ClassSession.objects.filter(starts_at__gte=at - BACK, starts_at__lt=at + AHEAD)
    accepted = Substitution.objects.filter(status=SubstitutionStatus.ACCEPTED)
    replaced = accepted.filter(session=OuterRef("pk"), instructor__person=person)
    standing_in = list(accepted.filter(substitute__person=person).values_list("session", flat=True))
    rows = rows.filter(Q(section__among=enrolled | taught) | Q(pk__among=standing_in))
    rows = rows.filter(
        Q(section__among=taught) & ~Exists(replaced)
        | Q(pk__among=standing_in)
        | Q(section__among=enrolled) & Exists(attended)
    )
    return rows.select_related(
        "section__course", "section__course_version", "section__campus", "room__building__campus"
    ).order_by("starts_at", "pk")


def written(rows: Iterable[ClassSession], *, at: datetime) -> bytes:
    """Return sessions as a calendar, each at the time of its campus."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "Classes")
    calendar.add("refresh-interval", REFRESH, parameters={"value": "DURATION"})
    events = [(_zone(row), row) for row in rows]
    for name in sorted({zone.key for zone, _ in events}):
        calendar.add_component(_timezone(ZoneInfo(name), first=(at - BACK).date(), last=(at + AHEAD).date()))
    for zone, row in events:
        calendar.add_component(_event(row, zone))
    return bytes(calendar.to_ical())


def _zone(row: ClassSession) -> ZoneInfo:
    return zone_of(campus_of(row.room, [row.section]))


def _event(row: ClassSession, zone: ZoneInfo) -> Event:
    """Return a session as an event, which it stays however it is moved."""
    event = Event()
    event.add("uid", str(row.pk))
    # What happens on the sheet is no revision of the event (RFC 5545, 3.8.7.4).
    revised_at = (row.revised_at or row.created_at).astimezone(UTC)
    event.add("sequence", row.revision)
    event.add("dtstamp", revised_at)
    event.add("last-modified", revised_at)
    event.add("created", row.created_at.astimezone(UTC))
    event.add("dtstart", _told(row.starts_at, zone))
    event.add("dtend", _told(row.ends_at, zone))
    section = row.section
    event.add("summary", f"{section.course.code}-{section.code} {section.course_version.title}")
    if row.room is not None:
        event.add("location", f"{row.room.building.name}, {row.room.name or row.room.code}")
    if row.note:
        event.add("description", row.note)
    is_cancelled = row.status == SessionStatus.CANCELLED
    event.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if is_cancelled else "OPAQUE")
    return event


def _told(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return the time of a campus, or UTC in an hour that comes twice, of which RFC 5545 would take the first."""
    local = instant.astimezone(zone)
    is_told_apart = local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset()
    return local if is_told_apart else instant.astimezone(UTC)


def _timezone(zone: ZoneInfo, *, first: date, last: date) -> Timezone:
    """Return the rules of a zone within the calendar, one observance for each change of its clocks.

    Made here: the library's own begin in the time after the change, and RFC 5545 (3.6.5) has them begin in that before.
    """
    found = Timezone()
    found.add("tzid", zone.key)
    # A day more on either side, for those whose own day is another.
    begins = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=1)
    before = begins.astimezone(zone).utcoffset() or timedelta()
    for at in (begins, *_changes(zone, begins, datetime(last.year, last.month, last.day, tzinfo=UTC) + 2 * 24 * HOUR)):
        local = at.astimezone(zone)
        observance = TimezoneDaylight() if local.dst() else TimezoneStandard()
        offset = local.utcoffset() or timedelta()
        observance.add("dtstart", (at + before).replace(tzinfo=None))
        observance.add("tzoffsetfrom", before)
        observance.add("tzoffsetto", offset)
        observance.add("tzname", local.tzname() or zone.key)
        found.add_component(observance)
        before = offset
    return found


def _changes(zone: tzinfo, begins: datetime, ends: datetime) -> Iterator[datetime]:
    """Yield the instants, to the minute, at which the offset of a zone changes."""
    at = begins
    while at < ends:
        after = at + 24 * HOUR
        if at.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            low, high = at, after
            while high - low > timedelta(minutes=1):
                middle = low + timedelta(minutes=(high - low) // timedelta(minutes=2))
                is_before = middle.astimezone(zone).utcoffset() == at.astimezone(zone).utcoffset()
                low, high = (middle, high) if is_before else (low, middle)
            yield high
        at = after


def facts_of(rows: Iterable[ClassSession]) -> list[tuple[str, ...]]:
    """Return what a calendar is made of, so that one that has not changed need not be written."""
    return [
        (
            str(row.pk), str(row.revision), str(row.revised_at), row.section.code, row.section.course.code,
            row.section.course_version.title, _zone(row).key,
            "" if row.room is None else f"{row.room.building.name}|{row.room.name}|{row.room.code}",
        )
        for row in rows
    ]  # fmt: skip
