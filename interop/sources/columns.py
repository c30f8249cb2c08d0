"""The columns that a plain table of each kind may have, and the other names they go by."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from interop.sources import cells


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a kind: its name, other names it goes by, and how its cells are read.

    One that is `required` is part of what rows are recognised by. One that is needed `for_new` rows may be
    missing from a file that changes rows which exist.
    """

    name: str
    read: Callable[[str], Any] = cells.text
    synonyms: tuple[str, ...] = ()
    required: bool = False
    for_new: bool = False


def column(
    name: str,
    read: Callable[[str], Any] = cells.text,
    *synonyms: str,
    required: bool = False,
    for_new: bool = False,
) -> Column:
    return Column(name, read, synonyms, required, for_new)


PERSON = (
    column("first_name", cells.text, "given_name", "forename"),
    column("last_name", cells.text, "family_name", "surname", for_new=True),
    column("preferred_name", cells.text, "nickname"),
    column("email", cells.code, "e_mail", "mail", "email_address"),
    column("phone", cells.code, "telephone", "mobile"),
    column("birth_date", cells.day, "date_of_birth", "dob", "birthday"),
    column("gender", cells.gender, "sex"),
    column("nationality", cells.code, "citizenship"),
)
DEPARTMENT = column("department", cells.code, "department_code", "dept", "org_unit", for_new=True)
ACTIVE = column("is_active", cells.boolean, "active")
COURSE = column("course_code", cells.code, "course", required=True)
SECTION = column("section_code", cells.code, "section", "code", required=True)
TERM = column("term", cells.code, "term_code", "semester", required=True)

COLUMNS: dict[str, tuple[Column, ...]] = {
    "students": (
        column("student_no", cells.code, "student_number", "student_id", "matriculation_number", required=True),
        *PERSON,
        DEPARTMENT,
        column("program", cells.code, "program_code", "programme", "degree_program"),
        column("cohort", cells.code, "batch"),
        column("status", cells.lowered, "student_status"),
        column("admitted_on", cells.day, "admission_date", "admitted"),
    ),
    "faculty": (
        column("employee_no", cells.code, "employee_number", "employee_id", "staff_number", required=True),
        *PERSON,
        column("rank", cells.lowered, "academic_rank", "title", for_new=True),
        column("employment_type", cells.lowered, "employment"),
        DEPARTMENT,
        column("status", cells.lowered, "employment_status"),
        column("fte", cells.number, "full_time_equivalent"),
        column("appointed_on", cells.day, "appointment_date", "hired_on"),
    ),
    "departments": (
        column("code", cells.code, "department_code", required=True),
        column("name", cells.text, "department_name", for_new=True),
        column("kind", cells.lowered, "type"),
        column("parent", cells.code, "parent_code", "parent_department"),
        ACTIVE,
    ),
    "programs": (
        column("code", cells.code, "program_code", "programme_code", required=True),
        column("name", cells.text, "program_name", "title", for_new=True),
        column("level", cells.lowered, "degree_level", for_new=True),
        DEPARTMENT,
        column("total_credits", cells.number, "credits", for_new=True),
        ACTIVE,
    ),
    "courses": (
        column("code", cells.code, "course_code", required=True),
        column("title", cells.text, "name", "course_title", for_new=True),
        DEPARTMENT,
        column("level", cells.lowered, "course_level"),
        column("credits", cells.number, "credit_hours", "ects", for_new=True),
        column("credits_max", cells.number, "max_credits"),
        column("description", cells.text),
        column("is_repeatable", cells.boolean, "repeatable"),
        ACTIVE,
    ),
    "sections": (
        COURSE,
        SECTION,
        TERM,
        column("campus", cells.code, "campus_code"),
        column("mode", cells.lowered, "delivery_mode"),
        column("capacity", cells.whole, "seats", "max_enrollment"),
        column("waitlist_capacity", cells.whole, "waitlist"),
        column("instructor", cells.several, "instructors", "employee_no"),
        column("days", cells.days, "weekdays", "days_of_week"),
        column("starts", cells.clock, "start_time", "starts_at"),
        column("ends", cells.clock, "end_time", "ends_at"),
        column("building", cells.code, "building_code"),
        column("room", cells.code, "room_code"),
    ),
    "enrollments": (
        column("student_no", cells.code, "student_number", "student_id", "student", required=True),
        COURSE,
        SECTION,
        TERM,
        column("status", cells.lowered, "enrollment_status"),
        column("result", cells.lowered, "final_result", "outcome"),
        column("credits", cells.number),
        column("grade_basis", cells.lowered),
        column("attempt_no", cells.whole, "attempt"),
        column("enrolled_at", cells.instant, "enrolled_on", "registered_on", "registration_date"),
        column("dropped_at", cells.instant, "dropped_on", "withdrawn_on", "drop_date"),
    ),
    "attendance": (
        column(
            "student_no",
            cells.exported,
            "student_number",
            "student_id",
            "student",
            "matriculation_number",
            required=True,
        ),
        column("term", cells.exported, "term_code", "semester", required=True),
        column("course_code", cells.exported, "course", required=True),
        column("section_code", cells.exported, "section", required=True),
        column("starts_at", cells.moment, "date", "class_date", "session_date", "session", "begins_at", required=True),
        column("code", cells.lowered, "attendance_code", "mark", "status", "attendance", required=True),
        column("minutes_late", cells.whole, "late_minutes", "minutes"),
    ),
}


def template(kind: str) -> list[str]:
    """Return the header of a table of this kind."""
    return [spec.name for spec in COLUMNS[kind]]
