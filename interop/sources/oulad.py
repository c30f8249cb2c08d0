"""The Open University Learning Analytics Dataset: one year's courses, students and registrations.

A presentation such as 2013J is a term and, for each module, a section of it. Days count from the
presentation's first day; the letter says the month it begins in (B February, J October). The files
are named as in the dataset's CSV edition (`studentInfo.csv`) or in its R edition (`student.csv`),
packed or not, in a folder or a ZIP.

Marks, assessments and the learning environment's traffic are not imported: the report lists those
files with their row counts.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

from interop.faults import Fault
from interop.reading.filesets import FileSet
from interop.reading.rows import Row, require_columns
from interop.sources.records import Record, Remark, compose, ignored

SCHEME = "oulad"
COURSES = ("courses", "course")
STUDENTS = ("studentInfo", "student")
REGISTRATIONS = ("studentRegistration", "student_registration")
NOT_IMPORTED = (
    ("assessments", "assessment"),
    ("studentAssessment", "student_assessment"),
    ("vle",),
    ("studentVle", "student_vle"),
)
COLUMNS: dict[tuple[str, ...], tuple[str, ...]] = {
    COURSES: ("code_module", "code_presentation", "module_presentation_length"),
    STUDENTS: (
        "code_module", "code_presentation", "id_student", "gender", "region", "highest_education", "imd_band",
        "age_band", "num_of_prev_attempts", "studied_credits", "disability", "final_result",
    ),
    REGISTRATIONS: ("code_module", "code_presentation", "id_student", "date_registration", "date_unregistration"),
}  # fmt: skip
# What a row that cannot be read would have been.
RESOURCE_OF: dict[tuple[str, ...], str] = {COURSES: "sections", STUDENTS: "students", REGISTRATIONS: "enrollments"}
DEPARTMENT = "OULAD"
MONTHS = {"A": 1, "B": 2, "C": 3, "D": 4, "E": 5, "F": 6, "G": 7, "H": 8, "I": 9, "J": 10, "K": 11, "L": 12}
GENDERS = {"M": "male", "F": "female"}
RESULTS = {"Pass": "pass", "Distinction": "distinction", "Fail": "fail", "Withdrawn": "withdrawn"}
PRESENTATION = re.compile(r"[0-9]{4}[A-La-l]", re.ASCII)
DAYS = re.compile(r"-?[0-9]{1,7}", re.ASCII)
# A length has so many digits, as it counts days.
LENGTH_DIGITS = 3
YES = {"true", "y", "yes", "1"}
NO = {"false", "n", "no", "0"}
# What the dataset says of a student beyond our own fields becomes custom fields.
CUSTOM_FIELDS = {
    "region": ("Region", "select"),
    "highest_education": ("Highest education", "select"),
    "imd_band": ("Index of multiple deprivation", "select"),
    "age_band": ("Age band", "select"),
    "disability": ("Disability", "boolean"),
}

Place = tuple[str, str]  # module and presentation


@dataclass(slots=True)
class _Student:
    """What the latest presentation says of a student, and where it says so."""

    presentation: str
    row_no: int
    raw: Mapping[str, str]


def starts_on(presentation: str) -> date:
    """Return the first day of a presentation such as "2013J"; raise ValueError for another text."""
    if not PRESENTATION.fullmatch(presentation):
        raise ValueError("not a presentation")
    return date(int(presentation[:-1]), MONTHS[presentation[-1].upper()], 1)


class Oulad:
    """The dataset in a folder or archive."""

    def __init__(self, files: FileSet) -> None:
        self._files = files
        self._names: dict[tuple[str, ...], str] = {stems: files.need(*stems) for stems in COLUMNS}
        self.rows_expected = files.count_rows(self._names.values())
        self.rows_read: Counter[str] = Counter()
        self.remarks: list[Remark] = []
        self._lengths: dict[Place, int] = {}
        self._registrations: dict[tuple[str, str, str], tuple[str, str]] = {}
        self._students: dict[str, _Student] = {}
        self._unread: list[Record] = []

    def records(self) -> Iterator[Record]:
        """Yield the department, terms, courses, sections, custom fields, students and enrolments."""
        self._remark_on_the_rest()
        courses = list(self._read_courses())
        self._read_registrations()
        choices = self._read_students()
        yield from courses
        yield from self._sections()
        yield from self._custom_fields(choices)
        yield from self._student_records()
        yield from self._enrollments()
        yield from self._unread

    # --- reading ---

    def _rows(self, stems: tuple[str, ...], *, counted: bool = True) -> Iterator[tuple[Row, dict[str, str]]]:
        name = self._names[stems]
        with self._files.table(name) as table:
            require_columns(table, COLUMNS[stems])
            if counted:
                self.remarks.extend(ignored(table.others(COLUMNS[stems]), name))
            for row in table.rows:
                if counted:
                    self.rows_read[name] += 1
                if row.fault is None:
                    cells = table.as_dict(row)
                    yield row, {column: cells[column].strip() for column in COLUMNS[stems]}
                elif counted:
                    self._unread.append(Record(RESOURCE_OF[stems], "", {}, name, row.number, faults=[row.fault]))

    def _remark_on_the_rest(self) -> None:
        for stems in NOT_IMPORTED:
            name = self._files.find(*stems)
            if name is not None:
                detail = "Marks and learning traffic have no place here; the file was not imported."
                self.remarks.append(Remark("not_imported", detail, name, self._files.count_rows([name])))

    def _read_courses(self) -> Iterator[Record]:
        name = self._names[COURSES]
        initial = {"name": "Open University (OULAD)", "kind": "school"}
        yield Record("departments", DEPARTMENT, {"code": DEPARTMENT}, name, 1, initial=initial)
        modules: dict[str, int] = {}
        for row, raw in self._rows(COURSES):
            place = raw["code_module"], raw["code_presentation"]
            faults = _course_faults(raw)
            if place in self._lengths:
                faults.append(Fault("duplicate_row", "The file has this presentation twice.", "code_presentation"))
            if faults:
                key = compose(place[1], place[0], "1")
                self._unread.append(Record("sections", key, {}, name, row.number, raw, faults=faults))
                continue
            self._lengths[place] = int(raw["module_presentation_length"])
            modules.setdefault(place[0], row.number)
        yield from self._terms(name)
        for module, number in modules.items():
            values = {"code": module, "title": f"Module {module}", "department": DEPARTMENT}
            # The dataset does not say what a module counts.
            initial = {"credits": "0"}
            external_id = f"{SCHEME}:{module}"
            yield Record("courses", compose(module), values, name, number, initial=initial, external_id=external_id)

    def _terms(self, name: str) -> Iterator[Record]:
        lengths: defaultdict[str, int] = defaultdict(int)
        for (_, presentation), length in self._lengths.items():
            lengths[presentation] = max(lengths[presentation], length)
        for year in sorted({presentation[:-1] for presentation in lengths}):
            ends = max(starts_on(p) + timedelta(lengths[p]) for p in lengths if p[:-1] == year)
            values = {"code": year, "name": year, "starts_on": f"{year}-01-01", "ends_on": ends.isoformat()}
            yield Record("academic-years", year, {"code": year}, name, 1, initial=values)
        for presentation in sorted(lengths):
            start = starts_on(presentation)
            values = {
                "code": presentation,
                "name": f"Presentation {presentation}",
                "academic_year": presentation[:-1],
                "starts_on": start.isoformat(),
                "ends_on": (start + timedelta(lengths[presentation])).isoformat(),
            }
            yield Record("terms", presentation, values, name, 1, external_id=f"{SCHEME}:{presentation}")

    def _read_registrations(self) -> None:
        for row, raw in self._rows(REGISTRATIONS):
            key = raw["code_module"], raw["code_presentation"], raw["id_student"]
            if key in self._registrations:
                fault = Fault("duplicate_row", "The file has this registration twice.", "id_student")
                name = self._names[REGISTRATIONS]
                self._unread.append(Record("enrollments", _key(raw), {}, name, row.number, raw, faults=[fault]))
            else:
                self._registrations[key] = raw["date_registration"], raw["date_unregistration"]

    def _read_students(self) -> dict[str, set[str]]:
        """Find each student's latest presentation, and the values that occur in the choice fields."""
        choices: dict[str, set[str]] = {name: set() for name in CUSTOM_FIELDS}
        for row, raw in self._rows(STUDENTS):
            known = self._students.get(raw["id_student"])
            if known is None or raw["code_presentation"] > known.presentation:
                self._students[raw["id_student"]] = _Student(raw["code_presentation"], row.number, raw)
            for name, values in choices.items():
                if raw[name]:
                    values.add(raw[name])
        return choices

    # --- records ---

    def _sections(self) -> Iterator[Record]:
        sizes = Counter((module, presentation) for module, presentation, _ in self._registrations)
        name = self._names[COURSES]
        for number, (place, _) in zip(count(2), self._lengths.items(), strict=False):
            module, presentation = place
            values = {"course": module, "term": presentation, "code": "1"}
            yield Record(
                "sections",
                compose(presentation, module, "1"),
                values,
                name,
                number,
                initial={"capacity": sizes[place]},
                external_id=f"{SCHEME}:{module}-{presentation}",
            )

    def _custom_fields(self, choices: Mapping[str, set[str]]) -> Iterator[Record]:
        for order, (name, (label, field_type)) in enumerate(CUSTOM_FIELDS.items()):
            values: dict[str, Any] = {
                "entity_type": "students.student", "name": name, "label": label, "field_type": field_type,
            }  # fmt: skip
            initial = {"order": order}
            if field_type == "select":
                values["choices"] = sorted(choices[name])
            key = compose("students.student", name)
            yield Record("custom-fields", key, values, self._names[STUDENTS], 1, initial=initial)

    def _student_records(self) -> Iterator[Record]:
        name = self._names[STUDENTS]
        for student_no, student in self._students.items():
            raw = student.raw
            faults: list[Fault] = []
            custom: dict[str, Any] = {
                field: raw[field] or None for field in ("region", "highest_education", "imd_band", "age_band")
            }
            custom["disability"] = _boolean(raw["disability"], "disability", faults)
            gender = GENDERS.get(raw["gender"])
            if gender is None:
                faults.append(Fault("invalid_choice", "The gender is neither M nor F.", "gender"))
            values = {
                "student_no": student_no, "department": DEPARTMENT, "gender": gender, "custom_fields": custom,
            }  # fmt: skip
            external_id = f"{SCHEME}:{student_no}"
            yield Record(
                "students", student_no, values, name, student.row_no, raw, external_id=external_id, faults=faults
            )

    def _enrollments(self) -> Iterator[Record]:
        name = self._names[STUDENTS]
        unclaimed = set(self._registrations)
        for row, raw in self._rows(STUDENTS, counted=False):
            key = raw["code_module"], raw["code_presentation"], raw["id_student"]
            registration = self._registrations.get(key)
            unclaimed.discard(key)
            record = Record("enrollments", _key(raw), {}, name, row.number, raw)
            if registration is None:
                record.faults.append(Fault("no_registration", "The registration file lacks this registration."))
            elif (key[0], key[1]) not in self._lengths:
                record.faults.append(Fault("unknown_presentation", "The course file lacks this presentation."))
            else:
                self._fill(record, raw, *registration)
            yield record
        detail = "The student file lacks this student in this presentation."
        for module, presentation, student_no in sorted(unclaimed):
            raw = {"code_module": module, "code_presentation": presentation, "id_student": student_no}
            faults = [Fault("unknown_student", detail, "id_student")]
            yield Record("enrollments", _key(raw), {}, self._names[REGISTRATIONS], 0, raw, faults=faults)

    def _fill(self, record: Record, raw: Mapping[str, str], registered: str, unregistered: str) -> None:
        """Say what became of a registration; what the files leave open is assumed and noted."""
        presentation = raw["code_presentation"]
        start = starts_on(presentation)
        end = start + timedelta(self._lengths[raw["code_module"], presentation])
        result = RESULTS.get(raw["final_result"])
        if result is None:
            record.faults.append(Fault("invalid_choice", "There is no such final result.", "final_result"))
        joined = _day(registered, start, "date_registration", record)
        left = _day(unregistered, start, "date_unregistration", record)
        if left is None and result == "withdrawn":
            left = max(end, joined or end)
            record.notes.append(Fault("assumed_date", "No date of unregistration; the last day was taken."))
        record.values = {
            "student": raw["id_student"],
            "section": compose(presentation, raw["code_module"], "1"),
            "status": "completed" if left is None else "withdrawn",
            "result": result,
            "credits": raw["studied_credits"],
            "attempt_no": _whole(raw["num_of_prev_attempts"], "num_of_prev_attempts", record) + 1,
            "enrolled_at": None if joined is None else _instant(joined),
            "dropped_at": None if left is None else _instant(left),
        }


def _course_faults(raw: Mapping[str, str]) -> list[Fault]:
    faults = []
    length = raw["module_presentation_length"]
    is_length = length.isascii() and length.isdigit() and len(length) <= LENGTH_DIGITS and int(length) > 0
    if not is_length:
        faults.append(Fault("invalid_format", "A length is a number of days.", "module_presentation_length"))
    try:
        starts_on(raw["code_presentation"]) + timedelta(int(length) if is_length else 0)
    except ValueError:
        faults.append(Fault("invalid_format", "A presentation is a year and a letter.", "code_presentation"))
    except OverflowError:
        faults.append(Fault("invalid_format", "There is no such year.", "code_presentation"))
    if not raw["code_module"]:
        faults.append(Fault("required", "A module has a code.", "code_module"))
    return faults


def _key(raw: Mapping[str, str]) -> str:
    return compose(raw["id_student"], raw["code_presentation"], raw["code_module"], "1")


def _boolean(text: str, field: str, faults: list[Fault]) -> bool | None:
    if text.casefold() in YES | NO:
        return text.casefold() in YES
    if text:
        faults.append(Fault("invalid_format", "Neither yes nor no.", field))
    return None


def _whole(text: str, field: str, record: Record) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 4:  # noqa: PLR2004 - no count here has more digits
        return int(text)
    record.faults.append(Fault("invalid_format", "This is not a whole number.", field))
    return 0


def _day(text: str, start: date, field: str, record: Record) -> date | None:
    """Return the day that a number of days from the start denotes, None for none."""
    if not text:
        return None
    with suppress(OverflowError):  # no calendar has that day
        if DAYS.fullmatch(text):
            return start + timedelta(int(text))
    record.faults.append(Fault("invalid_format", "This is not a number of days.", field))
    return None


def _instant(day: date) -> str:
    return datetime.combine(day, time(), UTC).isoformat()
