"""The University of Illinois course catalogue: one row for each meeting of each section of a term.

The file repeats a section's CRN for every further meeting, leaves rooms and times out where they
are arranged, and contains HTML entities. It gives no dates: those of the term are assumed by its
season unless the options `starts_on` and `ends_on` say otherwise, and parts of the term are not
told apart. Instructors are known by a last name and an initial, which tell them apart as far as
the file does. Sections of one course, or of courses that are "Same as" each other, that share a room
and time share one meeting; whatever else shares a room and time is recorded as it is and flagged.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from typing import Any

from interop.faults import Fault
from interop.reading.rows import require_columns
from interop.sources import cells
from interop.sources.plain import Opener
from interop.sources.records import SEPARATOR, Record, Remark, compose, decompose, ignored
from interop.sources.uiuc_timetable import PART, CatalogueSection, Slot, clashes, combined, course_code

SCHEME = "uiuc"
COLUMNS = (
    "Year", "Term", "YearTerm", "Subject", "Number", "Name", "Description", "Credit Hours", "CRN", "Section",
    "Section Title", "Section Credit Hours", "Type", "Start Time", "End Time", "Days of Week", "Room", "Building",
    "Instructors",
)  # fmt: skip
# What records are made of.
READ = frozenset({*COLUMNS, PART} - {"Section Title", "Section Credit Hours"})
CAMPUS = "UIUC"
ARRANGED = "ARRANGED"
CREDITS = re.compile(r"(?P<least>[0-9.]+)(?: *(?:TO|OR) *(?P<most>[0-9.]+))? *hours?\.?", re.ASCII | re.IGNORECASE)
# First and last day by season where nobody says more.
SEASONS = {
    "Spring": ("01-15", "05-15"),
    "Summer": ("05-15", "08-15"),
    "Fall": ("08-20", "12-20"),
    "Winter": ("12-20", "12-31"),
}
MODES = {"Online": "online", "Independent Study": "independent", "Research": "independent"}
YEAR = re.compile(r"[0-9]{4}", re.ASCII)


class UiucCatalogue:
    """A catalogue file."""

    def __init__(self, opener: Opener, options: Mapping[str, Any], rows_expected: int) -> None:
        self._opener = opener
        self._options = options
        self.rows_expected = rows_expected
        self.rows_read: Counter[str] = Counter()
        self.remarks: list[Remark] = []
        self._file = ""
        self._courses: dict[str, tuple[int, Mapping[str, str]]] = {}
        self._sections: dict[str, CatalogueSection] = {}
        self._unread: list[Record] = []
        with opener() as table:
            self._file = table.file
            require_columns(table, COLUMNS)
            self.remarks.extend(ignored(table.others(READ), table.file))

    def records(self) -> Iterator[Record]:
        """Yield places, the term, departments, faculty, courses, sections and meetings."""
        self._read()
        slots = [slot for section in self._sections.values() for slot in section.meetings]
        yield from self._places(slots)
        yield from self._terms()
        yield from self._departments()
        yield from self._faculty()
        yield from self._course_records()
        yield from self._section_records()
        yield from self._meetings(slots)
        yield from self._unread

    # --- reading ---

    def _read(self) -> None:
        with self._opener() as table:
            for row in table.rows:
                self.rows_read[self._file] += 1
                if row.fault is not None:
                    self._unread.append(Record("sections", "", {}, self._file, row.number, faults=[row.fault]))
                    continue
                cells_read = {name: cell for name, cell in table.as_dict(row).items() if name in READ}
                self._take(row.number, {name: unescape(cell).strip() for name, cell in cells_read.items()})
        self._name_sections()

    def _take(self, number: int, raw: dict[str, str]) -> None:
        missing = [name for name in ("YearTerm", "Subject", "Number", "CRN") if not raw[name]]
        if missing:
            faults = [Fault("required", "A value is required.", name) for name in missing]
            self._unread.append(Record("sections", "", {}, self._file, number, raw, faults=faults))
            return
        self._courses.setdefault(course_code(raw), (number, raw))
        crn = f"{raw['YearTerm']}/{raw['CRN']}"
        section = self._sections.get(crn)
        if section is None:
            section = self._sections[crn] = CatalogueSection(number, raw, "", "")
        elif course_code(section.raw) != course_code(raw):
            fault = Fault("contradiction", "An earlier row has this CRN in another course.", "CRN")
            self._unread.append(Record("sections", "", {}, self._file, number, raw, faults=[fault]))
            return
        self._take_meeting(section, number, raw)

    def _take_meeting(self, section: CatalogueSection, number: int, raw: Mapping[str, str]) -> None:
        weekdays = raw["Days of Week"]
        if not weekdays or not raw["Start Time"] or raw["Start Time"] == ARRANGED:
            return
        try:
            starts, ends = cells.clock(raw["Start Time"]), cells.clock(raw["End Time"])
            slots = [
                Slot(section, number, raw, weekday, starts, ends, _room_key(raw)) for weekday in cells.days(weekdays)
            ]
        except ValueError as error:
            faults = [Fault("invalid_format", str(error), "Start Time")]
            self._unread.append(Record("meetings", "", {}, self._file, number, raw, faults=faults))
            return
        section.meetings.extend(slots)

    def _name_sections(self) -> None:
        """Give each section a code that is its own in its course: its own, or else its CRN."""
        taken: set[str] = set()
        for section in self._sections.values():
            raw = section.raw
            code = raw["Section"] or raw["CRN"]
            if compose(raw["YearTerm"], course_code(raw), code) in taken:
                code = f"{code}-{raw['CRN']}"
            section.code = code
            section.key = compose(raw["YearTerm"], course_code(raw), code)
            taken.add(section.key)

    # --- places and people ---

    def _places(self, slots: Sequence[Slot]) -> Iterator[Record]:
        name = "University of Illinois Urbana-Champaign"
        values = {"code": CAMPUS, "name": name, "time_zone": "America/Chicago"}
        yield Record("campuses", CAMPUS, {"code": CAMPUS}, self._file, 1, initial=values)
        with_room = [slot for slot in slots if slot.room]
        buildings = {slot.raw["Building"]: slot for slot in reversed(with_room)}
        for building, slot in sorted(buildings.items()):
            key = compose(CAMPUS, building)
            values = {"campus": CAMPUS, "code": building, "name": building}
            yield Record("buildings", key, values, self._file, slot.row_no, slot.raw)
        rooms = {slot.room: slot for slot in reversed(with_room)}
        for key, slot in sorted(rooms.items()):
            values = {"building": compose(CAMPUS, slot.raw["Building"]), "code": slot.raw["Room"]}
            # The file does not say how many a room seats.
            yield Record("rooms", key, values, self._file, slot.row_no, slot.raw, initial={"capacity": 0})

    def _terms(self) -> Iterator[Record]:
        terms = {section.raw["YearTerm"]: section for section in reversed(self._sections.values())}
        years = {section.raw["Year"]: section for section in reversed(self._sections.values())}
        for year, section in sorted(years.items()):
            faults = _year_faults(year)
            if faults:
                yield Record(
                    "academic-years", compose(year), {}, self._file, section.row_no, section.raw, faults=faults
                )
                continue
            # Nobody says how long the year is: it holds what is said of its terms.
            spans = [self._span(one.raw) for one in terms.values() if one.raw["Year"] == year]
            first = min([f"{year}-01-01", *(starts_on for starts_on, _, _ in spans)])
            last = max([f"{year}-12-31", *(ends_on for _, ends_on, _ in spans)])
            initial = {"name": year, "starts_on": first, "ends_on": last}
            yield Record("academic-years", compose(year), {"code": year}, self._file, section.row_no, initial=initial)
        for code, section in sorted(terms.items()):
            raw = section.raw
            faults = _year_faults(raw["Year"])
            if faults:
                yield Record("terms", compose(code), {}, self._file, section.row_no, raw, faults=faults)
                continue
            starts_on, ends_on, is_assumed = self._span(raw)
            record = Record(
                "terms",
                compose(code),
                {"code": code, "name": f"{raw['Term']} {raw['Year']}", "academic_year": compose(raw["Year"])},
                self._file,
                section.row_no,
                initial={"starts_on": starts_on, "ends_on": ends_on},
                external_id=f"{SCHEME}:{code}",
            )
            if is_assumed:
                record.notes.append(
                    Fault("assumed_date", "The file has no dates; the season's were taken.", "starts_on")
                )
            yield record

    def _span(self, raw: Mapping[str, str]) -> tuple[str, str, bool]:
        given = self._options.get("starts_on"), self._options.get("ends_on")
        if given[0] and given[1]:
            return str(given[0]), str(given[1]), False
        first, last = SEASONS.get(raw["Term"], ("01-01", "12-31"))
        return f"{raw['Year']}-{first}", f"{raw['Year']}-{last}", True

    def _departments(self) -> Iterator[Record]:
        subjects = {raw["Subject"]: number for number, raw in reversed(self._courses.values())}
        for subject, number in sorted(subjects.items()):
            # A name that somebody has given since is better than the code.
            yield Record("departments", subject, {"code": subject}, self._file, number, initial={"name": subject})

    def _faculty(self) -> Iterator[Record]:
        known: dict[str, CatalogueSection] = {}
        for section in self._sections.values():
            for name in _instructors(section.raw):
                known.setdefault(name, section)
        for name, section in sorted(known.items()):
            initial = {"rank": "other", "department": section.raw["Subject"]}
            yield Record(
                "faculty",
                compose(name),
                {"employee_no": name, **_called(name)},
                self._file,
                section.row_no,
                initial=initial,
                external_id=f"{SCHEME}:{name}",
            )

    # --- teaching ---

    def _course_records(self) -> Iterator[Record]:
        for code, (number, raw) in self._courses.items():
            faults: list[Fault] = []
            least, most = _credits(raw["Credit Hours"], faults)
            values = {
                "code": code,
                "department": raw["Subject"],
                "title": raw["Name"],
                "description": raw["Description"],
                "level": _level(raw["Number"]),
                "credits": least,
                "credits_max": most,
            }
            external_id = f"{SCHEME}:{code}"
            yield Record(
                "courses", compose(code), values, self._file, number, raw, external_id=external_id, faults=faults
            )

    def _section_records(self) -> Iterator[Record]:
        for crn, section in self._sections.items():
            raw = section.raw
            values = {
                "course": compose(course_code(raw)),
                "term": compose(raw["YearTerm"]),
                "code": section.code,
                "campus": CAMPUS,
                "mode": _mode(raw["Type"]),
                "instructors": [{"faculty": compose(name)} for name in _instructors(raw)],
            }
            yield Record(
                "sections",
                section.key,
                values,
                self._file,
                section.row_no,
                raw,
                # The file does not say how many may enrol.
                initial={"capacity": 0},
                external_id=f"{SCHEME}:{crn}",
            )

    def _meetings(self, slots: Sequence[Slot]) -> Iterator[Record]:
        groups = combined(slots)
        clashing = clashes(groups)
        seen: Counter[str] = Counter()
        for number, group in enumerate(groups):
            slot = group[0]
            keys = list(dict.fromkeys(other.section.key for other in group))
            place = compose(*decompose(keys[0]), str(slot.weekday), slot.starts)
            ordinal = seen[place]
            seen[place] += 1
            record = Record(
                "meetings",
                f"{place}{SEPARATOR}{ordinal}",
                {"ends_at": slot.ends, "room": slot.room or None},
                self._file,
                slot.row_no,
                slot.raw,
                initial={
                    "sections": keys, "weekday": slot.weekday, "starts_at": slot.starts, "ordinal": ordinal,
                    "waive_conflicts": True,
                },
            )  # fmt: skip
            if number in clashing:
                record.initial["conflict_waived"] = True
                record.notes.append(Fault("room_conflict", clashing[number], "room"))
            yield record


def _year_faults(year: str) -> list[Fault]:
    if YEAR.fullmatch(year) and int(year):
        return []
    return [Fault("invalid_format", f"A year is written YYYY, not {year[:80]!r}.", "Year")]


def _instructors(raw: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(cells.several(raw["Instructors"])))


def _called(name: str) -> dict[str, str]:
    """Return the last name and the initial of "Noether, E"; a name without a comma is the only one that is known."""
    last, _, first = (part.strip() for part in name.partition(","))
    return {"last_name": last, "first_name": first} if last else {"last_name": first or name, "first_name": ""}


def _room_key(raw: Mapping[str, str]) -> str:
    building, room = raw["Building"], raw["Room"]
    return compose(CAMPUS, building, room) if building and room else ""


def _mode(section_type: str) -> str:
    if section_type.startswith("Online"):
        return "online"
    return MODES.get(section_type, "in_person")


def _level(number: str) -> str:
    """Return the level that the first digit of a course number stands for at this university."""
    return {
        "0": "preparatory", "1": "lower_undergraduate", "2": "lower_undergraduate", "3": "upper_undergraduate",
        "4": "upper_undergraduate", "5": "graduate", "6": "professional", "7": "professional",
    }.get(number[:1], "")  # fmt: skip


def _credits(written: str, faults: list[Fault]) -> tuple[str | None, str | None]:
    """Return the least and the most credits of "3 hours.", "1 TO 4 hours." or "3 OR 4 hours."."""
    match = CREDITS.fullmatch(written.strip())
    if match is None:
        faults.append(Fault("invalid_format", f"Credits cannot be read: {written[:80]!r}.", "Credit Hours"))
        return None, None
    return match["least"], match["most"]
