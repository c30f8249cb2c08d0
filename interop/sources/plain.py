"""One table of one resource, as CSV or XLSX: the columns each kind knows, and how they are found.

A column is found by its name or one of its synonyms, however it is capitalised and spaced; an
explicit mapping (our name to theirs, empty for none) goes before. Space around a cell is padding. A
blank cell says nothing: what a row holds stays as it is. `custom.<name>` columns fill custom fields.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from interop.faults import Fault, MissingColumnError, UnknownColumnError
from interop.reading.rows import Row, Table, normalised
from interop.sources.columns import COLUMNS, Column
from interop.sources.ordering import parents_first
from interop.sources.records import SEPARATOR, Record, Remark, compose, decompose, ignored

CUSTOM_PREFIXES = ("custom.", "custom_fields.")
Opener = Callable[[], AbstractContextManager[Table]]


TIMETABLE = ("days", "starts", "ends", "building", "room")
# What a cell is called in a record where that differs from its column.
FIELD = {"course_code": "course", "section_code": "code", "instructor": "instructors"}


@dataclass(slots=True)
class Line:
    """One row of the table, its cells read by column; `faults` says which could not be. `raw` has no other cells."""

    row: Row
    raw: dict[str, str]
    values: dict[str, Any]
    custom: dict[str, str]
    faults: list[Fault]


class PlainTable:
    """A table of one kind, ready to be read as often as needed."""

    def __init__(self, kind: str, opener: Opener, mapping: Mapping[str, str | None], rows_expected: int) -> None:
        self.kind = kind
        self._opener = opener
        self.rows_expected = rows_expected
        self.rows_read: Counter[str] = Counter()
        self.remarks: list[Remark] = []
        # Rows of sections whose meetings are not taken up, because of what they say of the section.
        self._contradictory: set[int] = set()
        with opener() as table:
            self._places, unread = _mapped(kind, table, mapping)
            self.lacking = self._lacking(table)
            self.remarks.extend(ignored(unread, table.file))

    def records(self) -> Iterator[Record]:
        """Yield one record for each row; of sections, one for each section and then its meetings."""
        if self.kind == "departments":
            yield from self._departments()
        elif self.kind == "sections":
            yield from self._sections()
            yield from self._meetings()
        else:
            yield from self._plain_records()

    def keys(self) -> Iterator[str]:
        """Yield the natural keys of the rows that have a readable one."""
        own_key = COLUMNS[self.kind][0].name
        for line in self._lines(counted=False):
            if own_key in line.values:
                yield compose(line.values[own_key])

    def _lacking(self, table: Table) -> list[str]:
        """Return the columns that new rows need and the table lacks; raise `MissingColumnError` for what all need."""
        found = {name for name, _, _ in self._places}
        absent = [spec for spec in COLUMNS[self.kind] if (spec.required or spec.for_new) and spec.name not in found]
        names = [spec.name for spec in absent]
        if any(spec.required for spec in absent):
            raise MissingColumnError.of(names, table.file)
        return names

    def _lines(self, *, counted: bool = True) -> Iterator[Line]:
        with self._opener() as table:
            for row in table.rows:
                if counted:
                    self.rows_read[table.file] += 1
                yield self._line(table, row)

    def _line(self, table: Table, row: Row) -> Line:
        if row.fault:  # which cell belongs to which column cannot be told
            return Line(row, {}, {}, {}, [row.fault])
        line = Line(row, {table.header[place]: row.cells[place] for _, place, _ in self._places}, {}, {}, [])
        for name, place, spec in self._places:
            cell = row.cells[place].strip()
            if spec is None:
                if cell:
                    line.custom[name] = cell
            elif cell:
                try:
                    line.values[name] = spec.read(cell)
                except ValueError as error:
                    line.faults.append(Fault("invalid_format", str(error), name))
            elif spec.required:
                line.faults.append(Fault("required", "A value is required.", name))
        return line

    def _record(self, resource: str, key: str, values: dict[str, Any], line: Line, **more: Any) -> Record:
        if line.custom:
            values = {**values, "custom_fields": line.custom}
        file = next(iter(self.rows_read), "")
        return Record(resource, key, values, file, line.row.number, line.raw, faults=line.faults, **more)

    def _plain_records(self) -> Iterator[Record]:
        own_key = COLUMNS[self.kind][0].name
        for line in self._lines():
            if self.kind == "enrollments":
                yield self._enrollment(line)
            elif self.kind == "attendance":
                yield self._mark(line)
            else:
                key = compose(line.values.get(own_key, ""))
                yield self._record(self.kind, key, _references(line.values), line)

    def _departments(self) -> Iterator[Record]:
        has_parents = any(name == "parent" for name, _, _ in self._places)
        keys = {compose(line.values.get("code", "")) for line in self._lines(counted=False)} if has_parents else set()
        return parents_first(self._plain_records(), keys, lambda record: (record.key, record.values.get("parent")))

    def _enrollment(self, line: Line) -> Record:
        values = dict(line.values)
        names = ("term", "course_code", "section_code")
        section = compose(*(values.pop(name, "") for name in names))
        student = values.pop("student_no", "")
        key = compose(student, *(line.values.get(name, "") for name in names))
        values |= {"student": compose(student), "section": section}
        return self._record("enrollments", key, values, line)

    def _mark(self, line: Line) -> Record:
        names = ("student_no", "term", "course_code", "section_code", "starts_at")
        student, *section, starts_at = (line.values.get(name, "") for name in names)
        values = {
            "student": compose(student), "section": compose(*section), "starts_at": starts_at,
            "code": line.values.get("code"), "minutes_late": line.values.get("minutes_late"),
        }  # fmt: skip
        return self._record("attendance", compose(student, *section, starts_at), values, line)

    def _sections(self) -> Iterator[Record]:
        known: dict[str, dict[str, Any]] = {}
        for line in self._lines():
            key = _section_key(line)
            values = {name: value for name, value in line.values.items() if name not in TIMETABLE}
            if line.faults or key not in known:
                if not line.faults:
                    known[key] = values
                yield self._record("sections", key, _section_values(values), line, initial={"capacity": 0})
                continue
            earlier = known[key]
            if any(earlier.get(name, value) != value for name, value in values.items()):
                line.faults.append(Fault("contradiction", "An earlier row says something else of the section."))
            elif not any(name in line.values for name in TIMETABLE):
                line.faults.append(Fault("duplicate_row", "An earlier row is about the same section."))
            if line.faults:
                self._contradictory.add(line.row.number)
                yield self._record("sections", key, {}, line)

    def _meetings(self) -> Iterator[Record]:
        seen: Counter[str] = Counter()
        for line in self._lines(counted=False):
            is_meeting = any(name in line.values for name in TIMETABLE)
            if line.faults or not is_meeting or line.row.number in self._contradictory:
                continue
            missing = [name for name in ("days", "starts", "ends") if name not in line.values]
            line.faults.extend(
                Fault("required", "A meeting has days, a beginning and an end.", name) for name in missing
            )
            for weekday in line.values.get("days", [0]):
                yield self._meeting(line, weekday, seen)

    def _meeting(self, line: Line, weekday: int, seen: Counter[str]) -> Record:
        section = _section_key(line)
        starts = line.values.get("starts", "")
        place = compose(*decompose(section), str(weekday), starts)
        ordinal = seen[place]
        seen[place] += 1
        values: dict[str, Any] = {"ends_at": line.values.get("ends")}
        if "room" in line.values:
            names = (line.values.get("campus", ""), line.values.get("building", ""), line.values["room"])
            values["room"] = compose(*names)
        initial = {"sections": [section], "weekday": weekday, "starts_at": starts, "ordinal": ordinal}
        record = self._record("meetings", f"{place}{SEPARATOR}{ordinal}", values, line, initial=initial)
        record.values.pop("custom_fields", None)
        if line.faults:
            record.values, record.initial = {}, {}
        return record


def _mapped(
    kind: str, table: Table, mapping: Mapping[str, str | None]
) -> tuple[list[tuple[str, int, Column | None]], list[str]]:
    """Return (our name, place, column) for what is imported, and the names of what is not."""
    places = {normalised(name): place for place, name in enumerate(table.header)}
    specs = {spec.name: spec for spec in COLUMNS[kind]}
    chosen = _chosen(kind, table, mapping, places)
    taken = set(chosen.values())
    for name, spec in specs.items():
        if name not in mapping:
            found = next((places[n] for n in (name, *spec.synonyms) if n in places and places[n] not in taken), None)
            if found is not None:
                chosen[name] = found
                taken.add(found)
    found_custom = _custom_columns(table.header, taken)
    taken |= {place for _, place in found_custom}
    columns: list[tuple[str, int, Column | None]] = [(n, p, specs.get(n)) for n, p in chosen.items() if n in specs]
    columns += [(_bare(name), place, None) for name, place in chosen.items() if name not in specs]
    columns += [(name, place, None) for name, place in found_custom]
    return columns, [name for place, name in enumerate(table.header) if place not in taken]


def _chosen(kind: str, table: Table, mapping: Mapping[str, str | None], places: Mapping[str, int]) -> dict[str, int]:
    """Return the places that an explicit mapping names, by our field."""
    names = {spec.name for spec in COLUMNS[kind]}
    chosen: dict[str, int] = {}
    for name, theirs in mapping.items():
        if name not in names and not name.startswith(CUSTOM_PREFIXES):
            raise UnknownColumnError(f"{name[:80]!r} is no field of {kind}.", file=table.file, column=name[:80])
        if not theirs:
            continue
        if normalised(theirs) not in places:
            raise UnknownColumnError(f"The file has no column {theirs[:80]!r}.", file=table.file, column=theirs[:80])
        chosen[name] = places[normalised(theirs)]
    return chosen


def _custom_columns(header: Sequence[str], taken: set[int]) -> list[tuple[str, int]]:
    return [
        (_bare(name), place)
        for place, name in enumerate(header)
        if place not in taken and name.casefold().startswith(CUSTOM_PREFIXES)
    ]


def _bare(name: str) -> str:
    return name.split(".", 1)[1].strip()


def _references(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with references as natural keys."""
    return {
        name: compose(value) if name in ("department", "program", "parent") else value for name, value in values.items()
    }


def _section_key(line: Line) -> str:
    return compose(*(line.values.get(name, "") for name in ("term", "course_code", "section_code")))


def _section_values(values: Mapping[str, Any]) -> dict[str, Any]:
    named = {FIELD.get(name, name): value for name, value in values.items()}
    for name in ("course", "term", "campus"):
        if name in named:
            named[name] = compose(named[name])
    if "instructors" in named:
        named["instructors"] = [{"faculty": compose(employee_no)} for employee_no in named["instructors"]]
    return named
