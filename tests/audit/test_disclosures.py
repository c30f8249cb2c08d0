"""Whoever is shown somebody's record leaves an entry: who, whose, what, on what basis, when. No answer goes without."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db import ProgrammingError, connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.roles import Role
from audit import services
from audit.models import Change, Disclosure
from core.cache.tags import moved_by
from core.privacy import declared
from notifications.offers import offers
from students.models import Student
from tests.accounts.factories import PersonFactory, UserFactory
from tests.attendance.factories import AttendanceRecordFactory
from tests.contract.routes import Route, routes
from tests.enrollment.factories import EnrollmentFactory
from tests.racing import at_once
from tests.students.factories import ProgramEnrollmentFactory, StudentFactory

pytestmark = pytest.mark.checklist(83)
STUDENTS = "/api/v1/students/"


def shown() -> list[Any]:
    return list(Disclosure.objects.order_by("id").values_list("subject_id", flat=True))


STAFF = "Of people as employees, which are no education records (34 CFR 99.3)."
ACCOUNTS = "How accounts are used and what they may do, which is no record of studies."
# What says something about people and is shown without an entry, by model, and why.
EXEMPT: dict[str, str] = {
    **dict.fromkeys(("accounts.RoleAssignment", "accounts.Session"), ACCOUNTS),
    "attendance.Substitution": STAFF,
    "attendance.SubstitutionEvent": STAFF,
    "audit.Disclosure": "The record of disclosures itself, which 99.32(c) opens to students, custodians and auditors.",
    "audit.Event": "What people did; whom that concerned is named by ids.",
    "courses.SectionInstructor": STAFF,
    "departments.Appointment": STAFF,
    "faculty.Faculty": STAFF,
    "faculty.FacultyAppointment": STAFF,
    "faculty.FacultyStatusEvent": STAFF,
    "files.FileUpload": "One's own alone, from which 99.32(d)(1) exempts; nobody else reads them.",
    "interop.ExportJob": "Who asked for a table, and by what it is narrowed; making it leaves the entries.",
    "interop.ImportJob": "Who asked for an import, and how many rows it has; the rows and the report leave entries.",
    "notifications.Notification": "One's own alone, from which 99.32(d)(1) exempts; nobody else reads them.",
    "projects.SupervisorCapacity": STAFF,
    "projects.Topic": STAFF,
}


def is_personal(model: type[Model]) -> bool:
    """Say whether rows of a model say something about people that does not go without an entry."""
    return model._meta.label not in EXEMPT and model in {each.model for each in declared()}


def record_routes() -> Iterator[Route]:
    for route in routes():
        queryset = getattr(route.view, "queryset", None)
        if queryset is not None and is_personal(queryset.model):
            yield route


@pytest.mark.parametrize("route", list(record_routes()), ids=str)
def test_every_route_that_shows_what_says_something_about_people_declares_what_it_discloses(route):
    assert route.view.discloses is not None or str(route) == "users/{pk}/factors/reset/"  # which answers with nothing


def test_there_are_such_routes():
    found = {str(route) for route in record_routes()}

    assert {"students/", "students/{pk}/", "sections/{parent}/roster/", "enrollments/{pk}/"} <= found
    assert {"imports/{parent}/rows/", "changes/", "files/", "users/"} <= found


@pytest.mark.parametrize("pages", list(admin.site._registry.values()), ids=str)
def test_every_administration_page_of_what_says_something_about_people_declares_it_too(pages):
    shown = [pages.model, *(inline.model for inline in pages.inlines)]

    assert pages.discloses is not None or not any(map(is_personal, shown))


@pytest.mark.parametrize("offer", offers(), ids=lambda offer: offer.name)
def test_every_event_by_which_programs_are_told_something_about_people_declares_it_as_well(offer):
    assert offer.discloses is not None or not is_personal(offer.model)


def test_whatever_is_exempt_is_shown_and_says_something_about_people():
    """An exemption that nothing needs any more is taken away."""
    personal = {each.model._meta.label for each in declared()}
    pages = {page.model for page in admin.site._registry.values()}
    inlines = {inline.model for page in admin.site._registry.values() for inline in page.inlines}
    answers = {route.view.queryset.model for route in routes() if getattr(route.view, "queryset", None) is not None}
    shown = {model._meta.label for model in pages | inlines | answers}

    assert EXEMPT.keys() <= personal & shown


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

    def test_people_leave_theirs_on_the_list_and_on_their_page(self, client, user_with):
        people = PersonFactory.create_batch(2)
        admin = user_with(Role.SYSTEM_ADMIN, is_staff=True)
        client.force_login(admin)

        client.get("/admin/accounts/person/")
        client.get(f"/admin/accounts/person/{people[0].pk}/change/")

        assert shown() == [*sorted(person.pk for person in people), people[0].pk]
        assert Disclosure.objects.latest("id").basis == "accounts.view_person as system_admin"

    def test_so_does_the_history_of_their_rows(self, client, user_with):
        student = StudentFactory()
        client.force_login(user_with(Role.SYSTEM_ADMIN, is_staff=True))
        change = Change.objects.filter(table_name="students_student").latest("id")

        client.get(f"/admin/audit/change/{change.pk}/change/")

        assert shown() == [student.person_id]

    @pytest.mark.parametrize("make", [EnrollmentFactory, ProgramEnrollmentFactory])
    def test_enrolments_leave_theirs(self, client, registrar, make):
        row = make()
        client.force_login(registrar)

        client.get(f"/admin/{row._meta.app_label}/{row._meta.model_name}/")

        assert shown() == [row.student.person_id]


@pytest.mark.django_db
class TestHistory:
    """Whoever reads what was changed in a row is shown the record of whoever the row is about."""

    @pytest.fixture
    def auditor(self, client_for, user_with):
        return client_for(user_with(Role.AUDITOR))

    def seen(self, client, **question):
        before = set(Disclosure.objects.values_list("id", flat=True))
        assert client.get("/api/v1/changes/", question).json()["data"]
        return sorted(Disclosure.objects.exclude(id__in=before).values_list("subject_id", flat=True))

    def test_a_row_leads_to_its_person_by_however_many_others(self, auditor):
        record = AttendanceRecordFactory()
        student = record.enrollment.student

        for row in (record, record.enrollment, student, student.person):
            assert self.seen(auditor, row=row.pk) == [student.person_id]
        entry = Disclosure.objects.latest("id")
        assert (entry.what, entry.route) == ("change", "ChangeViewSet.list")
        assert entry.basis == "audit.view_change as auditor"

    def test_of_a_row_that_is_gone_the_keys_that_went_with_it_say_whose_it_was(self, auditor):
        enrollment, person = EnrollmentFactory(), PersonFactory()
        rows = {enrollment.pk: enrollment.student.person_id, person.pk: person.pk}
        type(enrollment).objects.filter(pk=enrollment.pk).delete()
        person.delete()

        for row, subject in rows.items():
            assert self.seen(auditor, row=row) == [subject]

    def test_a_row_that_led_to_somebody_else_before_leads_to_both(self, auditor):
        student, other = StudentFactory(), PersonFactory()
        before = student.person_id
        Student.objects.filter(pk=student.pk).update(person=other)

        assert self.seen(auditor, row=student.pk) == sorted([before, other.pk])

    def test_what_says_nothing_about_anybody_leaves_none(self, auditor):
        enrollment = EnrollmentFactory()

        assert self.seen(auditor, row=enrollment.section.course_id) == []


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

    def test_an_account_leaves_one_of_whoever_it_is_of_and_that_of_a_program_none(self, client_for, user_with):
        UserFactory.create_batch(2)
        service = UserFactory(person=None, is_service=True, password="!")
        client = client_for(user_with(Role.AUDITOR))

        answer = client.get("/api/v1/users/")

        accounts = [row for row in answer.json()["data"] if row["person"]]
        assert str(service.pk) in {row["id"] for row in answer.json()["data"]}
        assert len(shown()) == len(accounts) - 1  # but for the auditor's own

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
