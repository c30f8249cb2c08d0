"""Enrolments as a place that records go to."""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

from django.utils import timezone

from core.errors import DomainError
from courses.models import Section
from enrollment.models import LIVE, Enrollment, EnrollmentStatus
from enrollment.services import bulk
from enrollment.services.judging import FULL, Judge, Judgement
from interop.faults import Fault
from interop.models import OVER_CAPACITY, ImportKind
from interop.targets.base import Target, is_pending, settle_created, settle_updated
from interop.targets.items import Item
from interop.targets.values import Value

# The option by which rules that can be waived are, in terms that are not over.
BEYOND_CAPACITY = "beyond_capacity"
PASSED_OVER = "rule_waived"
NOTED = (OVER_CAPACITY, PASSED_OVER)


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

    def hold(self, items: Sequence[Item]) -> None:
        places = ((item.initial.get("student"), item.initial.get("section")) for item in items)
        known = {
            (student, section) for student, section in places if isinstance(student, UUID) and isinstance(section, UUID)
        }
        bulk.hold_for_recording(known, {item.object_id for item in items if item.object_id is not None})

    def check(self, item: Item) -> list[DomainError]:
        values = self.columns(item.new_values) if item.row is None else _leaving(item.row, item.changed_values)
        return bulk.record_faults(values=values, enrollment=item.row)

    def forecast(self, items: Sequence[Item]) -> None:
        for item, own in zip(items, bulk.own_faults([_student_of(item) for item in items], by=self.by), strict=True):
            if own is not None:
                item.refuse(own)
        sound = (item for item in items if not item.is_rejected)
        rows = [(item, row) for item in sound if (row := self._seat_of(item)) is not None]
        self._forecaster.read([row for _, row in rows])
        for item, row in rows:
            judgement = self._forecaster.of(row)
            for refusal in judgement.refusals:
                item.refuse(refusal)
            if not item.is_rejected:
                self._forecaster.seat(row)
                _note(item, judgement)

    @cached_property
    def _forecaster(self) -> Judge:
        """The judge of a preview, who counts the seats that the rows of the whole file take."""
        return Judge(self._waives)

    def _seat_of(self, item: Item) -> dict[str, Any] | None:
        """Return the seat that an item is going to take, as a row to be judged; None when it takes none."""
        if item.row is not None:
            return bulk.taking_a_seat(item.row, item.changed_values)
        row = _reported(self.columns(item.new_values))
        is_known = all(isinstance(row.get(name), UUID) for name in ("student_id", "section_id"))
        return row if is_known else None

    def _waives(self, section: Section) -> bool:
        """Say whether an enrolment may break the rules: when told so, and when nobody here registers in the section.

        OneRoster knows no capacities. Of a class that came with it and was given none here, the other system
        says who is in it.
        """
        return bool(self.job.options.get(BEYOND_CAPACITY)) or (
            self.job.kind == ImportKind.ONEROSTER and section.capacity == 0
        )

    def create(self, items: Sequence[Item]) -> None:
        rows = [_reported(self.columns(item.new_values)) for item in items]
        recorded = bulk.record_many(rows=rows, by=self.by, at=timezone.now(), waives=self._waives)
        settle_created(items, [one.outcome for one in recorded])
        _note_all(items, recorded)

    def update(self, items: Sequence[Item]) -> None:
        changes = [(item.row, _leaving(item.row, item.changed_values)) for item in items]
        recorded = bulk.correct_many(changes=changes, by=self.by, at=timezone.now(), waives=self._waives)
        settle_updated(items, [one.outcome if isinstance(one.outcome, DomainError) else None for one in recorded])
        _note_all(items, recorded)

    def touched(self, items: Sequence[Item]) -> dict[str, set[UUID]]:
        """Return the sections, which may be given seats that explain the enrolments."""
        return {"sections": {item.initial["section"] for item in items}}

    def keep(self, ids: Collection[UUID]) -> dict[UUID, Any]:
        return bulk.keep_records(ids=ids)

    def restore(self, kept: Sequence[Any]) -> None:
        bulk.restore_records(kept=kept)

    def remove(self, ids: Collection[UUID]) -> None:
        bulk.erase_many(ids=ids)


def _student_of(item: Item) -> Any:
    return item.row.student_id if item.row is not None else item.initial.get("student")


def _note_all(items: Sequence[Item], recorded: Sequence[bulk.Recorded]) -> None:
    for item, one in zip(items, recorded, strict=True):
        # What the preview noted may have come otherwise.
        item.record.notes[:] = [note for note in item.record.notes if note.code not in NOTED]
        if not item.is_rejected:
            _note(item, one.judgement)


def _note(item: Item, judgement: Judgement) -> None:
    """Say of an item which rules it breaks and is recorded all the same."""
    for obstacle in judgement.passed_over:
        if obstacle.code == FULL:
            item.record.notes.append(Fault(OVER_CAPACITY, "Over capacity, recorded as history.", "section"))
        else:
            item.record.notes.append(Fault(PASSED_OVER, f"Recorded all the same: {obstacle.detail}", obstacle.field))


def _reported(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what the file does not say, so that the record's own defaults hold."""
    return {name: value for name, value in values.items() if value is not None}


def _leaving(row: Enrollment, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Let an enrolment that is live again have no time of leaving."""
    changed = dict(changes)
    if changed.get("status") in (*LIVE, EnrollmentStatus.COMPLETED):
        changed.setdefault("dropped_at", None)
    return changed
