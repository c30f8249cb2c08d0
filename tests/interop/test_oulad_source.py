"""Small OULAD folders with everything in them that the real one lacks."""

from pathlib import Path
from typing import Any

import pytest

from interop.faults import FileRefusedError
from interop.reading.filesets import open_fileset
from interop.sources.oulad import Oulad
from interop.sources.records import Record

COURSE = "code_module,code_presentation,module_presentation_length\n"
STUDENT = (
    "code_module,code_presentation,id_student,gender,region,highest_education,imd_band,age_band,"
    "num_of_prev_attempts,studied_credits,disability,final_result\n"
)
REGISTRATION = "code_module,code_presentation,id_student,date_registration,date_unregistration\n"
ADA = "AAA,2013J,1,F,Scotland,HE Qualification,20-30%,0-35,1,60,N,Pass\n"


def read(folder: Path, **files: str | None) -> list[Record]:
    content: dict[str, str | None] = {
        "courses": f"{COURSE}AAA,2013J,268\n",
        "studentInfo": STUDENT + ADA,
        "studentRegistration": f"{REGISTRATION}AAA,2013J,1,-10,\n",
        **files,
    }
    for name, text in content.items():
        if text is not None:
            (folder / f"{name}.csv").write_text(text)
    with open_fileset(folder, "oulad") as found:
        return list(Oulad(found).records())


def of(records: list[Record], resource: str) -> list[Record]:
    return [record for record in records if record.resource == resource]


def codes(records: list[Record]) -> list[tuple[str, str]]:
    return [(record.resource, fault.code) for record in records for fault in record.faults]


def test_a_student_is_who_the_latest_presentation_says(tmp_path: Path) -> None:
    earlier = ADA.replace("2013J", "2013B").replace("Scotland", "Wales")

    records = read(
        tmp_path,
        courses=f"{COURSE}AAA,2013J,268\nAAA,2013B,240\n",
        studentInfo=STUDENT + ADA + earlier,
        studentRegistration=f"{REGISTRATION}AAA,2013J,1,-10,\nAAA,2013B,1,-20,5\n",
    )

    (student,) = of(records, "students")
    assert student.values["custom_fields"]["region"] == "Scotland"
    assert student.values["custom_fields"]["disability"] is False
    assert len(of(records, "enrollments")) == 2


def test_days_count_from_the_first_of_the_month_that_the_letter_says(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        courses=f"{COURSE}AAA,2014B,10\n",
        studentInfo=STUDENT + ADA.replace("2013J", "2014B"),
        studentRegistration=f"{REGISTRATION}AAA,2014B,1,-1,27\n",
    )

    (enrollment,) = of(records, "enrollments")
    assert enrollment.values["enrolled_at"].startswith("2014-01-31")
    assert enrollment.values["dropped_at"].startswith("2014-02-28")
    (term,) = of(records, "terms")
    assert (term.values["starts_on"], term.values["ends_on"]) == ("2014-02-01", "2014-02-11")


def test_space_around_a_cell_is_padding(tmp_path: Path) -> None:
    records = read(tmp_path, studentInfo=STUDENT + ADA.replace("Scotland", " Scotland ").replace(",1,F", ", 1 ,F"))

    assert not codes(records)
    (student,) = of(records, "students")
    assert (student.key, student.values["custom_fields"]["region"]) == ("1", "Scotland")


def test_whoever_withdrew_without_a_date_left_on_the_last_day(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        studentInfo=STUDENT + ADA.replace("Pass", "Withdrawn"),
        studentRegistration=f"{REGISTRATION}AAA,2013J,1,,\n",
    )

    (enrollment,) = of(records, "enrollments")
    assert enrollment.values["enrolled_at"] is None
    assert enrollment.values["dropped_at"].startswith("2014-06-26")
    assert [note.code for note in enrollment.notes] == ["assumed_date"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"courses": f"{COURSE}AAA,2013J,268\nAAA,2013J,268\n"}, ("sections", "duplicate_row")),
        *(
            ({"courses": f"{COURSE}AAA,2013J,268\nBBB,{presentation},268\n"}, ("sections", "invalid_format"))
            for presentation in ("13th", "0000J", "9999L", "+201J", "٢٣٢٣J")
        ),
        ({"courses": f"{COURSE}AAA,2013J,268\nBBB,2013J,{'9' * 5000}\n"}, ("sections", "invalid_format")),
        ({"studentRegistration": f"{REGISTRATION}AAA,2013J,1,1_0,\n"}, ("enrollments", "invalid_format")),
        ({"courses": f"{COURSE}AAA,2013J,268\nBBB,2013J,long\n"}, ("sections", "invalid_format")),
        ({"courses": f"{COURSE}AAA,2013J,268\n,2013J,268\n"}, ("sections", "required")),
        ({"courses": f"{COURSE}AAA,2013J,268\nBBB,2013J\n"}, ("sections", "wrong_column_count")),
        ({"studentInfo": STUDENT + ADA.replace(",F,", ",Q,")}, ("students", "invalid_choice")),
        ({"studentInfo": STUDENT + ADA.replace(",N,", ",maybe,")}, ("students", "invalid_format")),
        ({"studentInfo": STUDENT + ADA.replace("Pass", "Splendid")}, ("enrollments", "invalid_choice")),
        ({"studentInfo": STUDENT + ADA.replace(",1,60", ",many,60")}, ("enrollments", "invalid_format")),
        ({"studentInfo": STUDENT + ADA.replace("AAA", "ZZZ")}, ("enrollments", "no_registration")),
        ({"studentRegistration": f"{REGISTRATION}AAA,2013J,1,soon,\n"}, ("enrollments", "invalid_format")),
        ({"studentRegistration": f"{REGISTRATION}AAA,2013J,1,999999999999,\n"}, ("enrollments", "invalid_format")),
        ({"studentRegistration": f"{REGISTRATION}AAA,2013J,1,0,\nAAA,2013J,1,0,\n"}, ("enrollments", "duplicate_row")),
        (
            {"studentRegistration": f"{REGISTRATION}AAA,2013J,1,0,\nAAA,2013J,2,0,\n"},
            ("enrollments", "unknown_student"),
        ),
        ({"courses": f"{COURSE}BBB,2013J,268\n"}, ("enrollments", "unknown_presentation")),
    ],
)
def test_a_row_that_cannot_be_is_refused(tmp_path: Path, files: dict[str, str], expected: tuple[str, str]) -> None:
    assert expected in codes(read(tmp_path, **files))


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"studentInfo": None}, "missing_file"),
        ({"courses": ""}, "empty_file"),
        ({"courses": "code_module,code_presentation\nAAA,2013J\n"}, "missing_column"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused(tmp_path: Path, files: dict[str, Any], code: str) -> None:
    with pytest.raises(FileRefusedError) as refusal:
        read(tmp_path, **files)

    assert refusal.value.error_code == code


def test_cells_that_nothing_reads_are_not_kept_and_their_columns_are_named(tmp_path: Path) -> None:
    read(tmp_path, studentInfo=f"{STUDENT.strip()},passport_no\n{ADA.strip()},QX 7391 8264\n")

    with open_fileset(tmp_path, "oulad") as found:
        dataset = Oulad(found)
        records = list(dataset.records())

    assert not [record for record in records if "passport_no" in record.raw]
    assert [(remark.code, remark.detail, remark.file) for remark in dataset.remarks] == [
        ("ignored_columns", "Columns that are not imported: passport_no.", "studentInfo.csv")
    ]
