"""What can happen to students, and how it refuses."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection

from accounts.models import Person
from core.crud import EditConflictError
from core.errors import ConflictError, DomainError, InUseError, InvalidError, MissingError, ViolationsError
from core.models import OutboxEvent
from students import services
from students.models import (
    ProgramEnrollment,
    ProgramEnrollmentEvent,
    ProgramEnrollmentStatus,
    Student,
    StudentStatus,
    StudentStatusEvent,
)
from students.services.program_enrollments import TRANSITIONS as PROGRAM_TRANSITIONS
from students.services.students import TRANSITIONS
from tests.accounts.factories import UserFactory
from tests.departments.factories import DepartmentFactory, ProgramFactory, TermFactory
from tests.faculty.factories import FacultyFactory
from tests.students.factories import ProgramEnrollmentFactory, StudentFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)


def programs_of(student):
    rows = student.program_enrollments.order_by("created_at")
    return [(row.program, row.cohort, row.is_primary, row.status) for row in rows]


class TestCreateStudent:
    def test_records_the_person_and_the_student_together(self):
        department = DepartmentFactory()

        student = services.create_student(
            by=None, first_name="Ada", last_name="Lovelace", birth_date=date(1815, 12, 10), department=department
        )

        student.refresh_from_db()
        assert (student.person.name, student.person.birth_date) == ("Ada Lovelace", date(1815, 12, 10))
        assert (student.department, student.status) == (department, StudentStatus.ACTIVE)

    def test_issues_the_next_number_of_the_year_of_admission(self):
        values = {"by": None, "last_name": "L", "department": DepartmentFactory(), "admitted_on": date(2024, 9, 1)}

        first, second = services.create_student(**values), services.create_student(**values, student_no="")

        assert first.student_no[:5] == second.student_no[:5] == "S2024"
        assert int(second.student_no[5:]) == int(first.student_no[5:]) + 1
        assert len(first.student_no) == len("S2024000001")

    def test_passes_over_a_number_that_came_from_elsewhere(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval('students_student_no')")
            (last,) = cursor.fetchone()
        StudentFactory(student_no=f"S2024{last + 1:06}")

        student = services.create_student(
            by=None, last_name="L", department=DepartmentFactory(), admitted_on=date(2024, 9, 1)
        )

        assert student.student_no == f"S2024{last + 2:06}"

    def test_refuses_a_number_that_is_taken_and_records_nobody(self):
        StudentFactory(student_no="S1")

        with pytest.raises(ConflictError) as refused:
            services.create_student(by=None, last_name="L", student_no="S1", department=DepartmentFactory())

        assert (refused.value.error_code, refused.value.field) == ("student_no_taken", "student_no")
        assert (Student.objects.count(), Person.objects.count()) == (1, 1)

    def test_enrols_in_the_primary_program(self):
        program = ProgramFactory()

        student = services.create_student(
            by=None, last_name="L", department=program.department, program=program, cohort="2026", status="admitted"
        )

        assert programs_of(student) == [(program, "2026", True, "admitted")]

    def test_refuses_a_cohort_of_no_program(self):
        with pytest.raises(InvalidError) as refused:
            services.create_student(by=None, last_name="L", department=DepartmentFactory(), cohort="2026")

        assert refused.value.error_code == "cohort_without_program"
        assert not Student.objects.exists()

    def test_gives_one_more_part_to_a_person_who_is_known(self):
        person = FacultyFactory().person

        student = services.create_student(by=None, person=person, department=DepartmentFactory())

        assert student.person == person

    def test_a_person_who_is_known_keeps_the_data_on_record(self):
        person = FacultyFactory().person

        with pytest.raises(InvalidError) as refused:
            services.create_student(by=None, person=person, last_name="Other", department=DepartmentFactory())

        assert refused.value.error_code == "person_known"
        assert Person.objects.get().last_name == person.last_name
        assert not Student.objects.exists()

    def test_refuses_to_make_a_person_a_student_twice(self):
        person = StudentFactory().person

        with pytest.raises(ConflictError) as refused:
            services.create_student(by=None, person=person, department=DepartmentFactory())

        assert refused.value.error_code == "already_a_student"

    def test_says_what_is_wrong_with_the_person_and_with_the_student_at_once(self):
        with pytest.raises(ViolationsError) as refused:
            services.create_student(
                by=None, email="nowhere", preferred_contact="pigeon", department=DepartmentFactory()
            )

        assert {error.field for error in refused.value.violations} == {"last_name", "email", "preferred_contact"}
        assert not Person.objects.exists()

    def test_announces_the_student(self):
        student = services.create_student(by=None, last_name="L", department=DepartmentFactory())

        event = OutboxEvent.objects.get()
        assert event.name == "students.student.created"
        assert event.payload == {
            "student_id": str(student.pk),
            "person_id": str(student.person_id),
            "student_no": student.student_no,
            "status": "active",
        }


class TestUpdateStudent:
    def test_a_change_of_the_person_counts_as_one_of_the_student(self):
        student = StudentFactory()

        services.update_student(student, by=None, last_name="Byron")

        student = Student.objects.get()
        assert (student.person.last_name, student.version, student.person.version) == ("Byron", 2, 2)

    def test_the_same_values_again_change_nothing(self):
        student = StudentFactory(person__last_name="Byron")

        services.update_student(student, by=None, last_name="Byron", student_no=student.student_no, status="active")

        student = Student.objects.get()
        assert (student.version, student.person.version) == (1, 1)
        assert not StudentStatusEvent.objects.exists()

    def test_a_student_read_before_another_change_is_not_written_over(self):
        student = StudentFactory()
        stale = Student.objects.get()
        services.update_student(student, by=None, last_name="First")

        with pytest.raises(EditConflictError):
            services.update_student(stale, by=None, last_name="Second")

        assert Person.objects.get().last_name == "First"

    def test_refuses_another_number(self):
        student = StudentFactory()

        with pytest.raises(ConflictError) as refused:
            services.update_student(student, by=None, student_no="S9", last_name="Byron")

        assert (refused.value.error_code, refused.value.field) == ("student_no_immutable", "student_no")
        assert Person.objects.get().last_name != "Byron"

    def test_another_status_is_a_step_like_any_other(self):
        student = StudentFactory()

        services.update_student(student, by=None, status="suspended")

        assert Student.objects.get().status == "suspended"
        assert StudentStatusEvent.objects.get().to_status == "suspended"

    def test_another_program_takes_the_place_of_the_primary_one(self):
        student = ProgramEnrollmentFactory(is_primary=True, cohort="2025").student
        old, new = student.program_enrollments.get().program, ProgramFactory()

        services.update_student(student, by=None, program=new)

        assert programs_of(student) == [(old, "2025", False, "withdrawn"), (new, "2025", True, "active")]
        assert ProgramEnrollmentEvent.objects.get().reason == f"Changed to {new.code}."
        assert Student.objects.get().version > 1

    def test_a_completed_program_stays_completed_when_another_takes_its_place(self):
        student = ProgramEnrollmentFactory(is_primary=True, status="completed").student
        new = ProgramFactory()

        services.update_student(student, by=None, program=new, cohort="2026")

        assert [row[1:] for row in programs_of(student)] == [("", False, "completed"), ("2026", True, "active")]

    def test_a_program_the_student_is_in_already_becomes_the_primary_one(self):
        student = ProgramEnrollmentFactory(is_primary=True).student
        second = ProgramEnrollmentFactory(student=student)

        services.update_student(student, by=None, program=second.program, cohort="2026")

        second.refresh_from_db()
        assert (second.is_primary, second.cohort, student.program_enrollments.count()) == (True, "2026", 2)

    def test_a_cohort_alone_changes_that_of_the_primary_program(self):
        enrollment = ProgramEnrollmentFactory(is_primary=True)

        services.update_student(enrollment.student, by=None, cohort="2027")

        enrollment.refresh_from_db()
        assert (enrollment.cohort, enrollment.status) == ("2027", "active")
        assert Student.objects.get().version == 2

    def test_refuses_a_cohort_of_no_program(self):
        with pytest.raises(InvalidError) as refused:
            services.update_student(StudentFactory(), by=None, cohort="2027")

        assert refused.value.error_code == "cohort_without_program"

    def test_no_program_leaves_the_enrolment_but_makes_none_primary(self):
        enrollment = ProgramEnrollmentFactory(is_primary=True)

        services.update_student(enrollment.student, by=None, program=None)

        enrollment.refresh_from_db()
        assert (enrollment.is_primary, enrollment.status) == (False, "active")

    def test_a_step_beside_other_changes_is_taken(self):
        student = ProgramEnrollmentFactory(is_primary=True).student

        services.update_student(student, by=None, last_name="Byron", program=ProgramFactory(), status="suspended")

        student = Student.objects.with_program().get()
        assert (student.person.last_name, student.status, student.primary_enrollment.status) == (
            "Byron",
            "suspended",
            "suspended",
        )


class TestChangeStatus:
    @pytest.mark.parametrize("before", StudentStatus)
    @pytest.mark.parametrize("after", StudentStatus)
    def test_goes_the_documented_ways_only(self, before, after):
        student = StudentFactory(status=before)
        expected = after if after in TRANSITIONS[before] else before

        try:
            services.change_status(student, status=after, by=None, at=NOON)
            refused = None
        except DomainError as error:
            refused = error.error_code

        assert Student.objects.get().status == expected
        assert refused == (None if expected == after != before else "illegal_transition")

    def test_records_and_announces_the_step(self):
        student, actor = StudentFactory(), UserFactory()

        services.change_status(student, status="leave_of_absence", by=actor, at=NOON, reason="Parenthood")

        step = StudentStatusEvent.objects.get()
        assert (step.from_status, step.to_status, step.actor) == ("active", "leave_of_absence", actor)
        assert (step.reason, step.happened_at) == ("Parenthood", NOON)
        event = OutboxEvent.objects.get()
        assert (event.name, event.payload["to_status"]) == ("students.student.status_changed", "leave_of_absence")

    def test_a_refused_step_leaves_no_trace(self):
        student = StudentFactory(status="applicant")

        with pytest.raises(ConflictError) as refused:
            services.change_status(student, status="graduated", by=None, at=NOON)

        assert refused.value.meta == {"allowed": ["admitted", "withdrawn"]}
        assert not StudentStatusEvent.objects.exists()
        assert not OutboxEvent.objects.exists()

    def test_the_primary_program_goes_along_where_it_stood_alike(self):
        student = StudentFactory(status="applicant")
        primary = ProgramEnrollmentFactory(student=student, is_primary=True, status="applicant")
        second = ProgramEnrollmentFactory(student=student, status="applicant")

        services.change_status(student, status="admitted", by=None, at=NOON)

        primary.refresh_from_db()
        second.refresh_from_db()
        assert (primary.status, second.status) == ("admitted", "applicant")

    def test_a_leave_in_one_program_does_not_end_with_the_students_own(self):
        student = StudentFactory(status="suspended")
        enrollment = ProgramEnrollmentFactory(student=student, is_primary=True, status="leave_of_absence")

        services.change_status(student, status="active", by=None, at=NOON)

        enrollment.refresh_from_db()
        assert enrollment.status == "leave_of_absence"

    def test_an_end_ends_every_program_that_lasts(self):
        student = StudentFactory()
        ProgramEnrollmentFactory(student=student, is_primary=True)
        ProgramEnrollmentFactory(student=student, status="leave_of_absence")
        ProgramEnrollmentFactory(student=student, status="graduated")

        services.change_status(student, status="withdrawn", by=None, at=NOON)

        assert [row[3] for row in programs_of(student)] == ["withdrawn", "withdrawn", "graduated"]

    def test_completed_programs_graduate_with_the_student(self):
        enrollment = ProgramEnrollmentFactory(is_primary=True, status="completed")

        services.change_status(enrollment.student, status="graduated", by=None, at=NOON)

        enrollment.refresh_from_db()
        assert enrollment.status == "graduated"

    def test_nobody_graduates_with_a_program_under_way(self):
        enrollment = ProgramEnrollmentFactory(is_primary=True)

        with pytest.raises(ConflictError) as refused:
            services.change_status(enrollment.student, status="graduated", by=None, at=NOON)

        assert refused.value.error_code == "programs_open"
        assert Student.objects.get().status == "active"


class TestDeleteStudent:
    def test_deletes_the_person_and_the_programs_too(self):
        student = services.create_student(
            by=None, last_name="L", department=DepartmentFactory(), program=ProgramFactory()
        )

        services.delete_student(student, by=None)

        assert (Student.objects.count(), Person.objects.count(), ProgramEnrollment.objects.count()) == (0, 0, 0)

    @pytest.mark.parametrize(
        "other_part", [lambda person: FacultyFactory(person=person), lambda person: UserFactory(person=person)]
    )
    def test_leaves_a_person_who_has_another_part(self, other_part):
        student = StudentFactory()
        other_part(student.person)

        services.delete_student(student, by=None)

        assert (Student.objects.count(), Person.objects.count()) == (0, 1)

    def test_refuses_to_delete_a_history(self):
        student = StudentFactory()
        services.change_status(student, status="suspended", by=None, at=NOON)

        with pytest.raises(InUseError):
            services.delete_student(student, by=None)

        assert Student.objects.exists()

    def test_refuses_to_delete_the_history_of_a_program(self):
        enrollment = ProgramEnrollmentFactory()
        services.change_program_status(enrollment, status="suspended", by=None, at=NOON)

        with pytest.raises(InUseError):
            services.delete_student(enrollment.student, by=None)

        assert ProgramEnrollment.objects.exists()


class TestProgramEnrollments:
    def test_the_first_program_is_the_primary_one(self):
        student, term = StudentFactory(), TermFactory()

        first = services.enrol_in_program(
            by=None, student=student, program=ProgramFactory(), cohort="2026", start_term=term
        )
        second = services.enrol_in_program(by=None, student=student, program=ProgramFactory())

        assert (first.is_primary, first.start_term, second.is_primary) == (True, term, False)

    def test_a_program_after_one_that_ended_is_the_primary_one(self):
        ended = ProgramEnrollmentFactory(is_primary=True, status="graduated", student__status="graduated")

        enrollment = services.enrol_in_program(by=None, student=ended.student, program=ProgramFactory())

        ended.refresh_from_db()
        assert (enrollment.is_primary, enrollment.status, ended.is_primary) == (True, "admitted", False)

    def test_the_one_made_primary_takes_the_place_of_another(self):
        first = ProgramEnrollmentFactory(is_primary=True)
        second = ProgramEnrollmentFactory(student=first.student)

        services.update_program_enrollment(second, by=None, is_primary=True)

        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.is_primary, second.is_primary) == (False, True)
        assert Student.objects.get().version == 2

    def test_refuses_to_enrol_twice_in_one_program_at_a_time(self):
        enrollment = ProgramEnrollmentFactory()

        with pytest.raises(ConflictError) as refused:
            services.enrol_in_program(by=None, student=enrollment.student, program=enrollment.program)

        assert refused.value.error_code == "already_in_program"

    def test_refuses_a_student_who_has_been_deleted(self):
        student = StudentFactory()
        Student.objects.filter(pk=student.pk).delete()

        with pytest.raises(MissingError):
            services.enrol_in_program(by=None, student=student, program=ProgramFactory())

    def test_announces_the_enrolment(self):
        enrollment = services.enrol_in_program(by=None, student=StudentFactory(), program=ProgramFactory())

        event = OutboxEvent.objects.get()
        assert (event.name, event.payload["program_id"]) == (
            "students.program_enrollment.created",
            str(enrollment.program_id),
        )

    @pytest.mark.parametrize("before", ProgramEnrollmentStatus)
    @pytest.mark.parametrize("after", ProgramEnrollmentStatus)
    def test_goes_the_documented_ways_only(self, before, after):
        enrollment = ProgramEnrollmentFactory(status=before)
        expected = after if after in PROGRAM_TRANSITIONS[before] else before

        try:
            services.change_program_status(enrollment, status=after, by=None, at=NOON)
            refused = None
        except DomainError as error:
            refused = error.error_code

        assert ProgramEnrollment.objects.get().status == expected
        assert refused == (None if expected == after != before else "illegal_transition")

    def test_records_and_announces_a_step(self):
        enrollment, actor = ProgramEnrollmentFactory(), UserFactory()

        services.update_program_enrollment(enrollment, by=actor, status="suspended", cohort="2026")

        step = ProgramEnrollmentEvent.objects.get()
        assert (step.program_enrollment, step.to_status, step.actor) == (enrollment, "suspended", actor)
        assert OutboxEvent.objects.get().name == "students.program_enrollment.status_changed"
        enrollment.refresh_from_db()
        assert (enrollment.cohort, enrollment.status) == ("2026", "suspended")

    def test_one_recorded_by_mistake_is_deleted(self):
        enrollment = ProgramEnrollmentFactory(is_primary=True)

        services.delete_program_enrollment(enrollment, by=None)

        assert not ProgramEnrollment.objects.exists()
        assert Student.objects.get().version == 2

    def test_one_with_a_history_is_not_deleted(self):
        enrollment = ProgramEnrollmentFactory()
        services.change_program_status(enrollment, status="suspended", by=None, at=NOON)

        with pytest.raises(InUseError):
            services.delete_program_enrollment(enrollment, by=None)

        assert ProgramEnrollment.objects.exists()
