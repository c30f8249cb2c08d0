"""Whoever is shown somebody's record leaves an entry: who, whose, what, on what basis, when. No answer goes without."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db import ProgrammingError, connection
from django.db.models import ForeignKey
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import PersonIdentifier
from accounts.roles import Role
from audit import services
from audit.models import Disclosure
from core.cache.tags import moved_by
from students.models import Student
from tests.accounts.factories import PersonFactory
from tests.contract.routes import Route, routes
from tests.enrollment.factories import EnrollmentFactory
from tests.racing import at_once
from tests.students.factories import ProgramEnrollmentFactory, StudentFactory

pytestmark = pytest.mark.checklist(83)
STUDENTS = "/api/v1/students/"


def shown() -> list[Any]:
    return list(Disclosure.objects.order_by("id").values_list("subject_id", flat=True))


def is_of_a_student(model: Any, depth: int = 3) -> bool:
    """Say whether rows of a model belong to a student, directly or through others."""
    if model in (Student, PersonIdentifier):
        return True
    keys = [field for field in model._meta.concrete_fields if isinstance(field, ForeignKey)]
    return depth > 0 and any(is_of_a_student(key.related_model, depth - 1) for key in keys)


def record_routes() -> Iterator[Route]:
    for route in routes():
        queryset = getattr(route.view, "queryset", None)
        if queryset is not None and is_of_a_student(queryset.model):
            yield route


@pytest.mark.parametrize("route", list(record_routes()), ids=str)
def test_every_route_that_shows_what_belongs_to_a_student_declares_what_it_discloses(route):
    assert route.view.discloses is not None


def test_there_are_such_routes():
    found = {str(route) for route in record_routes()}

    assert {"students/", "students/{pk}/", "sections/{parent}/roster/", "enrollments/{pk}/"} <= found


@pytest.mark.parametrize("pages", list(admin.site._registry.values()), ids=str)
def test_every_administration_page_of_what_belongs_to_a_student_declares_it_too(pages):
    assert not is_of_a_student(pages.model) or pages.discloses is not None


@pytest.mark.django_db
class TestAdministration:
    def test_a_list_and_a_page_leave_entries(self, client, registrar):
        students = StudentFactory.create_batch(3)
        client.force_login(registrar)

        client.get("/admin/students/student/")
        client.get(f"/admin/students/student/{students[0].pk}/change/")

        people = sorted(student.person_id for student in students)
        assert shown() == [*people, students[0].person_id]
        entry = Disclosure.objects.latest("id")
        assert (entry.actor_id, entry.route) == (registrar.pk, "admin:students.student")

    @pytest.mark.parametrize("make", [EnrollmentFactory, ProgramEnrollmentFactory])
    def test_enrolments_leave_theirs(self, client, registrar, make):
        row = make()
        client.force_login(registrar)

        client.get(f"/admin/{row._meta.app_label}/{row._meta.model_name}/")

        assert shown() == [row.student.person_id]


@pytest.mark.django_db
class TestEntries:
    def test_a_detail_leaves_one_that_says_who_whose_what_why_when_and_where(self, registrar, registrar_client):
        student = StudentFactory()

        answer = registrar_client.get(f"{STUDENTS}{student.pk}/", headers={"X-Request-ID": "req-7"})

        entry = Disclosure.objects.get()
        assert answer.status_code == 200
        assert (entry.actor_id, entry.actor_label) == (registrar.pk, registrar.email)
        assert (entry.subject_id, entry.what) == (student.person_id, "student record")
        assert entry.basis == "students.view_student as registrar"
        assert (entry.route, entry.request_id, entry.address) == ("StudentViewSet.retrieve", "req-7", "127.0.0.1")
        assert entry.at is not None

    def test_a_list_leaves_one_for_each_person_on_the_page_by_one_statement(self, registrar_client):
        students = StudentFactory.create_batch(5)

        with CaptureQueriesContext(connection) as captured:
            registrar_client.get(f"{STUDENTS}?page_size=3")

        assert len([query for query in captured if "audit_disclosure" in query["sql"]]) == 1
        assert shown() == sorted(student.person_id for student in students[:3])

    def test_a_person_who_is_on_a_page_twice_leaves_one(self, registrar_client):
        enrollment = EnrollmentFactory()
        EnrollmentFactory(student=enrollment.student)

        assert len(registrar_client.get("/api/v1/enrollments/").json()["data"]) == 2
        assert shown() == [enrollment.student.person_id]

    def test_rosters_histories_and_programs_leave_theirs(self, registrar_client):
        enrollment = EnrollmentFactory()
        program = ProgramEnrollmentFactory(student=enrollment.student)
        for path in (
            f"sections/{enrollment.section_id}/roster/",
            f"students/{enrollment.student_id}/enrollments/",
            f"students/{enrollment.student_id}/program-enrollments/",
            f"program-enrollments/{program.pk}/",
            f"enrollments/{enrollment.pk}/",
        ):
            assert registrar_client.get(f"/api/v1/{path}").status_code == 200

        assert shown() == [enrollment.student.person_id] * 5

    def test_an_answer_of_304_leaves_one_too(self, registrar_client):
        student = StudentFactory()
        tag = registrar_client.get(f"{STUDENTS}{student.pk}/")["ETag"]

        again = registrar_client.get(f"{STUDENTS}{student.pk}/", headers={"If-None-Match": tag})

        assert again.status_code == 304
        assert len(shown()) == 2

    def test_the_answer_to_a_change_leaves_one(self, registrar_client):
        student = StudentFactory()

        answer = registrar_client.patch(f"{STUDENTS}{student.pk}/", {"preferred_contact": "email"}, format="json")

        assert answer.status_code in (200, 400)
        assert len(shown()) == (answer.status_code == 200)

    def test_ones_own_record_leaves_none(self, client_for, user_with):
        student = StudentFactory()
        client = client_for(user_with(Role.STUDENT, person=student.person))

        assert client.get(f"{STUDENTS}{student.pk}/").status_code == 200
        assert client.get(STUDENTS).status_code == 200
        assert shown() == []

    def test_what_is_refused_or_not_found_leaves_none(self, client_for, user_with):
        client = client_for(user_with(Role.STUDENT))

        assert client.get(f"{STUDENTS}{StudentFactory().pk}/").status_code == 404
        assert client.get(STUDENTS).json()["data"] == []
        assert shown() == []

    def test_a_list_that_shows_some_fields_alone_leaves_them_all_the_same(self, registrar_client):
        student = StudentFactory()

        registrar_client.get(f"{STUDENTS}?fields=id")

        assert shown() == [student.person_id]

    def test_an_entry_outlives_its_person(self):
        person = PersonFactory()
        services.record_disclosures(what="x", subjects=[person.pk], to=person, permission="p", route="r")
        gone = person.pk

        person.delete()

        assert shown() == [gone]


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_cannot_be_recorded_is_not_given(registrar_client):
    StudentFactory(person__last_name="Lovelace")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_disclosure RENAME TO audit_away")
    registrar_client.raise_request_exception = False
    try:
        answer = registrar_client.get(STUDENTS)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_away RENAME TO audit_disclosure")

    assert answer.status_code == 500
    assert b"Lovelace" not in answer.content


@pytest.mark.django_db(transaction=True)
def test_an_entry_takes_one_statement_since_nothing_is_made_of_the_logs():
    person = PersonFactory()

    with CaptureQueriesContext(connection) as captured:
        services.record_disclosures(what="x", subjects=[person.pk], to=None, permission="p", route="r")

    assert len(captured) == 1
    assert moved_by(Disclosure) == {}
    assert shown() == [person.pk]


@pytest.mark.django_db(transaction=True)
def test_readers_at_one_time_leave_every_entry(registrar, client_for):
    students = StudentFactory.create_batch(4)

    def read():
        client_for(registrar).get(STUDENTS)

    at_once(*[read] * 8)

    assert sorted(shown()) == sorted(student.person_id for student in students for _ in range(8))


@pytest.mark.django_db
@pytest.mark.checklist(93)
class TestTheLogsOnlyGrow:
    @pytest.fixture(autouse=True)
    def entries(self):
        person = PersonFactory()
        services.record(action="tried")
        services.record_disclosures(what="x", subjects=[person.pk], to=person, permission="p", route="r")

    @pytest.mark.parametrize("log", ["audit_event", "audit_disclosure"])
    @pytest.mark.parametrize("statement", ["UPDATE {} SET request_id = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
    def test_whoever_would_change_one_is_refused_whole_and_in_parts(self, log, statement):
        with connection.cursor() as cursor:
            cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [log])
            parts = [name for (name,) in cursor.fetchall()]
            cursor.execute(f"TABLE {log}_{timezone.now():%Y%m}")
            assert cursor.fetchall()
        assert len(parts) >= 5
        for table in (log, f"{log}_{timezone.now():%Y%m}"):
            with connection.cursor() as cursor:
                cursor.execute("SAVEPOINT before")
                with pytest.raises(ProgrammingError, match="append-only"):
                    cursor.execute(statement.format(table))
                cursor.execute("ROLLBACK TO before")

    def test_entries_lie_in_the_partition_of_their_month(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT tableoid::regclass::text, to_char(at AT TIME ZONE 'UTC', 'YYYYMM') FROM audit_event")
            (table, month) = cursor.fetchone()

        assert table == f"audit_event_{month}"


@pytest.mark.django_db
class TestPartitions:
    def test_an_entry_of_a_month_without_a_partition_goes_to_the_default_one(self):
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO audit_event (at, action) VALUES ('2001-01-01', 'old')")
            cursor.execute("SELECT count(*) FROM audit_event_default")
            assert cursor.fetchone() == (1,)
