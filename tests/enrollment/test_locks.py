"""What enrolling relies on stays as it was read: of two who meet one waits, and both end as if they came in turn."""

from threading import Barrier

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core.db.locks import LockTimeoutError, lock_named, lock_patience
from courses.models import Section
from courses.services import lock_sections, update_section
from departments.models import Term
from departments.services import move_term
from departments.services.calendar import STATE
from enrollment import services
from enrollment.models import Enrollment
from enrollment.services import bulk
from students.models import Student
from students.services import change_status, lock_students
from tests.courses.factories import CourseFactory, SectionFactory
from tests.departments.factories import TermFactory
from tests.enrollment.factories import NOON, EnrollmentFactory
from tests.racing import PATIENCE, at_once, while_uncommitted
from tests.students.factories import StudentFactory

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/api/v1/enrollments/"


def enrolling(student, section):
    """Return the act of enrolling; the student and the section are read before it begins, as a request does."""
    return lambda: services.enroll(student=student, section=section, by=None, at=NOON).status


def moving(term, state):
    return lambda: move_term(Term.objects.get(pk=term.pk), state=state, by=None, at=NOON).state


def suspending(student):
    return lambda: change_status(Student.objects.get(pk=student.pk), status="suspended", by=None, at=NOON).status


class TestTerm:
    def test_whoever_comes_while_the_term_closes_is_refused(self):
        section, student = SectionFactory(term__state="in_progress"), StudentFactory()

        assert while_uncommitted(moving(section.term, "grading"), enrolling(student, section)) == "term_closed"
        assert not Enrollment.objects.exists()

    def test_the_term_closes_after_whoever_is_enrolling(self):
        section, student = SectionFactory(term__state="in_progress"), StudentFactory()

        assert while_uncommitted(enrolling(student, section), moving(section.term, "grading")) == "grading"
        assert Enrollment.objects.get().status == "enrolled"

    def test_whoever_drops_while_teaching_begins_withdraws(self):
        row = EnrollmentFactory()

        def drop():
            services.drop(Enrollment.objects.select_related("term").get(pk=row.pk), by=None, at=NOON)

        while_uncommitted(moving(row.term, "in_progress"), drop)

        assert Enrollment.objects.get().status == "withdrawn"

    def test_teaching_begins_after_whoever_is_dropping(self):
        row = EnrollmentFactory()

        def drop():
            services.drop(Enrollment.objects.select_related("term").get(pk=row.pk), by=None, at=NOON)

        assert while_uncommitted(drop, moving(row.term, "in_progress")) == "in_progress"
        assert Enrollment.objects.get().status == "dropped"

    def test_nobody_withdraws_from_a_term_that_closes(self):
        row = EnrollmentFactory(section__term__state="grading")

        def withdraw():
            services.withdraw(Enrollment.objects.get(pk=row.pk), by=None, at=NOON)

        assert while_uncommitted(moving(row.term, "closed"), withdraw) == "term_closed"

    def test_a_section_that_moves_to_another_term_is_kept_in_that_one(self):
        section, student, planned = SectionFactory(), StudentFactory(), TermFactory(state="planned")

        def move_section_over():
            update_section(Section.objects.get(pk=section.pk), by=None, term=planned)

        assert while_uncommitted(move_section_over, enrolling(student, section)) == "term_closed"

    def test_the_term_that_the_section_has_moved_to_is_kept_from_then_on(self):
        section, student, other = SectionFactory(), StudentFactory(), TermFactory()

        def move_section_over():
            update_section(Section.objects.get(pk=section.pk), by=None, term=other)

        def enroll_and_look():
            with transaction.atomic():
                services.enroll(student=student, section=section, by=None)
                return at_once(lambda: is_kept(other))

        assert while_uncommitted(move_section_over, enroll_and_look) == [True]

    def test_an_import_keeps_the_term_as_well(self):
        section, student = SectionFactory(), StudentFactory()
        row = {"student_id": student.pk, "section_id": section.pk, "enrolled_at": NOON}

        assert (
            while_uncommitted(lambda: bulk.record_many(rows=[row], by=None, at=NOON), moving(section.term, "planned"))
            == "planned"
        )
        assert Enrollment.objects.get().source == "import"

    def test_so_does_every_item_of_a_bulk_request(self, registrar, client_for):
        sections = SectionFactory.create_batch(2)
        client, student = client_for(registrar), StudentFactory()
        items = [{"student": str(student.pk), "section": str(section.pk)} for section in sections]

        def post():
            answer = client.post(f"{LIST}bulk-create/", {"items": items, "mode": "best_effort"})
            return [result["status"] for result in answer.json()["data"]["results"]]

        assert while_uncommitted(moving(sections[1].term, "planned"), post) == ["created", "refused"]

    def test_enrolments_in_one_term_do_not_wait_for_each_other(self):
        term = TermFactory()
        sections = [SectionFactory(term=term) for _ in range(4)]
        students = StudentFactory.create_batch(4)
        all_have_enrolled = Barrier(4)

        def enrolling_with_the_others(student, section):
            def act():
                with transaction.atomic():
                    services.enroll(student=student, section=section, by=None)
                    all_have_enrolled.wait(timeout=PATIENCE)

            return act

        at_once(*map(enrolling_with_the_others, students, sections))

        assert Enrollment.objects.count() == 4


class TestStudent:
    def test_whoever_is_being_suspended_does_not_enrol(self):
        section, student = SectionFactory(), StudentFactory()

        assert while_uncommitted(suspending(student), enrolling(student, section)) == "student_not_active"
        assert not Enrollment.objects.exists()

    def test_a_suspension_follows_an_enrolment_under_way(self):
        section, student = SectionFactory(), StudentFactory()

        assert while_uncommitted(enrolling(student, section), suspending(student)) == "suspended"
        assert Enrollment.objects.get().status == "enrolled"

    def test_two_attempts_of_one_student_are_counted_one_after_the_other(self):
        course, student = CourseFactory(is_repeatable=True), StudentFactory()
        first = SectionFactory(course=course)
        second = SectionFactory(course=course, term=first.term)

        while_uncommitted(enrolling(student, first), enrolling(student, second))

        assert sorted(Enrollment.objects.values_list("attempt_no", flat=True)) == [1, 2]

    def test_one_who_is_deleted_meanwhile_is_missing(self):
        section, student = SectionFactory(), StudentFactory()

        outcome = while_uncommitted(lambda: Student.objects.filter(pk=student.pk).delete(), enrolling(student, section))

        assert outcome == "not_found"

    def test_a_section_that_is_deleted_meanwhile_is_missing(self):
        section, student = SectionFactory(), StudentFactory()

        outcome = while_uncommitted(lambda: Section.objects.filter(pk=section.pk).delete(), enrolling(student, section))

        assert outcome == "not_found"


class TestOrder:
    def test_many_who_want_much_at_once_never_wait_for_each_other(self, registrar, client_for):
        term = TermFactory()
        sections = [SectionFactory(term=term, capacity=100) for _ in range(4)]
        students = StudentFactory.create_batch(4)
        clients = [client_for(registrar) for _ in range(8)]

        def posting(client, turned):
            pairs = [(student, section) for student in students for section in sections]
            ordered = pairs[::-1] if turned else pairs
            items = [{"student": str(student.pk), "section": str(section.pk)} for student, section in ordered]

            def act():
                answer = client.post(f"{LIST}bulk-create/", {"items": items, "mode": "best_effort"})
                return answer.status_code

            return act

        outcomes = at_once(*[posting(client, index % 2) for index, client in enumerate(clients)])

        assert outcomes == [200] * 8
        assert Enrollment.objects.count() == 16

    @pytest.mark.parametrize("act", ["hold", "correct", "restore", "erase"])
    def test_an_import_takes_sections_before_enrolments(self, act):
        row = EnrollmentFactory()
        kept = bulk.keep_records(ids=[row.pk])[row.pk]
        acts = {
            "hold": lambda: bulk.hold_for_recording((), [row.pk]),
            "correct": lambda: bulk.correct_many(changes=[(row, {"grade_basis": "audit"})], by=None, at=NOON),
            "restore": lambda: bulk.restore_records(kept=kept),
            "erase": lambda: bulk.erase_many(ids=[row.pk]),
        }

        def importing():
            with transaction.atomic():
                acts[act]()

        while_uncommitted(
            lambda: services.lock_sections_of([row.pk]),
            importing,
            then=lambda: Enrollment.objects.select_for_update(nowait=True).get(pk=row.pk),
        )


def test_enrolling_costs_two_statements_of_locks_two_reads_and_three_writes():
    section, student = SectionFactory(), StudentFactory()

    with CaptureQueriesContext(connection) as queries:
        services.enroll(student=student, section=section, by=None, at=NOON)

    statements = [query["sql"] for query in queries]
    protected_insert = ["SAVEPOINT", "INSERT", "RELEASE"]
    # What writes says first, in the same message, where it comes from.
    assert [statement.rpartition("true); ")[2].split()[0] for statement in statements] == [
        "BEGIN", *["SELECT"] * 4, *protected_insert, *protected_insert, "INSERT", "COMMIT", "SELECT", "SELECT",
    ]  # fmt: skip
    assert ["FOR NO KEY UPDATE" in statement for statement in statements[1:5]] == [True, True, False, False]
    assert "pg_advisory_xact_lock_shared" in statements[2]
    assert "core_touch" in statements[-2]
    assert "pg_notify" in statements[-1]


def is_kept(term):
    """Say whether anybody keeps a term in its state."""
    try:
        with transaction.atomic(), lock_patience(1):
            lock_named(STATE, str(term.pk))
    except LockTimeoutError:
        return True
    return False


class TestReach:
    """What a request locks before it is validated is what its caller may want."""

    def refused_while_locked(self, client, path, body, lock):
        def post():
            return client.post(path, body).status_code

        with transaction.atomic():
            lock()
            return at_once(post)

    def test_too_many_items_are_refused_without_waiting_for_a_section(self, ada):
        section = SectionFactory()
        items = [{"student": str(ada.student.pk), "section": str(section.pk)}] * 1001

        outcome = self.refused_while_locked(
            ada, f"{LIST}bulk-create/", {"items": items}, lambda: lock_sections([section.pk])
        )

        assert outcome == [400]

    def test_nobody_waits_for_students_they_cannot_see_nor_for_sections_in_their_name(self, ada):
        section, other = SectionFactory(), StudentFactory()
        items = [{"student": str(other.pk), "section": str(section.pk)}]

        def lock():
            lock_students([other.pk])
            lock_sections([section.pk])

        assert self.refused_while_locked(ada, f"{LIST}bulk-create/", {"items": items}, lock) == [400]

    def test_nobody_waits_for_the_section_of_an_enrolment_that_is_not_theirs(self, ada):
        row = EnrollmentFactory()

        def lock():
            lock_sections([row.section_id])

        body = {"items": [{"id": str(row.pk)}]}
        assert self.refused_while_locked(ada, f"{LIST}bulk-delete/", body, lock) == [404]
        assert self.refused_while_locked(ada, f"{LIST}{row.pk}/withdraw/", {}, lock) == [404]
