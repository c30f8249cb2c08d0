"""Taking an import back brings every row back as it was, or refuses and changes nothing."""

from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import RoleAssignment, User
from accounts.roles import Role
from core.customfields.services import create_custom_field
from core.errors import DomainError, InUseError, OutOfScopeError
from courses.models import Meeting, Section
from courses.services import lock_sections
from departments.models import Department, Term
from departments.services import bulk as departments_bulk
from departments.services import move_term, update_department, update_term
from enrollment.services import enroll
from interop import services
from interop.models import ImportJob, ImportState
from interop.services import ChangedSinceError, TransitionError
from interop.targets.locking import lock_in_order
from students.models import ProgramEnrollment, Student, StudentStatusEvent
from students.services import lock_students, update_student
from tests.courses.factories import CourseFactory, SectionFactory
from tests.departments.factories import (
    BuildingFactory,
    CampusFactory,
    DepartmentFactory,
    ProgramFactory,
    RoomFactory,
    TermFactory,
)
from tests.enrollment.factories import EnrollmentFactory
from tests.faculty.factories import FacultyFactory
from tests.interop.data import dump
from tests.interop.importing import imported, table, totals
from tests.racing import at_once, while_uncommitted
from tests.students.factories import StudentFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


def revert(job: ImportJob, **more: Any) -> ImportJob:
    return services.revert(job.pk, by=None, **more)


def test_what_was_changed_is_as_it_was_to_the_last_column(place: Path, registrar: Any) -> None:
    create_custom_field(
        by=registrar, entity_type="students.student", name="locker", label="Locker", field_type="text",
        unique_values=True,
    )  # fmt: skip
    DepartmentFactory(code="SCI")
    student = StudentFactory(student_no="S1", person__first_name="Augusta", department__code="ART")
    update_student(student, by=None, custom_fields={"locker": "A1"})
    before = dump()
    rows = [
        {"student_no": "S1", "last_name": "King", "department": "SCI", "custom.locker": "B2", "email": "a@example.org"},
        {"student_no": "S2", "last_name": "Hopper", "department": "SCI", "custom.locker": "C3", "email": ""},
    ]
    job = imported("students", table(place, *rows))
    assert totals(job) == (1, 1, 0, 0)
    assert dump() != before

    reverted = revert(job)

    assert dump() == before
    assert reverted.state == ImportState.REVERTED
    assert reverted.reverted_at is not None


def test_every_kind_of_row_is_as_it_was(place: Path) -> None:
    course = CourseFactory(code="CS1", department__code="SCI")
    term = TermFactory(code="2026F")
    RoomFactory(code="101", building=BuildingFactory(code="MAIN", campus=CampusFactory(code="CAM")))
    for number in (1, 2):
        FacultyFactory(employee_no=f"E{number}")
        StudentFactory(student_no=f"S{number}")
    ProgramFactory(code="BSC")
    section = SectionFactory(code="01", course=course, term=term, capacity=2)
    EnrollmentFactory(section=section, student=Student.objects.get(student_no="S1"))
    at = {"course_code": "CS1", "term": "2026F"}
    tables: dict[str, list[dict[str, str]]] = {
        "departments": [{"code": "SCI", "name": "Sciences"}, {"code": "PHY", "name": "Physics", "parent": "SCI"}],
        "programs": [{"code": "BSC", "name": "Bachelor of Everything"}],
        "faculty": [{"employee_no": "E1", "surname": "Noether", "rank": "professor"}],
        "courses": [{"code": "CS1", "title": "Computing", "description": "All of it."}],
        "sections": [
            {**at, "section_code": "01", "capacity": "3", "instructor": "E1;E2", "days": "MW", "starts": "09:00",
             "ends": "10:00", "building": "MAIN", "room": "101"},
            {**at, "section_code": "02", "capacity": "5", "instructor": "E2"},
        ],
        "enrollments": [
            {**at, "student": "S1", "section": "01", "result": "pass"},
            {**at, "student": "S2", "section": "01"},
        ],
        "students": [{"student_no": "S2", "program": "BSC", "cohort": "2026", "phone": "12345"}],
    }  # fmt: skip
    for kind, rows in tables.items():
        before = dump()
        job = imported(kind, table(place, *rows))
        assert totals(job)[3] == 0, kind
        assert dump() != before, kind

        revert(job)

        assert dump() == before, kind


def test_imports_on_top_of_each_other_are_taken_back_one_by_one(place: Path) -> None:
    states, jobs = [dump()], []
    for name in ("Physics", "Physics and more", "Natural philosophy"):
        jobs.append(imported("departments", table(place, {"code": "PHY", "name": name})))
        states.append(dump())

    for job in reversed(jobs):
        states.pop()
        revert(job)
        assert dump() == states[-1]


def test_a_meeting_leaves_the_sections_that_were_there_before_as_they_were(place: Path) -> None:
    course = CourseFactory(code="CS1")
    SectionFactory(code="01", course=course, term=TermFactory(code="2026F"), capacity=30)
    row = {
        "course_code": "CS1",
        "section_code": "01",
        "term": "2026F",
        "days": "MTWRF",
        "starts": "9:00",
        "ends": "9:50",
    }
    before = dump()
    job = services.from_path(by=None, kind="sections", path=table(place, row))
    services.validate(job.pk, by=None, chunk_size=2)

    services.apply(job.pk, by=None, chunk_size=2)

    assert Meeting.objects.count() == 5
    assert Section.objects.get().version > 1
    services.revert(job.pk, by=None, chunk_size=3)
    assert dump() == before


def test_seats_that_an_import_has_granted_are_given_back(place: Path) -> None:
    section = SectionFactory(code="01", course__code="CS1", term__code="2026F", capacity=0)
    StudentFactory(student_no="S1")
    before = dump()
    row = {"student": "S1", "course": "CS1", "section": "01", "term": "2026F"}
    job = imported("enrollments", table(place, row), options={"beyond_capacity": True})
    section.refresh_from_db()
    assert (section.override_seats, section.enrolled_count) == (1, 1)

    revert(job)

    assert dump() == before


def test_a_row_that_somebody_has_changed_since_stands_in_the_way(place: Path) -> None:
    job = imported("departments", table(place, {"code": "PHY", "name": "Physics"}, {"code": "ART", "name": "Arts"}))
    update_department(Department.objects.get(code="PHY"), by=None, name="Physics!")
    between = dump()

    with pytest.raises(ChangedSinceError) as refusal:
        revert(job)

    assert refusal.value.error_code == "changed_since_import"
    assert refusal.value.meta["count"] == 1
    assert dump() == between
    job.refresh_from_db()
    assert job.state == ImportState.APPLIED


def test_force_takes_back_what_was_changed_since(place: Path) -> None:
    DepartmentFactory(code="PHY", name="Physics")
    before = dump()
    job = imported("departments", table(place, {"code": "PHY", "name": "Natural philosophy"}))
    update_department(Department.objects.get(code="PHY"), by=None, name="Physics!")

    revert(job, force=True)

    assert dump() == before


@pytest.mark.parametrize("force", [False, True])
def test_a_row_that_others_refer_to_by_now_stands_in_the_way(place: Path, force: bool) -> None:
    job = imported("departments", table(place, {"code": "PHY", "name": "Physics"}))
    DepartmentFactory(code="LAB", parent=Department.objects.get(code="PHY"))
    between = dump()

    with pytest.raises(InUseError) as refusal:
        revert(job, force=force)

    assert "departments PHY" in refusal.value.detail
    assert refusal.value.meta["rows"] == [
        {"resource": "departments", "natural_key": "PHY", "id": str(Department.objects.get(code="PHY").pk)}
    ]
    assert dump() == between
    job.refresh_from_db()
    assert job.errors[0]["meta"]["rows"][0]["natural_key"] == "PHY"


def test_of_many_rows_that_others_refer_to_ten_are_named(place: Path) -> None:
    job = imported("departments", table(place, *[{"code": f"D{number:02}", "name": "x"} for number in range(13)]))
    for department in Department.objects.exclude(code="D00"):
        DepartmentFactory(parent=department)
    between = dump()

    with pytest.raises(InUseError) as refusal:
        revert(job)

    assert [row["natural_key"] for row in refusal.value.meta["rows"]] == [f"D{12 - place:02}" for place in range(10)]
    assert dump() == between


def test_an_earlier_import_waits_for_the_later_one_on_the_same_rows(place: Path) -> None:
    first = imported("departments", table(place, {"code": "PHY", "name": "Physics"}))
    second = imported("departments", table(place, {"code": "PHY", "name": "Natural philosophy"}))

    with pytest.raises(ChangedSinceError):
        revert(first)
    revert(second)
    revert(first)

    assert not Department.objects.exists()


def test_a_status_that_is_taken_back_is_one_more_step_in_its_history(place: Path) -> None:
    student = StudentFactory(student_no="S1", status="active")
    job = imported("students", table(place, {"student_no": "S1", "status": "suspended"}))

    revert(job)

    student.refresh_from_db()
    assert (student.status, student.version) == ("active", 1)
    steps = StudentStatusEvent.objects.order_by("happened_at").values_list("from_status", "to_status")
    assert list(steps) == [("active", "suspended"), ("suspended", "active")]


def test_a_program_that_came_with_an_import_goes_with_it(place: Path) -> None:
    ProgramFactory(code="BSC")
    StudentFactory(student_no="S1")
    before = dump()
    job = imported("students", table(place, {"student_no": "S1", "program": "BSC"}))
    assert ProgramEnrollment.objects.exists()

    revert(job)

    assert dump() == before


def test_only_what_is_in_force_is_taken_back(place: Path) -> None:
    job = services.from_path(by=None, kind="departments", path=table(place, {"code": "PHY", "name": "Physics"}))
    with pytest.raises(TransitionError):
        revert(job)
    services.validate(job.pk, by=None)
    with pytest.raises(TransitionError):
        revert(job)
    services.apply(job.pk, by=None)
    revert(job)
    with pytest.raises(TransitionError):
        revert(job)


def test_what_stood_in_the_way_is_kept_on_the_job_until_it_is_taken_back(place: Path) -> None:
    job = imported("departments", table(place, {"code": "PHY", "name": "Physics"}))
    update_department(Department.objects.get(code="PHY"), by=None, name="Physics!")
    services.request_reversal(job, by=None)
    assert job.state == ImportState.REVERTING

    with pytest.raises(ChangedSinceError):
        services.take_back(job.pk)

    job.refresh_from_db()
    assert (job.state, job.percent, job.reversal) == (ImportState.APPLIED, 100, {})
    assert [error["code"] for error in job.errors] == ["changed_since_import"]
    assert revert(job, force=True).errors == []


def test_what_taking_back_did_is_counted(place: Path) -> None:
    DepartmentFactory(code="PHY", name="Natural philosophy")
    DepartmentFactory(code="CHE", name="Chemistry")
    rows = [{"code": code, "name": name} for code, name in (("PHY", "Physics"), ("CHE", "Chemistry"), ("ART", "Arts"))]
    job = imported("departments", table(place, *rows))

    found = services.reversal_summary(revert(job))

    counts = {"created": 0, "updated": 1, "unchanged": 1, "rejected": 0, "deleted": 1}
    assert found["by_type"] == {"departments": counts}
    assert {name: found[name] for name in (*counts, "rows")} == {**counts, "rows": 3}


def test_what_nobody_asked_for_is_not_taken_back(place: Path) -> None:
    job = imported("departments", table(place, {"code": "PHY", "name": "Physics"}))

    with pytest.raises(TransitionError):
        services.take_back(job.pk)

    assert Department.objects.exists()


def test_nobody_takes_back_what_is_beyond_their_role(place: Path, user_with: Any) -> None:
    job = imported("departments", table(place, {"code": "PHY", "name": "Physics"}))

    with pytest.raises(OutOfScopeError):
        services.request_reversal(job, by=user_with(Role.STUDENT))

    job.refresh_from_db()
    assert job.state == ImportState.APPLIED


@pytest.mark.checklist(11)
@pytest.mark.parametrize("cause", ["role", "account"])
def test_one_whose_right_ended_since_it_was_asked_for_is_refused(place: Path, registrar: Any, cause: str) -> None:
    job = imported("departments", table(place, {"code": "PHY", "name": "Physics"}))
    services.request_reversal(job, by=registrar)
    if cause == "role":
        RoleAssignment.objects.filter(user=registrar).delete()
    else:
        User.objects.filter(pk=registrar.pk).update(is_active=False)

    with pytest.raises(OutOfScopeError):
        services.take_back(job.pk)

    job.refresh_from_db()
    assert (job.state, job.errors[0]["code"]) == (ImportState.APPLIED, "out_of_scope")
    assert Department.objects.exists()


def test_the_same_file_may_come_into_force_while_another_import_of_it_is_being_taken_back(place: Path) -> None:
    first = imported("departments", table(place, {"code": "PHY", "name": "Physics"}))
    DepartmentFactory(code="LAB", parent=Department.objects.get(code="PHY"))
    services.request_reversal(first, by=None)
    Department.objects.filter(code="PHY").update(name="Natural philosophy")
    assert imported("departments", place, options={"overwrite_edited": True}).state == ImportState.APPLIED
    ImportJob.objects.exclude(pk=first.pk).update(is_forced=False)

    with pytest.raises(DomainError):
        services.take_back(first.pk)

    first.refresh_from_db()
    assert (first.state, first.is_forced) == (ImportState.APPLIED, True)
    assert [error["code"] for error in first.errors] == ["changed_since_import", "already_imported"]


def test_a_file_may_be_imported_again_once_it_was_taken_back(place: Path) -> None:
    job = imported("departments", table(place, {"code": "PHY", "name": "Physics"}))
    Department.objects.all().delete()
    with pytest.raises(DomainError) as refusal:
        imported("departments", place)
    assert refusal.value.error_code == "already_imported"

    DepartmentFactory(pk=None or job.rows.get().object_id, code="PHY", name="Physics")
    revert(job)

    assert totals(imported("departments", place)) == (1, 0, 0, 0)


def test_a_term_stays_in_the_state_that_it_was_moved_to(registrar: Any) -> None:
    term = TermFactory(code="2026F", state="registration", name="Autumn")
    kept = departments_bulk.keep_many(model=Term, ids=[term.pk])[term.pk]
    update_term(term, by=None, name="Fall")
    move_term(term, state="in_progress", by=registrar, at=timezone.now())

    departments_bulk.restore_many(kept=kept)

    term.refresh_from_db()
    assert (term.name, term.state) == ("Autumn", "in_progress")
    assert [step.to_state for step in term.state_events.all()] == ["in_progress"]


@pytest.mark.django_db(transaction=True)
def test_students_are_locked_before_sections_whatever_is_taken_back_first() -> None:
    row = EnrollmentFactory()
    ids = {"enrollments": {row.pk}, "sections": {row.section_id}, "students": {row.student_id}}

    @transaction.atomic
    def lock_all() -> str:
        lock_in_order(ids)
        return "locked"

    outcome = while_uncommitted(
        lambda: lock_students([row.student_id]), lock_all, then=lambda: lock_sections([row.section_id])
    )

    assert outcome == "locked"


@pytest.mark.django_db(transaction=True)
def test_taking_an_import_back_and_enrolling_wait_for_each_other_in_one_order(place: Path) -> None:
    student = StudentFactory(student_no="S1")
    section = SectionFactory()
    job = imported("students", table(place, {"student_no": "S1", "phone": "12345"}))

    outcomes = at_once(lambda: revert(job).state, lambda: enroll(student=student, section=section, by=None).status)

    assert outcomes == [ImportState.REVERTED, "enrolled"]
