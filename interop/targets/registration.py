"""Enrolments as a place that records go to."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone

from core.errors import DomainError
from enrollment.models import LIVE, Enrollment, EnrollmentStatus
from enrollment.services import bulk, lock_sections_of
from interop.targets.base import Target, is_pending, settle_created, settle_updated
from interop.targets.items import Item
from interop.targets.values import Value


class Enrollments(Target):
    """Enrolments as another system reports them: of a student's several in one section, the live or latest."""

    resource = "enrollments"
    model = Enrollment
    key_paths = ()
    values = (
        Value("student", "ref", to="students", fixed=True),
        Value("section", "ref", to="sections", fixed=True),
        Value("status"),
        Value("result"),
        Value("credits", "decimal"),
        Value("grade_basis"),
        Value("attempt_no", "integer"),
        Value("enrolled_at", "instant"),
        Value("dropped_at", "instant"),
    )

    def match(self, items: Sequence[Item]) -> dict[int, UUID]:
        wanted: dict[tuple[Any, Any], int] = {}
        for item in items:
            place = item.initial.get("student"), item.initial.get("section")
            if not any(one is None or is_pending(one) for one in place):
                wanted[place] = item.position
        if not wanted:
            return {}
        rows = Enrollment.objects.filter(
            student_id__among={student for student, _ in wanted}, section_id__in={section for _, section in wanted}
        ).order_by("created_at", "pk")
        found: dict[int, tuple[bool, UUID]] = {}
        for pk, student_id, section_id, status in rows.values_list("pk", "student_id", "section_id", "status"):
            position = wanted.get((student_id, section_id))
            if position is not None:
                is_live = status in LIVE
                if is_live or not found.get(position, (False, pk))[0]:
                    found[position] = (is_live, pk)
        return {position: pk for position, (_, pk) in found.items()}

    def load(self, ids: Collection[UUID], *, lock: bool) -> dict[UUID, Any]:
        if lock:
            lock_sections_of(ids)
        return super().load(ids, lock=lock)

    def check(self, item: Item) -> list[DomainError]:
        values = self.columns(item.new_values if item.row is None else item.changed_values)
        return bulk.record_faults(values=values, enrollment=item.row)

    def create(self, items: Sequence[Item]) -> None:
        rows = [_reported(self.columns(item.new_values)) for item in items]
        settle_created(items, bulk.record_many(rows=rows))

    def update(self, items: Sequence[Item]) -> None:
        changes = [(item.row, _leaving(item.row, item.changed_values)) for item in items]
        settle_updated(items, bulk.correct_many(changes=changes, by=self.by, at=timezone.now()))

    def touched(self, items: Sequence[Item]) -> dict[str, set[UUID]]:
        """Return the sections, which may be given seats that explain the enrolments."""
        return {"sections": {item.initial["section"] for item in items}}

    def keep(self, ids: Collection[UUID]) -> dict[UUID, Any]:
        return bulk.keep_records(ids=ids)

    def restore(self, kept: Sequence[Any]) -> None:
        bulk.restore_records(kept=kept)

    def remove(self, ids: Collection[UUID]) -> None:
        bulk.erase_many(ids=ids)


def _reported(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what the file does not say, so that the record's own defaults hold."""
    return {name: value for name, value in values.items() if value is not None}


def _leaving(row: Enrollment, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Let an enrolment that is live again have no time of leaving."""
    changed = dict(changes)
    if changed.get("status") in (*LIVE, EnrollmentStatus.COMPLETED):
        changed.setdefault("dropped_at", None)
    return changed
