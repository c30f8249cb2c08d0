"""Every rule that the database keeps, broken on purpose without the services in between."""

from decimal import Decimal
from itertools import chain

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from psycopg import errors, sql

from core.db.constraints import error_for
from core.ids import new_id
from courses.models import Course, Section
from enrollment.models import SEATED, Enrollment, EnrollmentEvent, EnrollmentStatus
from tests.courses.factories import CourseFactory, SectionFactory
from tests.departments.factories import TermFactory
from tests.enrollment.factories import NOON, EnrollmentFactory
from tests.students.factories import StudentFactory

pytestmark = pytest.mark.django_db


def refused(action):
    """Run an action that the database refuses; return the code that a client would get."""

    def attempt():
        with transaction.atomic():
            action()
            connection.check_constraints()

    with pytest.raises(IntegrityError) as caught:
        attempt()
    error = error_for(caught.value)
    assert error is not None
    return error.error_code


def change(row, **values):
    return lambda: type(row)._base_manager.filter(pk=row.pk).update(**values)


def seats(section):
    return Section.objects.values_list("enrolled_count", flat=True).get(pk=section.pk)


class TestOneLiveEnrolment:
    def test_a_student_is_in_a_section_once(self):
        first = EnrollmentFactory(is_repeatable=True)

        again = lambda: EnrollmentFactory(student=first.student, section=first.section, is_repeatable=True)  # noqa: E731

        assert refused(again) == "duplicate_enrollment"

    def test_a_student_is_in_a_course_and_term_once(self):
        first = EnrollmentFactory()
        parallel = SectionFactory(course=first.course, term=first.term)

        assert refused(lambda: EnrollmentFactory(student=first.student, section=parallel)) == "duplicate_enrollment"

    def test_a_course_that_may_be_repeated_is_taken_twice_in_a_term(self):
        first = EnrollmentFactory(is_repeatable=True)

        EnrollmentFactory(
            student=first.student, section=SectionFactory(course=first.course, term=first.term), is_repeatable=True
        )

    def test_whoever_left_may_come_back(self):
        first = EnrollmentFactory(status="dropped", dropped_at=NOON)

        EnrollmentFactory(student=first.student, section=first.section)


class TestColumns:
    @pytest.mark.parametrize("status", EnrollmentStatus.values)
    def test_whoever_left_did_so_at_a_time_and_nobody_else_did(self, status):
        left = status in ("dropped", "withdrawn", "cancelled")
        row = EnrollmentFactory()

        assert refused(change(row, status=status, dropped_at=None if left else NOON)) == "dropped_at_mismatch"
        change(row, status=status, dropped_at=NOON if left else None)()

    @pytest.mark.parametrize(
        ("values", "code"),
        [
            ({"status": "odd"}, "invalid_choice"),
            ({"grade_basis": "odd"}, "invalid_choice"),
            ({"result": "odd"}, "invalid_choice"),
            ({"source": "odd"}, "invalid_choice"),
            ({"credits": Decimal(-1)}, "negative_credits"),
            ({"attempt_no": 0}, "min_value"),
        ],
    )
    def test_kinds_and_numbers_make_sense(self, values, code):
        assert refused(change(EnrollmentFactory(), **values)) == code

    @pytest.mark.parametrize("name", ["course", "term"])
    def test_course_and_term_are_those_of_the_section(self, name):
        other = {"course": CourseFactory, "term": TermFactory}[name]()

        assert refused(change(EnrollmentFactory(), **{name: other})) == "in_use"

    def test_a_section_with_enrolments_keeps_its_term(self):
        section = EnrollmentFactory().section

        assert refused(change(section, term=TermFactory())) == "in_use"

    @pytest.mark.parametrize("model", [Section, Course])
    def test_what_is_enrolled_in_cannot_be_deleted_even_by_hand(self, model):
        row = EnrollmentFactory()
        pk = row.section_id if model is Section else row.course_id
        connection.check_constraints()

        def delete():
            with connection.cursor() as cursor:
                table = sql.Identifier(model._meta.db_table)
                cursor.execute(sql.SQL("DELETE FROM {} WHERE id = %s").format(table), [pk])

        assert refused(delete) == "in_use"


class TestSeats:
    """The counter of a section follows every way in which enrolments are written."""

    def test_the_triggers_count_what_the_model_calls_seated(self):
        section = SectionFactory()
        for status in EnrollmentStatus.values:
            left = None if status in ("pending", "enrolled", "completed") else NOON
            EnrollmentFactory(section=section, status=status, dropped_at=left)

        assert seats(section) == len(SEATED) == Enrollment.objects.filter(section=section).seated().count()

    def test_one_enrolment_too_many_is_refused(self):
        section = SectionFactory(capacity=1)
        EnrollmentFactory(section=section)

        assert refused(lambda: EnrollmentFactory(section=section)) == "section_full"
        assert seats(section) == 1

    def test_a_bulk_insert_that_does_not_fit_is_refused_whole(self):
        section = SectionFactory(capacity=3)
        rows = EnrollmentFactory.build_batch(4, section=section, course=section.course, term=section.term, student=None)
        for row in rows:
            row.student = StudentFactory()

        assert refused(lambda: Enrollment.objects.bulk_create(rows)) == "section_full"
        Enrollment.objects.bulk_create(rows[:3])
        assert seats(section) == 3

    def test_copy_counts(self):
        section = SectionFactory(capacity=2)
        columns = ["id", "student_id", "section_id", "course_id", "term_id", "status", "credits", "grade_basis",
                   "attempt_no", "is_repeatable", "result", "source"]  # fmt: skip

        def copy(count):
            statement = sql.SQL("COPY enrollment_enrollment ({}) FROM STDIN").format(
                sql.SQL(", ").join(map(sql.Identifier, columns))
            )
            students = [StudentFactory().pk for _ in range(count)]
            with connection.cursor() as cursor, cursor.copy(statement) as rows:
                for student in students:
                    ids = [new_id(), student, section.pk, section.course_id, section.term_id]
                    rows.write_row([*ids, "enrolled", 3, "letter", 1, False, "", "import"])

        with pytest.raises(errors.CheckViolation, match="courses_section_seats"), transaction.atomic():
            copy(3)
        copy(2)
        assert seats(section) == 2

    def test_an_update_of_many_rows_in_many_sections_counts_each(self):
        sections = [SectionFactory() for _ in range(3)]
        rows = list(chain.from_iterable(EnrollmentFactory.create_batch(2, section=section) for section in sections))

        Enrollment.objects.exclude(pk=rows[0].pk).update(status="dropped", dropped_at=NOON)

        assert [seats(section) for section in sections] == [1, 0, 0]

    def test_an_update_that_frees_no_seat_leaves_the_section_alone(self):
        section = EnrollmentFactory().section
        change(section, capacity=0, override_seats=1)()

        Enrollment.objects.update(status="completed")

        assert seats(section) == 1

    def test_deleting_frees_the_seat(self):
        row = EnrollmentFactory()

        row.delete()

        assert seats(row.section) == 0

    def test_a_capacity_below_the_count_is_refused(self):
        row = EnrollmentFactory()

        assert refused(change(row.section, capacity=0)) == "section_full"


class TestEnrollmentEvent:
    def step(self):
        return EnrollmentEvent.objects.create(
            enrollment=EnrollmentFactory(), to_status="enrolled", happened_at=timezone.now()
        )

    def test_a_step_is_never_changed(self):
        assert refused(change(self.step(), reason="other")) == "immutable"

    def test_a_step_is_never_lost(self):
        assert refused(self.step().delete) == "immutable"

    def test_a_step_goes_with_its_enrolment(self):
        self.step().enrollment.delete()
        connection.check_constraints()

        assert not EnrollmentEvent.objects.exists()
