"""Whatever happens in whatever order: seats are counted, never oversold, and nobody is anywhere twice."""

from collections import Counter
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from core.errors import DomainError
from courses.models import Section
from courses.services import move_section, update_section
from courses.services.sections import TRANSITIONS
from enrollment import services
from enrollment.models import LIVE, SEATED, Enrollment
from students.models import Student
from tests.courses.factories import CourseFactory, SectionFactory
from tests.departments.factories import TermFactory
from tests.enrollment.factories import NOON
from tests.students.factories import StudentFactory


class EnrollmentMachine(RuleBasedStateMachine):
    """Students come and go while sections open, close, grow, shrink and are cancelled."""

    students = Bundle("students")
    sections = Bundle("sections")

    def __init__(self):
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.term = TermFactory()
        self.courses = [CourseFactory(), CourseFactory(is_repeatable=True)]

    def teardown(self):
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    def attempt(self, act):
        """Do something that the rules may refuse; whatever is refused leaves no trace."""
        before = self.facts()
        try:
            with transaction.atomic():
                return act()
        except DomainError:
            assert self.facts() == before
            return None

    def facts(self):
        counts = Section.objects.order_by("pk").values_list("pk", "enrolled_count", "override_seats")
        rows = Enrollment.objects.order_by("pk").values_list("pk", "status", "version")
        return list(counts), list(rows)

    @rule(target=students)
    def a_student_comes(self):
        return StudentFactory()

    @rule(target=sections, course=st.integers(0, 1), capacity=st.integers(0, 3))
    def a_section_is_offered(self, course, capacity):
        return SectionFactory(course=self.courses[course], term=self.term, capacity=capacity)

    @rule(student=students, section=sections)
    def a_student_enrols(self, student, section):
        student, section = Student.objects.get(pk=student.pk), Section.objects.get(pk=section.pk)
        foreseen = services.preflight(student=student, section=section)

        enrollment = self.attempt(lambda: services.enroll(student=student, section=section, by=None, at=NOON))

        assert (enrollment is None) == bool(foreseen)

    @rule(student=students, section=sections)
    def the_registrar_overrides(self, student, section):
        student = Student.objects.get(pk=student.pk)
        self.attempt(lambda: services.enroll(student=student, section=section, by=None, at=NOON, override=True))

    @rule(
        number=st.integers(0, 20),
        end=st.sampled_from([services.drop, services.withdraw, services.complete, services.cancel]),
    )
    def an_enrolment_ends(self, number, end):
        rows = Enrollment.objects.order_by("pk")[number : number + 1]
        for row in rows:
            self.attempt(lambda row=row: end(row, by=None, at=NOON))

    @rule(section=sections, capacity=st.integers(0, 4))
    def a_section_changes_its_size(self, section, capacity):
        row = Section.objects.get(pk=section.pk)
        self.attempt(lambda: update_section(row, by=None, capacity=capacity))

    @rule(section=sections, status=st.sampled_from(sorted(TRANSITIONS)))
    def a_section_moves(self, section, status):
        row = Section.objects.get(pk=section.pk)
        moved = self.attempt(lambda: move_section(row, status=status, by=None, at=NOON))
        if moved is not None and status == "cancelled":
            services.cancel_all_in(section.pk, by=None, at=NOON)

    @rule(student=students, status=st.sampled_from(["active", "suspended"]))
    def a_student_changes_standing(self, student, status):
        Student.objects.filter(pk=student.pk).update(status=status)

    @rule(section=sections, count=st.integers(1, 3))
    def several_are_inserted_past_the_services(self, section, count):
        rows = [
            Enrollment(
                student=StudentFactory(), section=section, course=section.course, term=section.term, credits=Decimal(3)
            )
            for _ in range(count)
        ]
        section = Section.objects.get(pk=section.pk)
        if section.seats_left >= count and section.status != "cancelled":
            Enrollment.objects.bulk_create(rows)

    @invariant()
    def seats_are_counted_and_never_oversold(self):
        true_counts = Counter(Enrollment.objects.filter(status__in=SEATED).values_list("section_id", flat=True))
        for section in Section.objects.all():
            assert section.enrolled_count == true_counts[section.pk]
            assert section.enrolled_count <= section.capacity + section.override_seats

    @invariant()
    def nobody_is_anywhere_twice(self):
        live = Enrollment.objects.filter(status__in=LIVE)
        in_sections = Counter(live.values_list("student_id", "section_id"))
        in_courses = Counter(live.filter(is_repeatable=False).values_list("student_id", "course_id", "term_id"))
        assert set((in_sections + in_courses).values()) <= {1}

    @invariant()
    def nobody_is_left_in_a_cancelled_section(self):
        assert not Enrollment.objects.filter(status__in=LIVE, section__status="cancelled").exists()


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.checklist(81)
def test_no_order_of_events_breaks_a_promise():
    run_state_machine_as_test(
        EnrollmentMachine,
        settings=settings(
            max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
