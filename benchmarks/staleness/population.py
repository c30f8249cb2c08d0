"""The rows that are written and the accounts that read them, in a stack's database: made once, found again later.

Runs in the environment of the stack's own programs and prints what the checker has to know, as JSON.
"""

import json
import os
import sys
from datetime import date, time
from typing import Any

MAIL = "stale.example"
LEFT = "somebody-who-has-left"
# Who reads, in which role, within the department of which part; the last one logs out before.
READERS = {
    "registrar": ("registrar", ""),
    "head-of-north": ("department_head", "north"),
    "head-of-south": ("department_head", "south"),
    "somebody-without-a-role": ("", ""),
    LEFT: ("auditor", ""),
}
PARTS = ("north", "south")


def populate(password: str) -> dict[str, Any]:
    """Return the ids of the rows by what they are called."""
    from departments.models import Campus, Department, Program
    from departments.services import create_campus, create_department, create_program
    from students.models import Student
    from students.services import create_student

    ids = {"campus": _row(Campus, create_campus, code="STALE", name="Stale", time_zone="UTC")}
    for part in PARTS:
        department = _row(Department, create_department, code=f"STALE-{part.upper()}", name=part)
        ids[f"{part}-department"] = department
        program = _row(
            Program,
            create_program,
            code=f"STALE-{part.upper()}",
            name=part,
            level="bachelor",
            department=department,
            total_credits=180,
        )
        number = f"STALE-{part.upper()}"
        student = Student.objects.filter(student_no=number).first() or create_student(
            by=None, student_no=number, first_name="Stale", last_name=part.title(), department=department,
            program=program, cohort="none",
        )  # fmt: skip
        ids |= {f"{part}-program": program, f"{part}-student": student}
    ids |= _taught(ids["north-department"])
    for name, (role, part) in READERS.items():
        _account(name, role, ids.get(f"{part}-department"), password)
    return {name: str(row.pk) for name, row in ids.items()}


def _taught(department: Any) -> dict[str, Any]:
    """Return a course with two sections, each of which meets."""
    from courses.models import Course, Section
    from courses.services import create_course, create_meeting, create_section
    from departments.models import AcademicYear, Term
    from departments.services import create_academic_year, create_term

    days = {"starts_on": date(2098, 1, 1), "ends_on": date(2098, 6, 30)}
    year = _row(AcademicYear, create_academic_year, code="STALE", name="Stale", **days)
    term = _row(Term, create_term, code="STALE", name="Stale", academic_year=year, **days)
    course = _row(Course, create_course, code="STALE", title="Stale", credits=3, department=department)
    ids = {"course": course}
    for place, part in enumerate(PARTS):
        # The code is what is written of them.
        section = Section.objects.filter(course=course).order_by("created_at")[place : place + 1].first()
        if section is None:
            section = create_section(by=None, course=course, term=term, code=part, capacity=30)
            create_meeting(by=None, sections=[section], weekday=1, starts_at=time(9), ends_at=time(10))
        ids[f"{part}-section"] = section
    return ids


def _row(model: Any, create: Any, **values: Any) -> Any:
    return model.objects.filter(code=values["code"]).first() or create(by=None, **values)


def _account(name: str, role: str, department: Any, password: str) -> None:
    from accounts import services
    from accounts.models import Person, RoleAssignment, User

    email = f"{name}@{MAIL}"
    user = User.objects.filter(email=email).first()
    if user is None:
        person = Person.objects.create(first_name="Stale", last_name=name)
        user = services.create_demo_user(email=email, password=password, person=person, is_staff=False)
    else:
        services.set_demo_password(user, password=password)
    if role and not RoleAssignment.objects.filter(user=user).exists():
        scope = {"scope_kind": "department", "scope_id": department.pk} if department is not None else {}
        services.assign_role(by=None, user=user, role=role, **scope)


if __name__ == "__main__":
    import django

    django.setup()
    sys.stdout.write(json.dumps(populate(os.environ["DEMO_PASSWORD"])))
