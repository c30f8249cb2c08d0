"""Plain tables: how their columns are found, their cells read, and what becomes of their rows."""

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from accounts.models import Person
from core.customfields.services import create_custom_field
from courses.models import Course, Meeting, Section
from departments.models import Department, Program
from enrollment.models import Enrollment
from faculty.models import Faculty, FacultyAppointment
from interop import services
from interop.models import ImportJob, ImportState
from interop.services.files import open_table
from interop.sources.columns import COLUMNS, template
from interop.sources.plain import FIELD, PlainTable
from interop.sources.records import Record
from interop.targets.items import Item
from interop.targets.registry import TARGETS
from students.models import ProgramEnrollment, Student
from students.services import delete_student
from tests.courses.factories import CourseFactory, SectionFactory
from tests.departments.factories import (
    BuildingFactory,
    CampusFactory,
    DepartmentFactory,
    ProgramFactory,
    RoomFactory,
    TermFactory,
)
from tests.faculty.factories import FacultyFactory
from tests.interop.data import DATA, needs
from tests.interop.importing import imported, reasons, table, totals, validated
from tests.students.factories import StudentFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


@pytest.fixture
def science() -> Department:
    return DepartmentFactory(code="SCI")


# --- columns ---


@pytest.mark.usefixtures("science")
def test_columns_are_found_by_name_and_synonym_however_they_are_written(place: Path) -> None:
    row = {"Student Number": "S1", "GIVEN_NAME": "Ada", "sur-name": "x", "surname": "Lovelace", "DOB": "1815-12-10",
           "Dept": "SCI", "E-Mail": "ada@example.org", "Sex": "F"}  # fmt: skip

    job = imported("students", table(place, row))

    student = Student.objects.select_related("person").get()
    assert (student.student_no, student.person.first_name, student.person.last_name) == ("S1", "Ada", "Lovelace")
    assert (student.person.birth_date, student.person.gender) == (date(1815, 12, 10), "female")
    assert [(remark["code"], remark["detail"]) for remark in job.remarks] == [
        ("ignored_columns", "Columns that are not imported: sur-name.")
    ]


@pytest.mark.usefixtures("science")
def test_a_mapping_goes_before_names(place: Path) -> None:
    rows = table(
        place, {"student_no": "S1", "last_name": "King", "first_name": "wrong", "Vorname": "Ada", "email": "x@y.z",
                "department": "SCI"}
    )  # fmt: skip

    imported("students", rows, mapping={"first_name": "vorname", "email": ""})

    person = Student.objects.get().person
    assert (person.first_name, person.email) == ("Ada", "")


@pytest.mark.parametrize(
    ("mapping", "code"),
    [({"shoe_size": "Size"}, "unknown_column"), ({"email": "Nowhere"}, "unknown_column"), ({}, "missing_column")],
)
def test_a_mapping_that_leads_nowhere_refuses_the_file(place: Path, mapping: dict[str, str], code: str) -> None:
    column = "student_no" if mapping else "name"

    job = validated("students", table(place, {column: "S1"}), mapping=mapping)

    assert job.state == ImportState.FAILED
    assert [error["code"] for error in job.errors] == [code]


@pytest.mark.parametrize("kind", COLUMNS)
def test_the_columns_that_a_new_row_needs_are_those_that_it_is_refused_without(kind: str) -> None:
    target = TARGETS[kind](None, ImportJob(kind=kind))
    refused = {error.field for error in target.check(Item(Record(kind, "", {}, "", 2), 0))}

    needed = {FIELD.get(spec.name, spec.name) for spec in COLUMNS[kind] if spec.required or spec.for_new}

    assert needed - {"student_no", "term", "code", "course"} <= refused
    # Of a section the source says how many may enrol, and what it belongs to lies in its key.
    assert refused - needed <= ({"capacity"} if kind == "sections" else {"student", "section"})


@pytest.mark.parametrize(
    ("kind", "row", "missing"),
    [
        ("students", {"student_no": "S9", "first_name": "Ada"}, ["last_name", "department"]),
        ("students", {"first_name": "Ada", "department": "SCI"}, ["student_no", "last_name"]),
        ("faculty", {"employee_no": "E9", "surname": "Noether"}, ["rank", "department"]),
        ("courses", {"code": "CS9"}, ["title", "department", "credits"]),
        ("sections", {"term": "2026F"}, ["course_code", "section_code"]),
    ],
)
def test_a_file_without_what_new_rows_need_names_it_all_when_none_of_its_rows_is_known(
    place: Path, kind: str, row: dict[str, str], missing: list[str]
) -> None:
    job = validated(kind, table(place, row))

    assert job.state == ImportState.FAILED
    (error,) = job.errors
    assert (error["code"], error["meta"]["columns"]) == ("missing_column", missing)


@pytest.mark.usefixtures("science")
def test_a_file_of_the_key_and_what_changes_changes_the_rows_that_are_known_and_refuses_the_others(place: Path) -> None:
    student = StudentFactory(student_no="S1", person__last_name="Byron")
    rows = [{"student_no": "S0", "phone": "12345"}, {"student_no": "S1", "phone": "12345"}]

    job = imported("students", table(place, *rows))

    assert reasons(job) == [(2, "required", "last_name"), (2, "required", "department")]
    student.person.refresh_from_db()
    assert (student.person.phone, student.person.last_name) == ("12345", "Byron")


@pytest.mark.usefixtures("science")
@pytest.mark.parametrize("kind", ["students", "faculty"])
def test_nobody_is_recorded_without_a_last_name_and_nobody_loses_theirs(place: Path, kind: str) -> None:
    number = COLUMNS[kind][0].name
    more = {"department": "SCI", **({"rank": "professor"} if kind == "faculty" else {})}
    rows = [
        {number: "N1", "last_name": "King", "first_name": "Ada", **more},
        {number: "N2", "last_name": " ", "first_name": "Ada", **more},
    ]

    job = imported(kind, table(place, *rows))
    again = imported(kind, table(place, {**rows[0], "last_name": "", "first_name": "Augusta"}))

    assert (totals(job), reasons(job)) == ((1, 0, 0, 1), [(3, "required", "last_name")])
    assert totals(again) == (0, 1, 0, 0)
    assert list(Person.objects.values_list("first_name", "last_name")) == [("Augusta", "King")]


@pytest.mark.usefixtures("science")
def test_a_student_who_went_after_the_preview_does_not_come_back_without_a_name(place: Path) -> None:
    student = StudentFactory(student_no="S1")
    job = validated("students", table(place, {"student_no": "S1", "phone": "12345", "department": "SCI"}))
    delete_student(student, by=None)

    assert reasons(services.apply(job.pk, by=None)) == [(2, "required", "last_name")]
    assert not Student.objects.exists()


def test_a_template_is_a_table_that_is_read(place: Path) -> None:
    for kind in COLUMNS:
        place.write_text(",".join(template(kind)) + "\n")
        assert totals(imported(kind, place, force=True)) == (0, 0, 0, 0)


@pytest.mark.usefixtures("science")
def test_a_workbook_is_read_like_a_table(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["student_no", "birth_date", "department", "last_name"])
    book.active.append([4711, datetime(1990, 5, 1), "SCI", "King"])  # noqa: DTZ001 - a workbook knows no zone
    book.save(tmp_path / "students.xlsx")

    imported("students", tmp_path / "students.xlsx")

    student = Student.objects.get()
    assert (student.student_no, student.person.birth_date) == ("4711", date(1990, 5, 1))


# --- rows ---


@pytest.mark.usefixtures("science")
def test_sound_rows_go_in_and_the_others_are_refused_with_their_reasons(place: Path) -> None:
    path = table(
        place,
        {"student_no": "S1", "last_name": "King", "department": "SCI", "email": "ada@example.org"},
        {"student_no": "", "last_name": "King", "department": "SCI"},
        {"student_no": "S3", "last_name": "King", "department": "NOWHERE"},
        {"student_no": "S4", "last_name": "K", "department": "SCI", "email": "no address", "birth_date": "yesterday"},
        {"student_no": "S5", "last_name": "K", "department": "SCI", "gender": "unsure", "first_name": "x" * 151},
        {"student_no": "S1", "last_name": "King", "department": "SCI"},
        {"student_no": "S7"},
    )
    path.write_bytes(path.read_bytes() + b"S8,King,SCI,\xff,,,\nS9\n")

    job = imported("students", path)

    assert job.state == ImportState.PARTIALLY_APPLIED
    assert totals(job) == (1, 0, 0, 8)
    assert reasons(job) == [
        (3, "required", "student_no"),
        (4, "unknown_reference", "department"),
        (5, "invalid_format", "birth_date"),
        (5, "invalid", "email"),
        (6, "max_length", "first_name"),
        (6, "invalid_choice", "gender"),
        (7, "duplicate_row", ""),
        (8, "required", "last_name"),
        (8, "required", "department"),
        (9, "invalid_unicode", ""),
        (10, "wrong_column_count", ""),
    ]


@pytest.mark.usefixtures("science")
def test_the_preview_says_what_will_be_done_and_writes_nothing(place: Path) -> None:
    StudentFactory(student_no="S1", department__code="SCI2", person__first_name="Ada")
    same, other = StudentFactory(student_no="S2"), StudentFactory(student_no="S3")
    path = table(
        place,
        {"student_no": "S1", "first_name": "Augusta", "department": ""},
        {"student_no": "S2", "first_name": same.person.first_name, "department": ""},
        {"student_no": "S3", "first_name": other.person.first_name, "department": "NOWHERE"},
        {"student_no": "S4", "first_name": "Grace", "last_name": "Hopper", "department": "SCI"},
    )

    job = validated("students", path)

    assert job.state == ImportState.VALIDATED
    assert list(job.rows.order_by("position").values_list("natural_key", "action")) == [
        ("S1", "update"), ("S2", "unchanged"), ("S3", "rejected"), ("S4", "create"),
    ]  # fmt: skip
    assert Student.objects.count() == 3


@pytest.mark.usefixtures("science")
def test_a_blank_cell_says_nothing(place: Path) -> None:
    student = StudentFactory(student_no="S1", person__first_name="Ada", person__email="ada@example.org")

    imported("students", table(place, {"student_no": "S1", "first_name": "Augusta", "email": ""}))

    student.person.refresh_from_db()
    assert (student.person.first_name, student.person.email) == ("Augusta", "ada@example.org")


@pytest.mark.usefixtures("science")
def test_a_change_counts_as_one_of_the_row(place: Path) -> None:
    student = StudentFactory(student_no="S1")

    imported("students", table(place, {"student_no": "S1", "first_name": "Augusta"}))

    student.refresh_from_db()
    assert student.version == 2
    assert student.person.version == 2


# --- each kind ---


def test_departments_are_created_below_each_other_in_whatever_order(place: Path) -> None:
    rows = [
        {"code": "LAB", "name": "Laboratory", "parent": "PHY", "kind": "Office"},
        {"code": "PHY", "name": "Physics", "parent": "SCI"},
        {"code": "SCI", "name": "Sciences", "parent": ""},
    ]

    assert totals(imported("departments", table(place, *rows))) == (3, 0, 0, 0)

    laboratory = Department.objects.get(code="LAB")
    assert (laboratory.kind, laboratory.parent.code, laboratory.parent.parent.code) == ("office", "PHY", "SCI")
    assert len(laboratory.lineage) == 3


def test_a_chain_in_the_wrong_order_is_put_in_order_in_one_pass(place: Path) -> None:
    rows = [{"code": f"D{at}", "name": "x", "parent": f"D{at - 1}" if at else ""} for at in reversed(range(3_000))]
    rows += [{"code": "ROUND", "name": "x", "parent": "ROUND"}, {"code": "LOOSE", "name": "x", "parent": "ELSEWHERE"}]
    opened: list[int] = []

    def opener() -> Any:
        opened.append(1)
        return open_table(place, place.name)

    table(place, *rows)
    records = list(PlainTable("departments", opener, {}, 0).records())

    assert [record.key for record in records] == [*(f"D{at}" for at in range(3_000)), "LOOSE", "ROUND"]
    assert len(opened) == 3


def test_departments_in_a_circle_are_refused(place: Path) -> None:
    rows = [{"code": "A", "name": "A", "parent": "B"}, {"code": "B", "name": "B", "parent": "A"}]

    job = imported("departments", table(place, *rows))

    assert totals(job) == (0, 0, 0, 2)
    assert not Department.objects.exists()


@pytest.mark.usefixtures("science")
def test_programs(place: Path) -> None:
    row = {"code": "BSC", "name": "Mathematics", "level": "Bachelor", "dept": "SCI", "credits": "180"}

    imported("programs", table(place, row))

    program = Program.objects.get()
    assert (program.level, program.total_credits, program.department.code) == ("bachelor", Decimal(180), "SCI")


@pytest.mark.usefixtures("science")
def test_students_with_a_program_are_enrolled_in_it(place: Path) -> None:
    program = ProgramFactory(code="BSC")
    row = {"student_no": "S1", "surname": "King", "department": "SCI", "program": "BSC", "cohort": "2026",
           "status": "Leave of absence"}  # fmt: skip

    imported("students", table(place, row))

    student = Student.objects.get()
    enrolled = ProgramEnrollment.objects.get(student=student)
    assert student.status == "leave_of_absence"
    assert (enrolled.program, enrolled.cohort, enrolled.is_primary) == (program, "2026", True)


@pytest.mark.usefixtures("science")
def test_another_program_takes_the_place_of_the_former(place: Path) -> None:
    ProgramFactory(code="BSC")
    ProgramFactory(code="MSC")
    imported("students", table(place, {"student_no": "S1", "surname": "King", "department": "SCI", "program": "BSC"}))

    imported("students", table(place, {"student_no": "S1", "program": "MSC", "cohort": "2027"}))

    primary = ProgramEnrollment.objects.get(is_primary=True)
    assert (primary.program.code, primary.cohort) == ("MSC", "2027")
    assert ProgramEnrollment.objects.get(program__code="BSC").status == "withdrawn"


@pytest.mark.usefixtures("science")
def test_a_step_that_a_student_cannot_take_is_refused(place: Path) -> None:
    StudentFactory(student_no="S1", status="graduated")

    job = imported("students", table(place, {"student_no": "S1", "status": "suspended"}))

    assert reasons(job) == [(2, "illegal_transition", "status")]


@pytest.mark.usefixtures("science")
def test_faculty_take_up_their_first_post(place: Path) -> None:
    row = {"employee_no": "E1", "surname": "Noether", "rank": "Professor", "dept": "SCI", "hired_on": "2020-01-01",
           "employment": "Full-time", "fte": "0.5"}  # fmt: skip

    imported("faculty", table(place, row))

    post = FacultyAppointment.objects.get(faculty__employee_no="E1")
    assert (post.rank, post.valid.lower, post.department.code) == ("professor", date(2020, 1, 1), "SCI")
    assert Faculty.objects.get().fte == Decimal("0.5")


@pytest.mark.usefixtures("science")
def test_courses_come_with_their_first_version(place: Path) -> None:
    row = {"code": "CS1", "title": "Computing", "dept": "SCI", "credits": "3", "credits_max": "6", "level": "Graduate"}

    imported("courses", table(place, row))

    course = Course.objects.select_related("current_version").get()
    assert (course.level, course.current_version.title) == ("graduate", "Computing")
    assert (course.current_version.credits, course.current_version.credits_max) == (3, 6)


def test_a_course_is_corrected_in_its_present_version(place: Path) -> None:
    course = CourseFactory(code="CS1")

    job = imported("courses", table(place, {"code": "CS1", "title": "Computing for all"}))

    assert totals(job) == (0, 1, 0, 0)
    course.refresh_from_db()
    assert course.current_version.title == "Computing for all"
    assert course.version == 2


def offered() -> None:
    CourseFactory(code="CS1")
    TermFactory(code="2026F", starts_on=date(2026, 9, 1), ends_on=date(2027, 1, 31))
    FacultyFactory(employee_no="E1")
    FacultyFactory(employee_no="E2")
    RoomFactory(code="101", building=BuildingFactory(code="MAIN", campus=CampusFactory(code="CAM")))


SECTION = {"course_code": "CS1", "section_code": "01", "term": "2026F", "capacity": "30", "instructor": "E1; E2"}


def test_sections_come_with_instructors_and_meetings(place: Path) -> None:
    offered()
    meeting = {"days": "MW", "starts": "09:30", "ends": "10:45", "building": "MAIN", "room": "101"}
    again = {**SECTION, "days": "Fri", "starts": "2:00 PM", "ends": "03:00 pm", "building": "", "room": ""}

    job = imported("sections", table(place, {**SECTION, **meeting}, again))

    assert totals(job) == (4, 0, 0, 0)
    section = Section.objects.get()
    assert (section.capacity, section.course.code, section.term.code) == (30, "CS1", "2026F")
    shares = section.section_instructors.order_by("faculty__employee_no").values_list("role", "share")
    assert list(shares) == [("primary", 50), ("co", 50)]
    meetings = Meeting.objects.order_by("weekday").values_list("weekday", "starts_at", "ends_at", "room__code")
    assert list(meetings) == [
        (1, time(9, 30), time(10, 45), "101"), (3, time(9, 30), time(10, 45), "101"), (5, time(14), time(15), None),
    ]  # fmt: skip


def test_a_section_taught_twice_the_same_way_is_found_again(place: Path) -> None:
    offered()
    meeting = {"days": "MW", "starts": "09:30", "ends": "10:45", "building": "MAIN", "room": "101"}
    imported("sections", table(place, {**SECTION, **meeting}))

    moved = table(place, {**SECTION, "instructor": "E2", **meeting, "ends": "11:00"})
    job = imported("sections", moved)

    assert totals(job) == (0, 3, 0, 0)
    assert {str(ends) for ends in Meeting.objects.values_list("ends_at", flat=True)} == {"11:00:00"}
    assert Section.objects.get().section_instructors.get().faculty.employee_no == "E2"


def test_a_room_is_taken_once(place: Path) -> None:
    offered()
    meeting = {"days": "M", "starts": "09:30", "ends": "10:45", "building": "MAIN", "room": "101"}

    job = imported("sections", table(place, {**SECTION, **meeting}, {**SECTION, "section_code": "02", **meeting}))

    assert reasons(job) == [(3, "room_conflict", "room")]
    assert Section.objects.count() == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"days": ""}, "required"),
        ({"days": "Someday"}, "invalid_format"),
        ({"starts": "noon"}, "invalid_format"),
        ({"ends": "09:00"}, "ends_before_start"),
        ({"room": "999"}, "unknown_reference"),
        ({"capacity": "31"}, "contradiction"),
    ],
)
def test_a_meeting_that_cannot_be_is_refused(place: Path, change: dict[str, str], reason: str) -> None:
    offered()
    meeting = {"days": "M", "starts": "09:30", "ends": "10:45", "building": "MAIN", "room": "101"}

    job = imported("sections", table(place, SECTION, {**SECTION, **meeting, **change}))

    assert [code for _, code, _ in reasons(job)] == [reason]
    assert not Meeting.objects.exists()


def test_enrolments_of_a_closed_term_are_recorded_as_history(place: Path) -> None:
    section = SectionFactory(
        code="01", capacity=1, course__code="CS1", term=TermFactory(code="2020F", state="closed"), status="completed"
    )
    rows = []
    for number in range(3):
        StudentFactory(student_no=f"S{number}", status="graduated")
        rows.append(
            {
                "student": f"S{number}", "course": "CS1", "section": "01", "term": "2020F", "status": "Completed",
                "result": "Pass", "registration_date": "2020-09-01", "attempt": "2",
            }
        )  # fmt: skip

    job = imported("enrollments", table(place, *rows))

    assert totals(job) == (3, 0, 0, 0)
    section.refresh_from_db()
    assert (section.enrolled_count, section.capacity, section.override_seats) == (3, 1, 2)
    enrollment = Enrollment.objects.get(student__student_no="S0")
    assert (enrollment.status, enrollment.result, enrollment.source) == ("completed", "pass", "import")
    assert enrollment.enrolled_at == datetime(2020, 9, 1, tzinfo=UTC)
    assert enrollment.credits == section.course_version.credits
    assert enrollment.attempt_no == 2


def test_enrolments_that_contradict_themselves_are_refused(place: Path) -> None:
    SectionFactory(code="01", course__code="CS1", term__code="2020F")
    StudentFactory(student_no="S1")
    where = {"student": "S1", "course": "CS1", "section": "01", "term": "2020F"}

    job = imported("enrollments", table(place, {**where, "status": "withdrawn"}))
    other = imported("enrollments", table(place, {**where, "status": "enrolled", "result": "splendid"}))

    assert reasons(job) == [(2, "dropped_at_mismatch", "dropped_at")]
    assert reasons(other) == [(2, "invalid_choice", "result")]


def test_an_enrolment_is_moved_on_by_what_the_source_says_later(place: Path) -> None:
    SectionFactory(code="01", course__code="CS1", term__code="2020F")
    StudentFactory(student_no="S1")
    where = {"student": "S1", "course": "CS1", "section": "01", "term": "2020F"}
    imported("enrollments", table(place, {**where, "status": "enrolled"}))

    job = imported("enrollments", table(place, {**where, "status": "withdrawn", "dropped_on": "2020-10-01"}))

    assert totals(job) == (0, 1, 0, 0)
    enrollment = Enrollment.objects.get()
    assert (enrollment.status, enrollment.dropped_at) == ("withdrawn", datetime(2020, 10, 1, tzinfo=UTC))
    assert enrollment.section.enrolled_count == 0
    steps = enrollment.events.order_by("happened_at").values_list("from_status", "to_status")
    assert list(steps) == [("", "enrolled"), ("enrolled", "withdrawn")]


@pytest.mark.usefixtures("science")
def test_a_number_beyond_every_column_refuses_its_row_and_no_other(place: Path) -> None:
    course = {"title": "x", "department": "SCI"}
    rows = [{"code": f"C{at}", "credits": number, **course} for at, number in enumerate(("3", "1E+9999999", "9E+99"))]

    job = imported("courses", table(place, *rows))

    assert totals(job) == (1, 0, 0, 2)
    assert reasons(job) == [(3, "invalid_format", "credits"), (4, "max_digits", "credits")]


@pytest.mark.usefixtures("science")
def test_an_instant_outside_of_the_calendar_refuses_its_row_and_no_other(place: Path) -> None:
    SectionFactory(code="01", course__code="CS1", term=TermFactory(code="2020F", state="closed"), status="completed")
    rows = [
        {"student": StudentFactory().student_no, "course": "CS1", "section": "01", "term": "2020F",
         "status": "completed", "enrolled_at": at}
        for at in ("2020-09-01", "0001-01-01T00:00:00+14:00")
    ]  # fmt: skip

    job = imported("enrollments", table(place, *rows))

    assert totals(job) == (1, 0, 0, 1)
    assert reasons(job) == [(3, "invalid_format", "enrolled_at")]


@pytest.mark.usefixtures("science")
def test_space_around_a_cell_is_padding(place: Path, registrar: Any) -> None:
    create_custom_field(
        by=registrar, entity_type="students.student", name="locker", label="Locker", field_type="text",
    )  # fmt: skip
    row = {"student_no": " S1", "first_name": " Ada ", "surname": "King", "preferred_name": "\u00a0",
           "department": "SCI\t"}  # fmt: skip

    job = imported("students", table(place, {**row, "custom.locker": " A 1 "}))

    student = Student.objects.select_related("person").get()
    assert (student.person.first_name, student.person.preferred_name, student.student_no) == ("Ada", "", "S1")
    assert student.custom_data == {"locker": "A 1"}
    assert job.rows.get().raw["first_name"] == " Ada "


# --- custom fields ---


@pytest.mark.usefixtures("science")
def test_custom_fields_are_filled_and_their_rules_hold(place: Path, registrar: Any) -> None:
    create_custom_field(
        by=registrar, entity_type="students.student", name="shoe_size", label="Shoe size", field_type="number",
        min_value=Decimal(20), max_value=Decimal(50),
    )  # fmt: skip
    create_custom_field(
        by=registrar, entity_type="students.student", name="sports", label="Sports", field_type="multiselect",
        choices=["chess", "rowing"],
    )  # fmt: skip
    rows = [
        {"student_no": "S1", "surname": "A", "department": "SCI", "custom.shoe_size": "42",
         "custom.sports": "rowing; chess"},
        {"student_no": "S2", "surname": "B", "department": "SCI", "custom.shoe_size": "77", "custom.sports": "golf"},
    ]  # fmt: skip

    job = imported("students", table(place, *rows))

    assert Student.objects.get().custom_data == {"shoe_size": Decimal(42), "sports": ["chess", "rowing"]}
    assert reasons(job) == [
        (3, "above_maximum", "custom_fields.shoe_size"), (3, "invalid_choice", "custom_fields.sports"),
    ]  # fmt: skip
    again = imported("students", table(place, rows[0]), force=True)
    assert totals(again) == (0, 0, 1, 0)


@pytest.mark.usefixtures("science")
def test_values_that_are_unique_stay_so(place: Path, registrar: Any) -> None:
    create_custom_field(
        by=registrar, entity_type="students.student", name="locker", label="Locker", field_type="text",
        unique_values=True,
    )  # fmt: skip
    rows = [
        {"student_no": f"S{n}", "surname": "King", "department": "SCI", "custom.locker": locker}
        for n, locker in enumerate("AAB")
    ]

    job = imported("students", table(place, *rows))

    assert reasons(job) == [(3, "custom_value_taken", "custom_fields.locker")]
    assert Student.objects.count() == 2


# --- hostile content ---


@needs("robustness")
@pytest.mark.usefixtures("science")
def test_hostile_names_are_kept_exactly_or_refused(place: Path) -> None:
    strings = json.loads((DATA / "robustness" / "blns.json").read_text())
    rows = [
        {"student_no": f"S{number}", "department": "SCI", "first_name": text, "last_name": "King"}
        for number, text in enumerate(strings)
    ]

    job = imported("students", table(place, *rows))

    kept = dict(Student.objects.values_list("student_no", "person__first_name"))
    refused = {row.natural_key: row.reasons for row in job.rows.filter(action="rejected")}
    assert kept.keys() | refused.keys() == {row["student_no"] for row in rows}
    assert all(kept[row["student_no"]] == row["first_name"].strip() for row in rows if row["student_no"] in kept)
    assert {fault["code"] for faults in refused.values() for fault in faults} <= {"max_length"}
    assert len(kept) > 500


def test_the_report_cannot_run_in_a_spreadsheet(place: Path) -> None:
    rows = [{"code": code, "name": "x"} for code in ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "plain")]

    job = imported("departments", table(place, *rows))

    lines = "".join(services.report(job)).splitlines()[1:]
    cells = [line.split(",")[3] for line in lines]
    assert cells == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "x", "plain"]


# --- what the preview knows ---


def previewed(kind: str, place: Path, *rows: dict[str, Any]) -> list[tuple[int, str, str]]:
    """Return what the preview refuses, having made sure that applying refuses nothing else."""
    job = validated(kind, table(place, *rows))
    found = reasons(job)
    assert reasons(services.apply(job.pk, by=None)) == found
    return found


@pytest.mark.usefixtures("science")
def test_the_preview_knows_what_the_database_would_refuse_of_a_single_row(place: Path) -> None:
    course = {"title": "x", "department": "SCI"}
    rows = [{"code": "A", "credits": "-3", **course}, {"code": "B", "credits": "3", "credits_max": "2", **course}]

    assert previewed("courses", place, *rows) == [(2, "negative_credits", "credits"), (3, "bounds_reversed", "")]


def test_the_preview_knows_departments_that_lie_below_themselves(place: Path) -> None:
    DepartmentFactory(code="OLD")
    rows = [
        {"code": "A", "name": "x", "parent": "A"}, {"code": "B", "name": "x", "parent": "C"},
        {"code": "C", "name": "x", "parent": "B"}, {"code": "D", "name": "x", "parent": ""},
        {"code": "OLD", "name": "x", "parent": "OLD"},
    ]  # fmt: skip

    assert previewed("departments", place, *rows) == [
        (2, "unknown_reference", ""), (3, "unknown_reference", ""), (4, "unknown_reference", ""),
        (6, "department_cycle", ""),
    ]  # fmt: skip


@pytest.mark.usefixtures("science")
def test_all_that_is_wrong_with_a_row_is_said_at_once(place: Path, registrar: Any) -> None:
    create_custom_field(
        by=registrar, entity_type="students.student", name="shoe_size", label="Shoe size", field_type="number",
    )  # fmt: skip
    program = {"code": "BSC", "name": "x", "department": "SCI"}
    student = {"student_no": "S1", "surname": "King", "department": "NOWHERE", "custom.shoe_size": "large"}

    assert previewed("programs", place, {**program, "level": "guru", "total_credits": "many"}) == [
        (2, "invalid_format", "total_credits"), (2, "invalid_choice", "level"),
    ]  # fmt: skip
    both = previewed("programs", place, {**program, "level": "guru", "total_credits": "-1"})
    assert [field for _, _, field in both] == ["level", "total_credits"]
    assert [field for _, _, field in previewed("students", place, student)] == ["department", "custom_fields.shoe_size"]
