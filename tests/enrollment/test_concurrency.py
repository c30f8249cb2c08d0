"""What happens when many want the same seats at the same moment."""

from collections import Counter
from decimal import Decimal
from itertools import cycle, islice
from random import Random

import pytest
from django.utils import timezone

from courses.models import Course, Section
from courses.services import move_section, update_course, update_section
from enrollment import services
from enrollment.models import Enrollment, EnrollmentEvent
from tests.courses.factories import CourseFactory, SectionFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.racing import at_once, while_uncommitted
from tests.students.factories import StudentFactory

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/api/v1/enrollments/"


def counted(section):
    """Return the section's own count and the true one."""
    return Section.objects.get(pk=section.pk).enrolled_count, Enrollment.objects.filter(
        section=section
    ).seated().count()


def test_a_hundred_students_race_for_thirty_seats(registrar, client_for, settings):
    settings.DATABASE_POOL_TIMEOUT = 60  # a busy machine may take long for a hundred, one after another
    section, students = SectionFactory(capacity=30), StudentFactory.create_batch(100)
    clients = [client_for(registrar) for _ in students]

    def enrolling(client, student):
        def act():
            answer = client.post(LIST, {"student": str(student.pk), "section": str(section.pk)})
            return answer.status_code, answer.json().get("code")

        return act

    outcomes = at_once(*map(enrolling, clients, students))

    assert Counter(outcomes) == {(201, None): 30, (409, "section_full"): 70}
    assert counted(section) == (30, 30)
    assert EnrollmentEvent.objects.count() == 30


def test_a_student_who_asks_twenty_times_gets_one_seat():
    section, student = SectionFactory(), StudentFactory()

    outcomes = at_once(*[lambda: services.enroll(student=student, section=section, by=None).status] * 20)

    assert Counter(outcomes) == {"enrolled": 1, "duplicate_enrollment": 19}
    assert counted(section) == (1, 1)


def test_a_student_gets_into_one_of_two_sections_of_a_course():
    first, student = SectionFactory(), StudentFactory()
    sections = [first, SectionFactory(course=first.course, term=first.term)]

    def enrolling(section):
        return lambda: services.enroll(student=student, section=section, by=None).status

    outcomes = at_once(*map(enrolling, islice(cycle(sections), 10)))

    assert Counter(outcomes) == {"enrolled": 1, "duplicate_enrollment": 9}
    assert sum(counted(section)[0] for section in sections) == 1


def test_of_two_who_end_an_enrolment_one_does():
    row = EnrollmentFactory()

    def ending(end):
        return lambda: bool(end(Enrollment.objects.get(pk=row.pk), by=None, at=timezone.now())) or "done"

    outcomes = at_once(*map(ending, [services.withdraw, services.cancel, services.complete] * 3))

    assert len([outcome for outcome in outcomes if outcome in (True, "done")]) == 1
    assert set(outcomes) <= {True, "edit_conflict", "illegal_transition"}
    assert EnrollmentEvent.objects.count() == 1
    assert len(set(counted(row.section))) == 1


def test_leaving_and_enrolling_side_by_side_keeps_the_count_and_the_limit(registrar, client_for):
    section = SectionFactory(capacity=10)
    leaving = EnrollmentFactory.create_batch(10, section=section)
    coming = StudentFactory.create_batch(20)
    clients = [client_for(registrar) for _ in range(30)]

    def drop(client, row):
        return lambda: client.delete(f"{LIST}{row.pk}/").status_code

    def enroll(client, student):
        body = {"student": str(student.pk), "section": str(section.pk)}
        return lambda: client.post(LIST, body).status_code

    outcomes = Counter(at_once(*map(drop, clients[:10], leaving), *map(enroll, clients[10:], coming)))

    assert outcomes[204] == 10
    assert outcomes.keys() <= {201, 204, 409}
    assert counted(section) == (outcomes[201], outcomes[201])
    assert outcomes[201] <= 10


def test_whoever_leaves_and_comes_back_at_once_waits_for_nobody_forever():
    row = EnrollmentFactory()

    def drop():
        services.drop(Enrollment.objects.select_related("term").get(pk=row.pk), by=None)
        return "dropped"

    outcomes = at_once(*[drop, lambda: services.enroll(student=row.student, section=row.section, by=None).status] * 6)

    assert set(outcomes) <= {"dropped", "enrolled", "duplicate_enrollment", "edit_conflict", "illegal_transition"}
    assert "dropped" in outcomes
    assert len(set(counted(row.section))) == 1


def test_bulk_requests_for_the_same_sections_in_any_order_do_not_deadlock(registrar, client_for):
    sections = SectionFactory.create_batch(6, capacity=100)
    clients = [client_for(registrar) for _ in range(8)]
    chooser = Random(7)

    def enrolling(client):
        student = StudentFactory()
        shuffled = chooser.sample(sections, len(sections))
        items = [{"student": str(student.pk), "section": str(section.pk)} for section in shuffled]

        def act():
            created = client.post(f"{LIST}bulk-create/", {"items": items})
            named = [{"id": result["id"]} for result in created.json()["data"]["results"]]
            named.reverse()
            return created.status_code, client.post(f"{LIST}bulk-delete/", {"items": named}).status_code

        return act

    outcomes = at_once(*map(enrolling, clients))

    assert outcomes == [(200, 200)] * 8
    assert [counted(section) for section in sections] == [(0, 0)] * 6


def test_bulk_inserts_of_the_same_sections_in_any_order_do_not_deadlock():
    sections = SectionFactory.create_batch(8, capacity=100)
    batches = []
    chooser = Random(7)
    for _ in range(6):
        rows = [
            EnrollmentFactory.build(student=StudentFactory(), section=section, course=section.course, term=section.term)
            for section in sections
        ]
        chooser.shuffle(rows)
        batches.append(rows)

    def writing(rows):
        return lambda: len(Enrollment.objects.bulk_create(rows))

    assert at_once(*map(writing, batches)) == [8] * 6
    assert [counted(section) for section in sections] == [(6, 6)] * 8


def test_a_capacity_cannot_shrink_below_those_who_come_meanwhile():
    section = SectionFactory(capacity=20)
    students = StudentFactory.create_batch(19)

    def shrink():
        update_section(Section.objects.get(pk=section.pk), by=None, capacity=10)
        return "shrunk"

    def enrolling(student):
        return lambda: services.enroll(student=student, section=section, by=None).status

    outcomes = Counter(at_once(shrink, *map(enrolling, students)))

    count, true_count = counted(section)
    assert count == true_count == outcomes["enrolled"]
    assert count <= Section.objects.get(pk=section.pk).capacity
    assert outcomes["shrunk"] + outcomes["capacity_below_enrolled"] == 1


def test_nobody_enrols_in_a_section_that_has_closed():
    section = SectionFactory()
    students = StudentFactory.create_batch(10)

    def close():
        move_section(Section.objects.get(pk=section.pk), status="closed", by=None, at=timezone.now())
        return timezone.now()

    def enrolling(student):
        def act():
            services.enroll(student=student, section=section, by=None)
            return "enrolled"

        return act

    closed_at, *outcomes = at_once(close, *map(enrolling, students))

    assert set(outcomes) <= {"enrolled", "section_not_open"}
    assert Enrollment.objects.count() == outcomes.count("enrolled")
    assert not Enrollment.objects.filter(created_at__gt=closed_at).exists()


def test_whoever_enrols_while_credits_are_corrected_gets_the_corrected_ones():
    course = CourseFactory()
    section, student = SectionFactory(course=course), StudentFactory()

    counted_credits = while_uncommitted(
        lambda: update_course(Course.objects.get(pk=course.pk), by=None, credits=Decimal(5)),
        lambda: services.enroll(student=student, section=section, by=None).credits,
    )

    assert counted_credits == 5
