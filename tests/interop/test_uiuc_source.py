"""Small catalogues with everything in them that the real one lacks."""

import csv
import io
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from interop.faults import MissingColumnError
from interop.reading.delimited import read_csv
from interop.reading.rows import Table
from interop.sources.records import Record
from interop.sources.uiuc import COLUMNS, UiucCatalogue

ROW = {
    "Year": "2024", "Term": "Summer", "YearTerm": "2024-su", "Subject": "CS", "Number": "101", "Name": "Computing",
    "Credit Hours": "3 hours.", "CRN": "10001", "Section": "A", "Type": "Lecture", "Start Time": "09:00 AM",
    "End Time": "10:20 AM", "Days of Week": "MW", "Room": "1", "Building": "Hall", "Instructors": "I1;I2",
}  # fmt: skip


def read(
    *rows: dict[str, str], options: dict[str, Any] | None = None, columns: tuple[str, ...] = COLUMNS
) -> list[Record]:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows({**ROW, **row} for row in rows)

    @contextmanager
    def opener() -> Generator[Table]:
        yield read_csv(io.BytesIO(text.getvalue().encode()), "catalogue.csv")

    return list(UiucCatalogue(opener, options or {}, len(rows)).records())


def of(records: list[Record], resource: str) -> list[Record]:
    return [record for record in records if record.resource == resource]


def test_a_row_becomes_everything_that_it_speaks_of() -> None:
    records = read({})

    assert [record.resource for record in records] == [
        "campuses", "buildings", "rooms", "academic-years", "terms", "departments", "faculty", "faculty", "courses",
        "sections", "meetings", "meetings",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "last", "first"),
    [
        ("Noether, E", "Noether", "E"),
        ("de la Cruz , M ", "de la Cruz", "M"),
        ("O&#39;Neill, J. P", "O'Neill", "J. P"),
        ("Aristotle", "Aristotle", ""),
        (", E", "E", ""),
        (",", ",", ""),
    ],
)
def test_instructors_are_called_as_the_file_calls_them(written: str, last: str, first: str) -> None:
    (member,) = of(read({"Instructors": written}), "faculty")

    assert (member.values["last_name"], member.values["first_name"]) == (last, first)


@pytest.mark.parametrize(
    ("written", "least", "most"),
    [
        ("3 hours.", "3", None),
        ("1 hours", "1", None),
        ("1 TO 4 hours.", "1", "4"),
        ("3 OR 4 hours.", "3", "4"),
        ("0.5 TO 1.5 hours.", "0.5", "1.5"),
    ],
)
def test_credits_are_read(written: str, least: str, most: str | None) -> None:
    (course,) = of(read({"Credit Hours": written}), "courses")

    assert (course.values["credits"], course.values["credits_max"]) == (least, most)


def test_credits_that_cannot_be_read_refuse_the_course() -> None:
    (course,) = of(read({"Credit Hours": "some"}), "courses")

    assert [fault.code for fault in course.faults] == ["invalid_format"]


def test_sections_without_a_code_of_their_own_are_called_by_their_number() -> None:
    records = read(
        {"Section": ""}, {"Section": "", "CRN": "10002"}, {"Section": "B", "CRN": "3"}, {"Section": "B", "CRN": "4"}
    )

    assert [record.values["code"] for record in of(records, "sections")] == ["10001", "10002", "B", "B-4"]


@pytest.mark.parametrize(
    "change",
    [{"Start Time": "ARRANGED", "End Time": ""}, {"Days of Week": "  "}, {"Start Time": ""}],
)
def test_what_is_arranged_has_no_meeting(change: dict[str, str]) -> None:
    records = read(change)

    assert of(records, "meetings") == []
    assert len(of(records, "sections")) == 1


def test_a_room_without_a_building_is_none() -> None:
    (meeting, _) = of(read({"Building": ""}), "meetings")

    assert meeting.values["room"] is None


def test_sections_of_one_course_at_one_place_and_time_meet_together() -> None:
    records = read({}, {"CRN": "10002", "Section": "B"})

    assert [len(record.initial["sections"]) for record in of(records, "meetings")] == [2, 2]


def test_courses_that_are_the_same_meet_together() -> None:
    records = read({}, {"CRN": "10002", "Subject": "ECE", "Description": "Same as CS 101 and SE 7."})

    meetings = of(records, "meetings")
    assert [record.initial["sections"] for record in meetings] == [["2024-su|CS 101|A", "2024-su|ECE 101|A"]] * 2
    assert not any(record.notes for record in meetings)


@pytest.mark.parametrize(
    "other",
    [
        {"Subject": "ECE"},
        {"Section": "B", "Start Time": "10:00 AM", "End Time": "11:00 AM"},
        {"Section": "B", "Part of Term": "S1"},
    ],
)
def test_whatever_else_shares_a_room_is_flagged_on_both_sides(other: dict[str, str]) -> None:
    records = read({}, {"CRN": "10002", **other}, columns=(*COLUMNS, "Part of Term"))

    meetings = of(records, "meetings")
    assert len(meetings) == 4
    assert all(record.initial["conflict_waived"] for record in meetings)
    assert all([note.code for note in record.notes] == ["room_conflict"] for record in meetings)


def test_meetings_that_only_touch_do_not_clash() -> None:
    records = read({}, {"CRN": "10002", "Section": "B", "Start Time": "10:20 AM", "End Time": "11:00 AM"})

    assert not any(record.notes for record in of(records, "meetings"))


def test_the_days_of_the_term_can_be_said() -> None:
    (term,) = of(read({}, options={"starts_on": "2024-05-13", "ends_on": "2024-08-03"}), "terms")

    assert term.initial == {"starts_on": "2024-05-13", "ends_on": "2024-08-03"}
    assert term.notes == []


def test_a_year_of_which_nothing_is_said_holds_its_term() -> None:
    (year,) = of(read({}, options={"starts_on": "2024-08-20", "ends_on": "2025-01-10"}), "academic-years")

    assert (year.initial["starts_on"], year.initial["ends_on"]) == ("2024-01-01", "2025-01-10")


@pytest.mark.parametrize("year", ["0", "0000", "99999", "٢٠٢٤", "9" * 5000])
def test_a_year_that_is_none_refuses_the_term_and_its_year(year: str) -> None:
    records = read({"Year": year})

    refused = {record.resource: [(fault.code, fault.field) for fault in record.faults] for record in records}
    expected = [("invalid_format", "Year")]
    assert {name: faults for name, faults in refused.items() if faults} == {
        "academic-years": expected,
        "terms": expected,
    }


def test_texts_are_whole_but_for_the_space_around_them() -> None:
    (course,) = of(read({"Name": f" {'x' * 300}&nbsp;", "Description": " Bits. ", "Building": "Hall "}), "courses")

    assert (course.values["title"], course.values["description"]) == ("x" * 300, "Bits.")


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"CRN": ""}, "required"),
        ({"Subject": " "}, "required"),
        ({"CRN": "10001", "Number": "102"}, "contradiction"),
        ({"CRN": "2", "Start Time": "early"}, "invalid_format"),
        ({"CRN": "2", "Days of Week": "XYZ"}, "invalid_format"),
    ],
)
def test_a_row_that_cannot_be_is_refused(row: dict[str, str], code: str) -> None:
    records = read({}, row)

    assert [fault.code for record in records for fault in record.faults] == [code]


def test_a_file_without_a_column_is_refused() -> None:
    with pytest.raises(MissingColumnError):
        read({}, columns=COLUMNS[1:])


def test_cells_that_nothing_reads_are_not_kept_and_their_columns_are_named() -> None:
    columns = (*COLUMNS, "Salary", "Part of Term")
    text = f"{','.join(columns)}\n" + ",".join({**ROW, "Salary": "1234"}.get(name, "") for name in columns)

    @contextmanager
    def opener() -> Generator[Table]:
        yield read_csv(io.BytesIO(text.encode()), "catalogue.csv")

    catalogue = UiucCatalogue(opener, {}, 1)

    unread = {"Section Title", "Section Credit Hours", "Salary"}
    assert all(unread.isdisjoint(record.raw) for record in catalogue.records())
    (remark,) = catalogue.remarks
    assert remark.code == "ignored_columns"
    assert remark.detail == "Columns that are not imported: Section Title, Section Credit Hours, Salary."
