"""Enrolling and leaving: what the services promise and refuse."""

from decimal import Decimal

import pytest

from accounts.roles import Role
from core.crud import EditConflictError
from core.errors import DomainError
from core.models import OutboxEvent
from core.relay import Relay
from courses.models import Section
from courses.services import SectionFullError, move_section
from enrollment import services
from enrollment.models import LIVE, Enrollment, EnrollmentEvent, EnrollmentStatus
from tests.accounts.factories import RoleAssignmentFactory
from tests.courses.factories import CourseFactory, SectionFactory
from tests.departments.factories import DepartmentFactory
from tests.enrollment.factories import NOON, EnrollmentFactory
from tests.students.factories import ProgramEnrollmentFactory, StudentFactory

pytestmark = pytest.mark.django_db


def enroll(section, student=None, **values):
    return services.enroll(student=student or StudentFactory(), section=section, by=None, at=NOON, **values)


def seats(section):
    return Section.objects.values_list("enrolled_count", flat=True).get(pk=section.pk)


def codes(error):
    return [violation.error_code for violation in error.value.violations]


class TestEnroll:
    def test_a_student_gets_a_seat_a_record_and_an_announcement(self, registrar):
        section, student = SectionFactory(), StudentFactory()

        enrollment = services.enroll(student=student, section=section, by=registrar, at=NOON, reason="Asked by mail.")

        assert (enrollment.status, enrollment.course, enrollment.term) == ("enrolled", section.course, section.term)
        assert (enrollment.credits, enrollment.enrolled_at, enrollment.attempt_no) == (3, NOON, 1)
        assert seats(section) == 1
        step = EnrollmentEvent.objects.get()
        assert (step.from_status, step.to_status, step.actor, step.reason) == (
            "", "enrolled", registrar, "Asked by mail.",
        )  # fmt: skip
        event = OutboxEvent.objects.get()
        assert (event.name, event.payload["enrollment_id"]) == ("enrollment.enrolled", str(enrollment.pk))

    @pytest.mark.parametrize(
        ("section", "student", "code"),
        [
            ({"term__state": "planned"}, {}, "term_closed"),
            ({"term__state": "grading"}, {}, "term_closed"),
            ({"term__state": "archived"}, {}, "term_closed"),
            ({"status": "cancelled"}, {}, "section_cancelled"),
            ({"status": "planned"}, {}, "section_not_open"),
            ({"status": "completed"}, {}, "section_not_open"),
            ({"capacity": 0}, {}, "section_full"),
            ({}, {"status": "suspended"}, "student_not_active"),
        ],
    )
    def test_each_rule_refuses(self, section, student, code):
        with pytest.raises(DomainError) as refused:
            enroll(SectionFactory(**section), StudentFactory(**student))

        assert codes(refused) == [code]
        assert not Enrollment.objects.exists()
        assert not OutboxEvent.objects.exists()

    def test_all_rules_refuse_at_once(self):
        section = SectionFactory(term__state="grading", status="closed", capacity=1)
        student = EnrollmentFactory(section=section, student__status="suspended").student

        with pytest.raises(DomainError) as refused:
            enroll(section, student)

        assert codes(refused) == [
            "student_not_active", "term_closed", "section_not_open", "section_full", "duplicate_enrollment",
        ]  # fmt: skip

    @pytest.mark.parametrize(("places", "available"), [(0, False), (1, True)])
    def test_a_full_section_says_whether_one_can_wait(self, places, available):
        with pytest.raises(SectionFullError) as refused:
            enroll(SectionFactory(capacity=0, waitlist_capacity=places))

        assert refused.value.meta == {"capacity": 0, "seats_left": 0, "waitlist_available": available}

    def test_a_late_student_enrols_while_the_section_is_open(self):
        enroll(SectionFactory(term__state="in_progress"))

    def test_another_section_of_the_course_is_a_duplicate_unless_it_may_be_repeated(self):
        first = enroll(SectionFactory())
        parallel = SectionFactory(course=first.course, term=first.term)

        with pytest.raises(services.DuplicateEnrollmentError) as refused:
            enroll(parallel, first.student)
        assert refused.value.meta == {"enrollment": str(first.pk)}

        repeatable = CourseFactory(is_repeatable=True)
        one = SectionFactory(course=repeatable)
        enroll(one, first.student)
        enroll(SectionFactory(course=repeatable, term=one.term), first.student)
        with pytest.raises(services.DuplicateEnrollmentError):
            enroll(one, first.student)

    def test_attempts_are_counted_from_what_is_on_record(self):
        course, student = CourseFactory(), StudentFactory()
        for status, left in [("completed", None), ("withdrawn", NOON), ("dropped", NOON)]:
            row = EnrollmentFactory(
                student=student, section=SectionFactory(course=course), status=status, dropped_at=left
            )
            Enrollment.objects.filter(pk=row.pk).update(attempt_no=Enrollment.objects.count())

        assert enroll(SectionFactory(course=course), student).attempt_no == 3

    @pytest.mark.parametrize(("wanted", "is_counted"), [("1", True), ("4", True), ("4.01", False), ("0", False)])
    def test_variable_credit_stays_within_the_bounds_of_the_course(self, wanted, is_counted):
        section = SectionFactory(course__credits=Decimal(1), course__credits_max=Decimal(4))

        if is_counted:
            assert enroll(section, credits=Decimal(wanted)).credits == Decimal(wanted)
        else:
            with pytest.raises(services.CreditsOutOfRangeError):
                enroll(section, credits=Decimal(wanted))

    def test_credits_out_of_range_are_told_with_everything_else(self):
        section = SectionFactory(capacity=0, status="closed")

        with pytest.raises(DomainError) as refused:
            enroll(section, credits=Decimal(2))

        assert codes(refused) == ["section_not_open", "section_full", "credits_out_of_range"]

    def test_nobody_waives_how_many_credits_a_course_counts(self):
        with pytest.raises(services.CreditsOutOfRangeError):
            enroll(SectionFactory(capacity=0), credits=Decimal(2), override=True)

        assert not Enrollment.objects.exists()
        assert Section.objects.get().override_seats == 0

    def test_fixed_credit_is_fixed(self):
        with pytest.raises(services.CreditsOutOfRangeError):
            enroll(SectionFactory(), credits=Decimal(2))


class TestOverride:
    def test_what_was_waived_is_on_record_and_a_full_section_gets_one_seat_more(self, registrar):
        section = SectionFactory(status="closed", capacity=1)
        EnrollmentFactory(section=section)

        services.enroll(
            student=StudentFactory(status="suspended"), section=section, by=registrar, at=NOON, override=True
        )

        section.refresh_from_db()
        assert (section.enrolled_count, section.override_seats) == (2, 1)
        assert EnrollmentEvent.objects.get().overridden == ["student_not_active", "section_not_open", "section_full"]

    def test_it_takes_a_permission(self, user_with):
        with pytest.raises(services.OverrideNotPermittedError):
            services.enroll(
                student=StudentFactory(), section=SectionFactory(capacity=0), by=user_with(Role.STUDENT, "self"),
                at=NOON, override=True,
            )  # fmt: skip

    @pytest.mark.parametrize("scope", ["department", "section"])
    def test_whoever_holds_it_for_a_unit_waives_the_rules_of_its_sections_alone(self, user_with, scope):
        own, other = SectionFactory.create_batch(2, capacity=0)
        unit = own.course.department_id if scope == "department" else own.pk
        by = user_with(Role.REGISTRAR, scope, unit)
        # In charge of the other section as well, without that permission.
        head_of = {"scope_kind": "department", "scope_id": other.course.department_id}
        RoleAssignmentFactory(user=by, role=Role.DEPARTMENT_HEAD, **head_of)

        services.enroll(student=StudentFactory(), section=own, by=by, at=NOON, override=True)
        with pytest.raises(services.OverrideNotPermittedError):
            services.enroll(student=StudentFactory(), section=other, by=by, at=NOON, override=True)

        assert Enrollment.objects.get().section == own

    def test_it_reaches_the_sections_of_the_departments_below(self, user_with):
        department = DepartmentFactory()
        section = SectionFactory(capacity=0, course__department=DepartmentFactory(parent=department))
        by = user_with(Role.REGISTRAR, "department", department.pk)

        assert services.enroll(student=StudentFactory(), section=section, by=by, at=NOON, override=True).is_live

    def test_whoever_holds_it_for_a_program_waives_the_rules_of_no_section(self, user_with):
        studies = ProgramEnrollmentFactory()
        by = user_with(Role.REGISTRAR, "program", studies.program_id)

        with pytest.raises(services.OverrideNotPermittedError):
            services.enroll(student=studies.student, section=SectionFactory(capacity=0), by=by, at=NOON, override=True)

    def test_some_rules_are_nobodys_to_waive(self, registrar):
        section = SectionFactory(status="cancelled", term__state="closed", capacity=0)

        with pytest.raises(DomainError) as refused:
            services.enroll(student=StudentFactory(), section=section, by=registrar, at=NOON, override=True)

        assert codes(refused) == ["term_closed", "section_cancelled"]
        assert Section.objects.get().override_seats == 0

    def test_without_need_it_waives_nothing(self, registrar):
        services.enroll(student=StudentFactory(), section=SectionFactory(), by=registrar, at=NOON, override=True)

        assert EnrollmentEvent.objects.get().overridden == []


class TestPreflight:
    def test_it_says_what_enrolling_would_and_writes_nothing(self):
        section, student = SectionFactory(capacity=0, status="closed"), StudentFactory()

        found = services.preflight(student=student, section=section)

        assert [obstacle.code for obstacle in found] == ["section_not_open", "section_full"]
        assert services.preflight(student=student, section=SectionFactory()) == []
        assert not Enrollment.objects.exists()


class TestUpdate:
    def test_the_grade_basis_changes_and_the_credits_stay(self):
        row = EnrollmentFactory(section__course__credits_max=Decimal(6), credits=Decimal(5))

        services.update_enrollment(row, by=None, grade_basis="audit")

        row.refresh_from_db()
        assert (row.grade_basis, row.credits) == ("audit", 5)

    def test_credits_stay_within_bounds(self):
        with pytest.raises(services.CreditsOutOfRangeError):
            services.update_enrollment(EnrollmentFactory(), by=None, credits=Decimal(9))

    def test_what_has_ended_stays_as_it_was(self):
        with pytest.raises(services.EnrollmentEndedError):
            services.update_enrollment(EnrollmentFactory(status="completed"), by=None, grade_basis="audit")


class TestLeaving:
    @pytest.mark.parametrize(
        ("state", "before", "after"),
        [
            ("registration", "enrolled", "dropped"),
            ("planned", "enrolled", "dropped"),
            ("in_progress", "enrolled", "withdrawn"),
            ("in_progress", "pending", "dropped"),
        ],
    )
    def test_dropping_becomes_withdrawing_once_teaching_has_begun(self, state, before, after):
        row = EnrollmentFactory(section__term__state=state, status=before)

        services.drop(row, by=None, at=NOON)

        row.refresh_from_db()
        assert (row.status, row.dropped_at, seats(row.section)) == (after, NOON, 0)
        assert OutboxEvent.objects.get().name == f"enrollment.{after}"

    @pytest.mark.parametrize("state", ["grading", "closed", "archived"])
    def test_nobody_drops_once_grading_has_begun(self, state):
        row = EnrollmentFactory(section__term__state=state)

        with pytest.raises(services.TermClosedError):
            services.drop(row, by=None, at=NOON)

        assert seats(row.section) == 1

    @pytest.mark.parametrize("status", [status for status in EnrollmentStatus.values if status not in LIVE])
    def test_what_has_ended_does_not_end_again(self, status):
        row = EnrollmentFactory(status=status, dropped_at=None if status == "completed" else NOON)

        for end in (services.drop, services.withdraw, services.complete, services.cancel, services.confirm):
            with pytest.raises(services.EnrollmentTransitionError):
                end(row, by=None, at=NOON)

    def test_a_row_that_was_read_too_early_is_not_ended_twice(self):
        row = EnrollmentFactory()
        stale = Enrollment.objects.get(pk=row.pk)
        services.drop(row, by=None, at=NOON)

        with pytest.raises(EditConflictError):
            services.withdraw(stale, by=None, at=NOON)

        assert EnrollmentEvent.objects.count() == 1

    def test_completing_keeps_the_seat_and_the_result(self):
        row = EnrollmentFactory(section__term__state="grading")

        services.complete(row, by=None, at=NOON, result="distinction")

        row.refresh_from_db()
        assert (row.status, row.result, row.dropped_at, seats(row.section)) == ("completed", "distinction", None, 1)

    def test_a_pending_enrolment_is_confirmed(self):
        row = EnrollmentFactory(status="pending")

        services.confirm(row, by=None, at=NOON)

        assert Enrollment.objects.get().status == "enrolled"

    def test_withdrawing_stays_on_record_until_the_term_is_closed(self):
        services.withdraw(EnrollmentFactory(section__term__state="grading"), by=None, at=NOON)

        with pytest.raises(services.TermClosedError):
            services.withdraw(EnrollmentFactory(section__term__state="closed"), by=None, at=NOON)


class TestCancelledSection:
    def test_everybody_in_it_is_released_once(self, registrar):
        section = SectionFactory()
        EnrollmentFactory.create_batch(2, section=section)
        gone = EnrollmentFactory(section=section, status="dropped", dropped_at=NOON)

        move_section(section, status="cancelled", by=registrar, at=NOON, reason="Nobody teaches it.")
        Relay().drain()
        Relay().drain()

        statuses = Enrollment.objects.order_by("pk").values_list("status", flat=True)
        assert list(statuses) == ["cancelled", "cancelled", "dropped"]
        assert seats(section) == 0
        steps = EnrollmentEvent.objects.exclude(enrollment=gone)
        assert {(step.actor, step.reason) for step in steps} == {(registrar, "Nobody teaches it.")}
        assert steps.count() == 2
