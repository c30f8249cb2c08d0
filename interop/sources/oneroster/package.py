"""A OneRoster package as a whole: its manifest, and every rule that its files have to obey.

A package is imported whole or not at all. The check reads every file once and reports everything it
finds, each fault with file, row (the line in the file, the header being 1) and field.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from core.errors import ViolationsError
from interop.faults import FileRefusedError
from interop.reading.filesets import FileSet
from interop.reading.rows import Row, Table
from interop.sources.oneroster import cells
from interop.sources.oneroster.spec import (
    COMMON,
    FILES,
    KEYS,
    MANIFEST,
    MANIFEST_HEADER,
    METADATA,
    MODES,
    READ,
    SOURCE_PROPERTIES,
    STATUSES,
    VERSION,
    Field,
    header_of,
)

# A package with a systematic fault has it in every row; nobody reads further than this.
MAX_REPORTED = 1_000

# Returns those of the ids of a file's kind that are known from earlier packages.
Known = Callable[[str, Iterable[str]], set[str]]


class OneRosterInvalidError(FileRefusedError):
    """A rule of OneRoster 1.2 CSV that the package breaks; `meta` names file, row and field."""

    code = "oneroster_invalid"
    title = "The OneRoster package is not valid."

    def __init__(self, detail: str = "", *, file: str = "", row: int | None = None, column: str | None = None) -> None:
        super().__init__(detail, file=file, row=row, field=column)


@dataclass(frozen=True, slots=True)
class Reference:
    """An id that a row names, to be looked for when every file has been read."""

    file: str
    row: int
    field: str
    value: str
    # Whether the row that is named is one that an import keeps, so that a later package can be held to it.
    is_kept: bool


class Faults:
    """What has been found so far."""

    def __init__(self) -> None:
        self._found: list[OneRosterInvalidError] = []

    def add(self, detail: str, file: str, row: int | None = None, column: str | None = None) -> None:
        if len(self._found) < MAX_REPORTED:
            self._found.append(OneRosterInvalidError(detail, file=file, row=row, column=column))

    def raise_any(self) -> None:
        if self._found:
            raise ViolationsError(self._found)


def read_manifest(files: FileSet) -> dict[str, str]:
    """Return the mode of every file; raise the faults of the manifest and of what lies beside it."""
    found = Faults()
    properties = _properties(files, found)
    for name, value in (("manifest.version", "1.0"), ("oneroster.version", VERSION)):
        if properties.get(name) != value:
            found.add(f"{name} has to be {value}.", MANIFEST, column=name)
    modes = {name: properties.get(f"file.{name}", "") for name in FILES}
    for name, mode in modes.items():
        if mode not in MODES:
            found.add(f"file.{name} is one of: {', '.join(MODES)}.", MANIFEST, column=f"file.{name}")
        elif (f"{name}.csv" in files.names) != (mode != "absent"):
            detail = "is there, but the manifest says it is absent." if mode == "absent" else "is missing."
            found.add(f"{name}.csv {detail}", f"{name}.csv")
    for name in files.names:
        if name != MANIFEST and name.removesuffix(".csv") not in FILES:
            found.add("OneRoster 1.2 has no such file.", name)
    found.raise_any()
    return modes


def _properties(files: FileSet, found: Faults) -> dict[str, str]:
    """Return what the manifest says, by property."""
    if MANIFEST not in files.names:
        raise OneRosterInvalidError("The package has no manifest.csv.", file=MANIFEST)
    properties: dict[str, str] = {}
    try:
        with files.table(MANIFEST) as table:
            if list(table.header) != MANIFEST_HEADER:
                found.add("The header is propertyName,value.", MANIFEST, 1)
                found.raise_any()
            for row in table.rows:
                _add_property(properties, row, found)
    except FileRefusedError as refused:
        raise OneRosterInvalidError(refused.detail, file=MANIFEST, row=refused.meta.get("line")) from refused
    return properties


def _add_property(properties: dict[str, str], row: Row, found: Faults) -> None:
    if row.fault is not None:
        found.add(row.fault.detail, MANIFEST, row.number)
        return
    name, value = row.cells
    is_known = name in {
        "manifest.version",
        "oneroster.version",
        *SOURCE_PROPERTIES,
        *(f"file.{file}" for file in FILES),
    }
    if not is_known:
        found.add("There is no such property.", MANIFEST, row.number, name[:80])
    elif name in properties:
        found.add("The property occurs twice.", MANIFEST, row.number, name)
    properties[name] = value


class Package:
    """An opened package whose manifest is sound."""

    def __init__(self, files: FileSet) -> None:
        self._files = files
        self.modes = {name: mode for name, mode in read_manifest(files).items() if mode != "absent"}
        # Columns of stored files that hold something and are not read, by file; known once it was checked.
        self.ignored: dict[str, list[str]] = {}

    def rows_expected(self) -> int:
        """Return about how many rows the files have."""
        return self._files.count_rows(f"{name}.csv" for name in self.modes)

    def rows(self, name: str) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield the cells of a checked file that are read, without the space around them, none if it is absent."""
        if name in self.modes:
            read = READ.get(name, KEYS)
            with self._files.table(f"{name}.csv") as table:
                for row in table.rows:
                    cells_of = table.as_dict(row)
                    yield row.number, {column: cell.strip() for column, cell in cells_of.items() if column in read}

    def check(self, known: Known) -> None:
        """Raise every fault of every file; `known` answers for what earlier packages brought."""
        found = Faults()
        ids: dict[str, set[str]] = {}
        wanted: defaultdict[str, list[Reference]] = defaultdict(list)
        for name in self.modes:
            try:
                with self._files.table(f"{name}.csv") as table:
                    ids[name] = self._check_file(name, table, found, wanted)
            except FileRefusedError as refused:
                found.add(refused.detail, f"{name}.csv", refused.meta.get("line"))
        for target, references in wanted.items():
            self._check_references(target, references, ids, known, found)
        found.raise_any()

    def _check_file(self, name: str, table: Table, found: Faults, wanted: Mapping[str, list[Reference]]) -> set[str]:
        if not _has_header(name, table, found):
            return set()
        ids: set[str] = set()
        unread = table.others(READ.get(name, table.header))
        blank = set(unread)
        for row in table.rows:
            if row.fault is not None:
                found.add(row.fault.detail, table.file, row.number)
                continue
            raw = table.as_dict(row)
            blank -= {column for column in blank if raw[column].strip()}
            for target, reference in self._check_cells(name, row.number, raw, found):
                wanted[target].append(reference)
            self._check_lifecycle(name, row.number, raw, found)
            _check_between_cells(name, table.file, row.number, raw, found)
            if raw["sourcedId"] in ids:
                found.add("Another row has this id.", table.file, row.number, "sourcedId")
            ids.add(raw["sourcedId"])
        self.ignored[name] = [column for column in unread if column not in blank]
        return ids

    @staticmethod
    def _check_cells(name: str, number: int, raw: Mapping[str, str], found: Faults) -> Iterator[tuple[str, Reference]]:
        """Report what is wrong with the cells of a row; yield what they refer to, by file."""
        file = f"{name}.csv"
        for field in COMMON + FILES[name]:
            cell = raw[field.name]
            problems = list(cells.faults(field, cell))
            for problem in problems:
                found.add(problem, file, number, field.name)
            if field.kind == "ref" and not problems:
                for value in cells.items(field, cell):
                    yield field.target, Reference(file, number, field.name, value, _is_kept(name, field, raw))
        if name == "demographics":
            yield "users", Reference(file, number, "sourcedId", raw["sourcedId"], is_kept=True)

    def _check_lifecycle(self, name: str, number: int, raw: Mapping[str, str], found: Faults) -> None:
        file, is_bulk = f"{name}.csv", self.modes[name] == "bulk"
        status, modified = raw["status"], raw["dateLastModified"]
        if is_bulk:
            for field, value in (("status", status), ("dateLastModified", modified)):
                if value:
                    found.add("The field is blank in a bulk file.", file, number, field)
            return
        if status not in STATUSES:
            found.add(f"The status is one of: {', '.join(STATUSES)}.", file, number, "status")
        if not cells.is_instant(modified):
            found.add("An instant is written YYYY-MM-DDTHH:MM:SS.sssZ.", file, number, "dateLastModified")

    def _check_references(
        self, target: str, references: list[Reference], ids: Mapping[str, set[str]], known: Known, found: Faults
    ) -> None:
        """Report references that lead nowhere: a bulk file is all there is of its kind."""
        missing = [reference for reference in references if reference.value not in ids.get(target, ())]
        if missing and self.modes.get(target) != "bulk":
            earlier = known(target, {reference.value for reference in missing})
            missing = [one for one in missing if one.is_kept and one.value not in earlier]
        for reference in missing:
            found.add(f"{target} has no such id.", reference.file, reference.row, reference.field)


def _is_kept(name: str, field: Field, raw: Mapping[str, str]) -> bool:
    """Say whether the row that a cell refers to is of a kind that was kept when it came.

    Users who are neither students nor teachers were checked and not kept, and neither were grading
    periods; a later package may refer to them all the same.
    """
    if field.name in ("agentSourcedIds", "academicSessionSourcedId", "parentSourcedId"):
        return name == "orgs"
    if field.target == "users":
        return name not in ("roles", "enrollments") or raw["role"] in ("student", "teacher")
    return True


def _has_header(name: str, table: Table, found: Faults) -> bool:
    expected, actual = header_of(name), list(table.header)
    problems = [
        (column, "The column is missing." if column not in actual else "The column is out of order.")
        for place, column in enumerate(expected)
        if place >= len(actual) or actual[place] != column
    ]
    problems += [
        (column[:80], f"Columns after the listed ones are called {METADATA}….")
        for column in actual[len(expected) :]
        if not column.startswith(METADATA) and column not in expected
    ]
    for column, detail in problems:
        found.add(detail, table.file, 1, column)
    return not problems


def _check_between_cells(name: str, file: str, number: int, raw: Mapping[str, str], found: Faults) -> None:
    """Report cells that contradict each other."""
    if name == "academicSessions":
        days = raw["startDate"], raw["endDate"]
        if all(map(cells.is_date, days)) and days[1] <= days[0]:
            found.add("A session ends after it starts.", file, number, "endDate")
    if name in ("courses", "classes"):
        subjects, codes = (len(raw[column].split(",")) if raw[column] else 0 for column in ("subjects", "subjectCodes"))
        if subjects != codes:
            found.add("Each subject has one code.", file, number, "subjectCodes")
