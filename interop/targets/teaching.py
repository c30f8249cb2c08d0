"""Courses, sections and meetings as places that records go to."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar
from uuid import UUID

from django.db import models
from django.utils import timezone

from core.errors import DomainError
from courses.models import Course, Meeting, MeetingSection, Section, SectionStatus
from courses.services import bulk, lock_timetables
from departments.models import Term
from interop.faults import Fault
from interop.models import ImportAction
from interop.targets.base import Target, is_pending, settle_created, settle_updated
from interop.targets.items import Item
from interop.targets.values import Value, encode

ROOM_CONFLICT = "room_conflict"


class Courses(Target):
    resource = "courses"
    model = Course
    key_paths = ("code",)
    values = (
        Value("code"),
        Value("department", "ref", to="departments"),
        Value("level"),
        Value("is_active", "boolean"),
        Value("title", path="current_version.title"),
        Value("description", path="current_version.description"),
        Value("credits", "decimal", path="current_version.credits"),
        Value("credits_max", "decimal", path="current_version.credits_max"),
        Value("is_repeatable", "boolean", path="current_version.is_repeatable"),
    )

    def queryset(self) -> models.QuerySet[Any]:
        return super().queryset().select_related("current_version")

    def versions(self, row: Any) -> dict[str, int]:
        version = row.current_version
        return {**super().versions(row), f"courses.courseversion:{version.pk}": version.version}

    def check(self, item: Item) -> list[DomainError]:
        values = self.columns(item.new_values if item.row is None else item.changed_values)
        return bulk.course_faults(values=values, course=item.row)

    def create(self, items: Sequence[Item]) -> None:
        rows = [self.columns(item.new_values) for item in items]
        settle_created(items, bulk.create_courses(rows=rows, by=self.by))

    def update(self, items: Sequence[Item]) -> None:
        changes = [(item.row, self.columns(item.changed_values)) for item in items]
        settle_updated(items, bulk.update_courses(changes=changes, by=self.by))

    def keep(self, ids: Collection[UUID]) -> dict[UUID, Any]:
        return bulk.keep_courses(ids=ids)

    def restore(self, kept: Sequence[Any]) -> None:
        bulk.restore(kept=kept)

    def remove(self, ids: Collection[UUID]) -> None:
        bulk.remove_courses(ids=ids)


class Sections(Target):
    """Sections with their instructors; one of a term that is over is completed from the beginning."""

    resource = "sections"
    model = Section
    key_paths = ("term__code", "course__code", "code")
    values = (
        Value("course", "ref", to="courses"),
        Value("term", "ref", to="terms"),
        Value("code"),
        Value("campus", "ref", to="campuses"),
        Value("mode"),
        Value("capacity", "integer"),
        Value("override_seats", "integer"),
        Value("waitlist_capacity", "integer"),
        Value("instructors", "shares", to="faculty"),
        Value("status"),
    )
    absent: ClassVar = {"instructors": []}

    def queryset(self) -> models.QuerySet[Any]:
        return super().queryset().prefetch_related("section_instructors")

    def load(self, ids: Collection[UUID], *, lock: bool) -> dict[UUID, Any]:
        if lock:  # one that is cancelled leaves its rooms, which changes meetings
            lock_timetables(section_ids=ids)
        return super().load(ids, lock=lock)

    def held(self, value: Value, row: Any) -> Any:
        if value.name != "instructors":
            return super().held(value, row)
        taught = row.section_instructors.all()
        return _in_order([{"faculty_id": one.faculty_id, "role": one.role, "share": one.share} for one in taught])

    def normalise(self, item: Item) -> None:
        instructors = item.values.get("instructors") or ()
        if instructors and not any(is_pending(one["faculty_id"]) for one in instructors):
            with suppress(DomainError):  # what is wrong with them is said by `check`
                item.values["instructors"] = _in_order(bulk.completed_instructors(instructors))

    def check(self, item: Item) -> list[DomainError]:
        values = self.columns(item.new_values if item.row is None else item.changed_values)
        if any(is_pending(one["faculty_id"]) for one in values.get("instructors") or ()):
            del values["instructors"]  # checked when there is somebody to name
        return bulk.section_faults(values=values, section=item.row)

    def create(self, items: Sequence[Item]) -> None:
        ended = set(
            Term.objects.filter(
                pk__in={item.values["term"] for item in items}, ends_on__lt=timezone.localdate()
            ).values_list("pk", flat=True)
        )
        for item in items:
            over = SectionStatus.COMPLETED if item.values["term"] in ended else SectionStatus.OPEN
            item.initial.setdefault("status", over)
        rows = [self.columns(item.new_values) for item in items]
        settle_created(items, bulk.create_sections(rows=rows, by=self.by))

    def update(self, items: Sequence[Item]) -> None:
        changes = [(item.row, self.columns(item.changed_values)) for item in items]
        settle_updated(items, bulk.update_sections(changes=changes, by=self.by))

    def keep(self, ids: Collection[UUID]) -> dict[UUID, Any]:
        return bulk.keep_sections(ids=ids)

    def restore(self, kept: Sequence[Any]) -> None:
        bulk.restore(kept=kept)

    def remove(self, ids: Collection[UUID]) -> None:
        bulk.remove_sections(ids=ids)


def _in_order(instructors: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(instructors, key=lambda one: (-one["share"], str(one["faculty_id"])))


class Meetings(Target):
    """Weekly meetings, each of one section or of several that are taught together.

    The natural key is the first section's, the weekday, the beginning, and a number that tells
    meetings apart that a section has at the same time.
    """

    resource = "meetings"
    model = Meeting
    key_paths = ()
    values = (
        Value("sections", "refs", to="sections", fixed=True),
        Value("weekday", "integer", fixed=True),
        Value("starts_at", "time", fixed=True),
        Value("ends_at", "time"),
        Value("room", "ref", to="rooms"),
        Value("note"),
        Value("ordinal", "integer", fixed=True),
        Value("waive_conflicts", "boolean", fixed=True),
        Value("conflict_waived", "boolean", fixed=True),
    )

    def match(self, items: Sequence[Item]) -> dict[int, UUID]:
        wanted: dict[tuple[Any, Any, Any, int], int] = {}
        for item in items:
            sections = item.initial.get("sections") or ()
            if sections and not is_pending(sections):
                place = (sections[0], item.initial["weekday"], encode(item.initial["starts_at"]))
                wanted[*place, item.initial.get("ordinal", 0)] = item.position
        rows = MeetingSection.objects.filter(section_id__among={key[0] for key in wanted}).order_by("meeting_id")
        seen: dict[tuple[Any, Any, Any], int] = {}
        found: dict[int, UUID] = {}
        for section_id, meeting_id, weekday, starts_at in rows.values_list(
            "section_id", "meeting_id", "meeting__weekday", "meeting__starts_at"
        ):
            place = (section_id, weekday, encode(starts_at))
            ordinal = seen[place] = seen.get(place, -1) + 1
            if (*place, ordinal) in wanted:
                found[wanted[*place, ordinal]] = meeting_id
        return found

    def load(self, ids: Collection[UUID], *, lock: bool) -> dict[UUID, Any]:
        if lock:
            lock_timetables(meeting_ids=ids)
        return super().load(ids, lock=lock)

    def columns(self, values: Mapping[str, Any]) -> dict[str, Any]:
        columns = super().columns(values)
        if "sections" in columns:
            columns["section_ids"] = columns.pop("sections")
        columns.pop("ordinal", None)
        columns.pop("waive_conflicts", None)
        return columns

    def check(self, item: Item) -> list[DomainError]:
        values = self.columns(item.new_values if item.row is None else item.changed_values)
        return bulk.meeting_faults(values=values, meeting=item.row)

    def create(self, items: Sequence[Item]) -> None:
        rows = [self.columns(item.new_values) for item in items]
        settle_created(items, bulk.create_meetings(rows=rows, by=self.by))
        self._waive([item for item in items if item.is_rejected and item.initial.get("waive_conflicts")])

    def _waive(self, items: Sequence[Item]) -> None:
        """Record meetings of a history that clash, and say so."""
        clashing = [item for item in items if [fault.code for fault in item.reasons] == [ROOM_CONFLICT]]
        for item in clashing:
            item.record.notes.append(Fault("conflict_waived", item.reasons[0].detail, "room"))
            item.reasons.clear()
            item.action = ImportAction.CREATE
        rows = [self.columns({**item.new_values, "conflict_waived": True}) for item in clashing]
        settle_created(clashing, bulk.create_meetings(rows=rows, by=self.by))

    def update(self, items: Sequence[Item]) -> None:
        changes = [(item.row, self.columns(item.changed_values)) for item in items]
        settle_updated(items, bulk.update_meetings(changes=changes, by=self.by))

    def touched(self, items: Sequence[Item]) -> dict[str, set[UUID]]:
        """Return the sections whose version counts these meetings, too."""
        served = MeetingSection.objects.filter(meeting__in=[item.row.pk for item in items if item.row is not None])
        named = {pk for item in items for pk in item.initial.get("sections", ())}
        return {"sections": named | set(served.values_list("section_id", flat=True))}

    def keep(self, ids: Collection[UUID]) -> dict[UUID, Any]:
        return bulk.keep_meetings(ids=ids)

    def restore(self, kept: Sequence[Any]) -> None:
        bulk.restore(kept=kept)

    def remove(self, ids: Collection[UUID]) -> None:
        bulk.remove_meetings(ids=ids)
