"""Marks as a place that records go to: who was there, as another system says it.

What a source outranks is left as it is, which is no fault: the row says so in a note. An excuse covers what is
imported, which lies beneath it for the day on which it is revoked.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

import orjson
from django.db import models
from django.db.models import Value as Text
from django.db.models.functions import StrIndex, Substr
from django.utils import timezone

from attendance.models import AttendanceRecord, ClassSession
from attendance.services import importing
from attendance.services.importing import Place, Report, Sheets
from attendance.services.marking import late_code
from attendance.services.sheets import Made
from attendance.services.standing_marks import NOTHING, Standing, standing_with
from core.errors import DomainError, InvalidError
from core.snapshots import rows_of
from interop.faults import Fault
from interop.models import ImportAction, ImportRow
from interop.sources.records import SEPARATOR, compose, decompose
from interop.targets.base import Target, is_pending
from interop.targets.items import Item
from interop.targets.teaching import Sections
from interop.targets.values import Value

OUTRANKED = "mark_outranked"
BENEATH = "mark_beneath_excuse"
NOTES = {
    OUTRANKED: "The student was marked by somebody or something that outranks an import, which leaves that as it is.",
    BENEATH: "The student is excused; the mark lies beneath, for the day on which that is revoked.",
}
DAY = timedelta(days=1)
PLACES = 1_000


class Marks(Target):
    """Marks of students in sessions, found by the beginning of the session."""

    resource = "attendance"
    model = AttendanceRecord
    key_paths = ()
    values = (
        Value("student", "ref", to="students", fixed=True),
        Value("section", "ref", to="sections", fixed=True),
        Value("starts_at", fixed=True),
        Value("code"),
        Value("minutes_late", "integer"),
    )
    # What marks stand by their source: whoever edits one is no import any more.
    remembers = False

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._at = timezone.now()
        # Of the batch at hand: its sessions by section and beginning, their sheets, and the rows that were loaded.
        self._sessions: Mapping[Place, ClassSession | DomainError] = {}
        self._sheets: Sheets | None = None
        self._loaded: dict[UUID, Standing] = {}
        self._days = (date.min, date.max)

    # --- finding ---

    def match(self, items: Sequence[Item]) -> dict[int, UUID]:
        places = {place for item in items if (place := _place(item)) is not None}
        self._at = timezone.now()
        self._sessions = importing.sessions_at(places)
        self._read(items)
        self._refuse_duplicates(items)
        found = {item.position: self._standing(item) for item in items}
        return {position: standing.pk for position, standing in found.items() if standing is not None}

    def hold(self, items: Sequence[Item]) -> None:
        locked = importing.lock_marked({row.pk for row in self._found()})
        by_id = {row.pk: row for row in locked}
        self._sessions = {
            place: row if isinstance(row, DomainError) else by_id[row.pk] for place, row in self._sessions.items()
        }
        self._read(items)
        for item in items:
            standing = self._standing(item)
            item.object_id = None if standing is None else standing.pk

    def _found(self) -> list[ClassSession]:
        return [row for row in self._sessions.values() if not isinstance(row, DomainError)]

    def _read(self, items: Iterable[Item]) -> None:
        students = {student for item in items if isinstance(student := item.initial.get("student"), UUID)}
        sessions = {row.pk: row for row in self._found()}
        self._sheets = importing.read_sheets(list(sessions.values()), students, by=self.by)
        standings = (self._standing(item) for item in items)
        self._loaded = {row.pk: row for row in standings if row is not None}

    def _session(self, item: Item) -> ClassSession | DomainError | None:
        place = _place(item)
        return None if place is None else self._sessions.get(place)

    def _report(self, item: Item) -> Report | None:
        """Return what an item says, if it is known of which session and student."""
        session = self._session(item)
        student = item.initial.get("student")
        if not isinstance(session, ClassSession) or not isinstance(student, UUID):
            return None
        values = item.values
        return Report(
            session=session.pk, student=student, code=values.get("code") or "", minutes_late=values.get("minutes_late")
        )  # fmt: skip

    def _standing(self, item: Item) -> Standing | None:
        report = self._report(item)
        sheets = self._sheets
        return None if report is None or sheets is None else sheets.standing(report.session, report.student)

    def _refuse_duplicates(self, items: Sequence[Item]) -> None:
        """Name items by the instant of the session, and reject those that say a second time what another row says.

        A row that names the day alone is recognised only here.
        """
        seen = {item.record.key for item in items if _by_instant(item)}
        named: list[Item] = []
        for item in items:
            session = self._session(item)
            if not isinstance(session, ClassSession) or _by_instant(item):
                continue
            *names, _ = decompose(item.record.key)
            key = compose(*names, session.starts_at.astimezone(UTC).isoformat())
            if key != item.record.key:
                item.record.key = key
                named.append(item)
        keys = [item.record.key for item in named]
        staged = ImportRow.objects.filter(job=self.job, resource=self.resource, natural_key__among=keys)
        seen |= set(staged.values_list("natural_key", flat=True)) if keys else set()
        for item in named:
            if item.record.key in seen:
                item.reject(Fault("duplicate_row", "An earlier row of the file is about the same record."))
            seen.add(item.record.key)

    def load(self, ids: Collection[UUID], *, lock: bool) -> dict[UUID, Any]:
        """Return the marks that were read with the sheets, under the lock of their sessions where it is to be."""
        return {pk: self._loaded[pk] for pk in ids if pk in self._loaded}

    # --- comparing ---

    def held(self, value: Value, row: Any) -> Any:
        return row.mark.minutes_late if value.name == "minutes_late" else self._names().get(row.mark.code)

    def _names(self) -> dict[UUID, str]:
        return {} if self._sheets is None else {code.pk: name for name, code in self._sheets.codes.items()}

    def normalise(self, item: Item) -> None:
        """Let a code say what the minutes make of it."""
        codes = {} if self._sheets is None else self._sheets.codes
        code, minutes = str(item.values.get("code")), item.values.get("minutes_late")
        if not list(importing.mark_faults(code, minutes, codes)):
            item.values["code"] = late_code(code, minutes, codes).code

    def yields(self, item: Item) -> bool:
        outranked = bool(item.row.mark.rank > 0)
        if outranked:
            _note(item, OUTRANKED)
        return outranked

    # --- checking ---

    def check(self, item: Item) -> list[DomainError]:
        session, report, sheets = self._session(item), self._report(item), self._sheets
        if sheets is None or not item.initial.get("starts_at"):
            return [InvalidError("A value is required.", code="required", field="starts_at")]
        if report is not None and report.code:
            return sheets.faults(report, self._at)
        found = [session] if isinstance(session, DomainError) else []
        code = item.values.get("code")
        return found if code is None else [*found, *importing.mark_faults(code, None, sheets.codes)]

    def forecast(self, items: Sequence[Item]) -> None:
        for item in items:
            report, sheets = self._report(item), self._sheets
            if report is not None and sheets is not None and sheets.is_excused(report.session, report.student):
                _note(item, BENEATH)

    # --- writing ---

    def create(self, items: Sequence[Item]) -> None:
        self._write(items)

    def update(self, items: Sequence[Item]) -> None:
        self._write(items)

    def _write(self, items: Sequence[Item]) -> None:
        reports: list[tuple[Item, Report]] = []
        for item in items:
            session, report = self._session(item), self._report(item)
            if report is None:
                item.refuse(session if isinstance(session, DomainError) else importing.UnknownSessionError())
            else:
                reports.append((item, report))
        if self._sheets is None or not reports:
            return
        results = importing.import_marks(self._sheets, [report for _, report in reports], by=self.by, at=self._at)
        for (item, _), result in zip(reports, results, strict=True):
            _settle(item, result)

    def versions(self, row: Any) -> dict[str, int]:
        return {f"{self.entity_type}:{row.pk}": row.version}

    # --- taking back ---

    def keep(self, ids: Collection[UUID]) -> dict[UUID, Any]:
        of = self.entity_type
        kept = {pk: orjson.dumps(importing.as_kept(self._loaded[pk])).decode() for pk in ids}
        return {pk: [{"of": of, "rows": [row]}] for pk, row in kept.items()}

    def lock_ahead(self, rows: models.QuerySet[ImportRow]) -> None:
        place = Substr("natural_key", StrIndex("natural_key", Text(SEPARATOR)) + 1)
        sessions: set[UUID] = set()
        keys = iter(rows.order_by().values_list(place, flat=True).distinct())
        while some := list(islice(keys, PLACES)):
            sessions |= self._sessions_of(some)
        importing.lock_marked(sessions)

    def _sessions_of(self, keys: Sequence[str]) -> set[UUID]:
        """Return the sessions of keys of which the student is cut off, of whose number a part may be left."""
        named = [decompose(key) for key in keys]
        sections = Sections(self.by, self.job).ids_by_key({compose(*names[-4:-1]) for names in named})
        begins = [(sections.get(compose(*names[-4:-1])), datetime.fromisoformat(names[-1])) for names in named]
        found = importing.sessions_at({(section, begin) for section, begin in begins if section is not None})
        return {row.pk for row in found.values() if isinstance(row, ClassSession)}

    def take_up(self, rows: Sequence[ImportRow]) -> None:
        days = [datetime.fromisoformat(decompose(row.natural_key)[-1]).date() for row in rows]
        # Where the campus is, a class may begin on the day before, or after.
        self._days = min(days) - DAY, max(days) + DAY

    def versions_now(self, entity_type: str, ids: Collection[UUID]) -> dict[UUID, int]:
        if entity_type != self.entity_type:
            return super().versions_now(entity_type, ids)
        return {pk: row.version for pk, row in self._standing_with(ids).items()}

    def restore(self, kept: Sequence[Any]) -> None:
        rows = [row for single in kept for row in rows_of(single)]
        self._take_back({UUID(row["id"]): importing.made_of(row) for row in rows})

    def remove(self, ids: Collection[UUID]) -> None:
        self._take_back(dict.fromkeys(ids, NOTHING))

    def _take_back(self, former: Mapping[UUID, Made]) -> None:
        reason = f"Import {self.job.pk} was taken back."
        importing.take_marks_back(former, self._standing_with(former.keys()), reason=reason)

    def _standing_with(self, ids: Collection[UUID]) -> dict[UUID, Standing]:
        first, last = self._days
        return standing_with(ids, first=first, last=last)


def _place(item: Item) -> Place | None:
    """Return the section of an item, if it is known, and when the class begins there."""
    section, starts_at = item.initial.get("section"), item.initial.get("starts_at")
    if not isinstance(section, UUID) or is_pending(section) or not starts_at:
        return None
    begins = datetime.fromisoformat(starts_at)
    return section, begins if "T" in starts_at else begins.date()


def _by_instant(item: Item) -> bool:
    """Say whether an item names the session by its instant, as the records of a job are named."""
    starts_at = str(item.initial.get("starts_at") or "")
    return "T" in starts_at and datetime.fromisoformat(starts_at).tzinfo is not None


def _settle(item: Item, result: importing.Imported) -> None:
    # What the preview noted may have come otherwise.
    item.record.notes[:] = [note for note in item.record.notes if note.code not in NOTES]
    standing = result.standing
    if standing is None:
        for error in result.refused:
            item.refuse(error)
        return
    item.row = standing
    item.object_id = standing.pk
    if not result.is_applied:
        item.action = ImportAction.UNCHANGED
        _note(item, OUTRANKED)
    elif standing.excuse is not None:
        _note(item, BENEATH)


def _note(item: Item, code: str) -> None:
    if all(note.code != code for note in item.record.notes):
        item.record.notes.append(Fault(code, NOTES[code], "code"))
