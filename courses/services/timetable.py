"""What changes the weekly timetable."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from core import crud
from core.errors import ConflictError, DomainError, InvalidError, OutOfScopeError
from core.visibility import Actor, visible
from courses.models import Meeting, MeetingSection, Section, SectionStatus
from courses.services.locking import lock_timetables
from courses.services.versioning import touch_sections
from departments.models import Room, Term

ONE_DAY = timedelta(days=1)
COLUMNS = ("weekday", "starts_at", "ends_at", "room", "conflict_waived", "note")


class Dates(TypedDict):
    starts_on: date
    ends_on: date


class MeetingValues(TypedDict, total=False):
    weekday: int
    starts_at: time
    ends_at: time
    dates: Dates | None
    room: Room | None
    conflict_waived: bool
    note: str
    sections: Sequence[Section]


class MeetingItem(MeetingValues, total=False):
    # A meeting that exists, which stays or which the section joins.
    id: Meeting


class RoomConflictError(ConflictError):
    """Another meeting takes place in the room at that time; `meta.meetings` names it."""

    code = "room_conflict"
    title = "Another meeting takes place in the room at that time."
    field = "room"


class MeetingDatesError(InvalidError):
    """The last day of a meeting would lie before its first."""

    code = "ends_before_start"
    title = "A meeting has a first and a last day, in this order."
    field = "dates"


class MeetingWithoutSectionError(InvalidError):
    """A meeting would serve nobody."""

    code = "meeting_without_section"
    title = "A meeting serves at least one section."
    field = "sections"


class ForeignMeetingError(ConflictError):
    """A section cannot meet together with sections of another term."""

    code = "meeting_of_another_term"
    title = "Sections that meet together are of one term."
    field = "sections"


@transaction.atomic
def create_meeting(*, by: Actor | None, **values: Unpack[MeetingValues]) -> Meeting:
    """Schedule a meeting of one or more sections, on the days of their term unless `dates` says otherwise.

    Refused with `room_conflict`, which names the other meeting, unless the conflict is waived.
    """
    sections = _of_one_term(values.get("sections", ()))
    lock_timetables(section_ids=[section.pk for section in sections])
    meeting = _create(_columns(values, sections[0].term))
    _serve(meeting, [section.pk for section in sections])
    touch_sections(section.pk for section in sections)
    return meeting


@transaction.atomic
def update_meeting(meeting: Meeting, *, by: Actor | None, **changes: Unpack[MeetingValues]) -> Meeting:
    """Change a meeting, or which sections it serves; refused with `room_conflict`."""
    lock_timetables(section_ids=[section.pk for section in changes.get("sections", ())], meeting_ids=[meeting.pk])
    version, served = meeting.version, _served_by([meeting.pk])
    wanted = {section.pk for section in _of_one_term(changes["sections"])} if "sections" in changes else served
    # Without dates of its own a meeting takes place on the days of its term.
    term = Term.objects.filter(sections__in=wanted).first() if "dates" in changes else None
    _update(meeting, _columns(changes, term))
    if wanted != served:
        MeetingSection.objects.filter(meeting=meeting).exclude(section__in=wanted).delete()
        _serve(meeting, wanted - served)
        if meeting.version == version:
            crud.touch(meeting)
    if meeting.version != version:
        touch_sections(served | wanted)
    return meeting


@transaction.atomic
def delete_meeting(meeting: Meeting, *, by: Actor | None) -> None:
    """Take a meeting off the timetable."""
    lock_timetables(meeting_ids=[meeting.pk])
    served = _served_by([meeting.pk])
    crud.delete(meeting)
    touch_sections(served)


def set_meetings(section: Section, items: Sequence[MeetingItem], *, by: Actor | None) -> set[UUID]:
    """Let a section meet exactly so; return the ids of the sections whose timetable changed.

    An item with an `id` keeps that meeting, or joins it; one that equals a meeting of the section
    keeps it; any other is a meeting of its own. Refused with `out_of_scope` when somebody would join
    or change a meeting without being in charge of every section that it serves.
    """
    served = MeetingSection.objects.filter(section=section).select_related("meeting__room").order_by("pk")
    present = {row.meeting_id: row.meeting for row in served}
    plan = _planned(section, items, present)
    kept = {planned.meeting.pk for planned in plan if planned.meeting is not None}
    touched = _leave(section, present.keys() - kept)
    # Rooms are taken in one order by everybody, so that two timetables that clash do not wait for each other.
    for planned in sorted(plan, key=_Planned.place):
        with _at(f"meetings.{planned.index}"):
            is_new = planned.meeting is None or planned.meeting.pk not in present
            _require_charge(planned, by, is_new=is_new)
            touched |= _carry_out(planned, section, is_new=is_new)
    return touched


def named_meetings(items: Sequence[MeetingItem]) -> list[UUID]:
    """Return the ids of the meetings that the items of a section's timetable keep or join."""
    return [item["id"].pk for item in items if "id" in item]


def release_rooms(section: Section) -> set[UUID]:
    """Free the rooms in which only this section meets; return the ids of the sections concerned."""
    others = MeetingSection.objects.exclude(section=section).exclude(section__status=SectionStatus.CANCELLED)
    alone = Meeting.objects.filter(meeting_sections__section=section, room__isnull=False).exclude(
        pk__in=others.values("meeting")
    )
    freed = list(alone.order_by("pk").select_for_update(of=("self",), no_key=True))
    for meeting in freed:
        crud.update(meeting, {"room": None})
    return _served_by(meeting.pk for meeting in freed)


def remove_meetings_of(section: Section) -> None:
    """Take a section that is about to be deleted off the timetable."""
    _leave(section, set(MeetingSection.objects.filter(section=section).values_list("meeting_id", flat=True)))


@dataclass(frozen=True)
class _Planned:
    """An item of a section's timetable: where it stood in the list, and the meeting it is or will be."""

    index: int
    columns: dict[str, Any]
    meeting: Meeting | None

    def place(self) -> tuple[str, int, time]:
        """Return the room and time by which meetings are written in order."""

        def value(name: str) -> Any:
            return self.columns[name] if name in self.columns else getattr(self.meeting, name)

        room = value("room") if "room" in self.columns or self.meeting is not None else None
        return (str(room.pk) if room else "", value("weekday"), value("starts_at"))


def _planned(section: Section, items: Sequence[MeetingItem], present: Mapping[UUID, Meeting]) -> list[_Planned]:
    named = {item["id"].pk for item in items if "id" in item}
    unnamed = {pk: meeting for pk, meeting in present.items() if pk not in named}
    plan = []
    for index, item in enumerate(items):
        if "id" in item:
            columns = _columns(item, section.term if "dates" in item else None)
            plan.append(_Planned(index, columns, present.get(item["id"].pk, item["id"])))
            continue
        with _at(f"meetings.{index}"):
            columns = _columns(item, section.term)
        equal = [m for m in unnamed.values() if all(getattr(m, name) == value for name, value in columns.items())]
        plan.append(_Planned(index, columns, unnamed.pop(equal[0].pk) if equal else None))
    return plan


def _require_charge(planned: _Planned, by: Actor | None, *, is_new: bool) -> None:
    """Refuse to join or change a meeting that somebody does not manage; to keep it as it is, everybody may."""
    meeting = planned.meeting
    if meeting is None or by is None:
        return
    is_changed = any(getattr(meeting, name) != value for name, value in planned.columns.items())
    if (is_new or is_changed) and not visible(Meeting.objects.filter(pk=meeting.pk), by, to="manage").exists():
        raise OutOfScopeError(field="id")


def _carry_out(planned: _Planned, section: Section, *, is_new: bool) -> set[UUID]:
    """Write one item; return the ids of the sections whose timetable changed by it."""
    if planned.meeting is None:
        _serve(_create(planned.columns), [section.pk])
        return {section.pk}
    version = planned.meeting.version
    _update(planned.meeting, planned.columns)
    served = _served_by([planned.meeting.pk]) if planned.meeting.version != version else set()
    if is_new:
        if MeetingSection.objects.filter(meeting=planned.meeting).exclude(section__term=section.term_id).exists():
            raise ForeignMeetingError
        _serve(planned.meeting, [section.pk])
        served.add(section.pk)
    return served


def _of_one_term(sections: Sequence[Section]) -> Sequence[Section]:
    if not sections:
        raise MeetingWithoutSectionError
    if len({section.term_id for section in sections}) > 1:
        raise ForeignMeetingError
    return sections


def _served_by(meeting_ids: Iterable[UUID]) -> set[UUID]:
    return set(MeetingSection.objects.filter(meeting__in=list(meeting_ids)).values_list("section_id", flat=True))


def _serve(meeting: Meeting, section_ids: Iterable[UUID]) -> None:
    MeetingSection.objects.bulk_create(
        MeetingSection(meeting=meeting, section_id=section_id) for section_id in sorted(set(section_ids))
    )


def _leave(section: Section, meeting_ids: Iterable[UUID]) -> set[UUID]:
    """Take a section out of meetings, and those off the timetable that then serve nobody."""
    left = list(meeting_ids)
    MeetingSection.objects.filter(section=section, meeting__in=left).delete()
    Meeting.objects.filter(pk__in=left, meeting_sections__isnull=True).delete()
    return {section.pk} if left else set()


def _columns(values: Mapping[str, Any], term: Term | None) -> dict[str, Any]:
    """Return the columns that `values` give a meeting; its days are those of the term unless they name some."""
    columns = {name: values[name] for name in COLUMNS if name in values}
    dates = values.get("dates")
    if dates is not None:
        columns["dates"] = _span(dates["starts_on"], dates["ends_on"])
    elif term is not None:
        columns["dates"] = _span(term.starts_on, term.ends_on)
    return columns


def _span(first: date, last: date) -> DateRange:
    if last < first:
        raise MeetingDatesError
    if last == date.max:
        raise MeetingDatesError("There is no day after the last one.")
    return DateRange(first, last + ONE_DAY, "[)")


def _create(columns: dict[str, Any]) -> Meeting:
    with _naming_the_other(columns):
        return crud.create(Meeting, columns)


def _update(meeting: Meeting, columns: dict[str, Any]) -> None:
    names = (*COLUMNS, "dates")
    wanted = {name: columns[name] if name in columns else getattr(meeting, name) for name in names}
    with _naming_the_other(wanted, meeting.pk):
        crud.update(meeting, columns)


@contextmanager
def _naming_the_other(columns: Mapping[str, Any], own_id: UUID | None = None) -> Generator[None]:
    """Say in a refusal which meetings are in the room already."""
    try:
        yield
    except ConflictError as refused:
        if refused.error_code != RoomConflictError.code:
            raise
        others = Meeting.objects.filter(
            room=columns["room"],
            weekday=columns["weekday"],
            starts_at__lt=columns["ends_at"],
            ends_at__gt=columns["starts_at"],
            dates__overlap=columns["dates"],
            conflict_waived=False,
        ).exclude(pk__in=[own_id] if own_id else [])
        found = [_described(other) for other in others.order_by("starts_at", "pk")]
        names = ", ".join(name for other in found for name in other["sections"])
        detail = f"{columns['room']} is taken by {names or 'another meeting'} at that time."
        raise RoomConflictError(detail, meta={"meetings": found}) from refused


def _described(meeting: Meeting) -> dict[str, Any]:
    served = MeetingSection.objects.filter(meeting=meeting).order_by("section__course__code", "section__code")
    return {
        "id": str(meeting.pk),
        "weekday": meeting.weekday,
        "starts_at": meeting.starts_at.isoformat(),
        "ends_at": meeting.ends_at.isoformat(),
        "sections": [
            f"{course}-{section}" for course, section in served.values_list("section__course__code", "section__code")
        ],
    }


@contextmanager
def _at(path: str) -> Generator[None]:
    """Report refusals of an item below its place in the list."""
    try:
        yield
    except DomainError as refused:
        for violation in refused.violations:
            violation.under(path)
        raise
