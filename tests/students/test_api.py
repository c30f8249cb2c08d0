"""Students over HTTP: shape, refusal, cost."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection

from accounts.roles import Role, ScopeKind
from core.models import CustomField
from students import services
from students.models import ProgramEnrollment, Student, StudentStatusEvent
from tests.accounts.factories import PersonFactory, RoleAssignmentFactory
from tests.departments.factories import DepartmentFactory, ProgramFactory, TermFactory
from tests.faculty.factories import FacultyFactory
from tests.students.factories import ProgramEnrollmentFactory, StudentFactory

pytestmark = pytest.mark.django_db
# What a list may cost beside: one statement that puts on record whose records were shown to whom.
RECORD = 1
LIST = "/api/v1/students/"
PROGRAMS = "/api/v1/program-enrollments/"
NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)


def url_of(student, *rest):
    return "/".join([f"{LIST}{student.pk}", *rest, ""])


@pytest.fixture
def blood_group():
    return CustomField.objects.create(
        entity_type="students.student",
        name="blood_group",
        label="Blood group",
        field_type="select",
        choices=[{"value": "O+", "label": "O+"}, {"value": "A-", "label": "A-"}],
        is_searchable=True,
    )


@pytest.fixture
def ada():
    student = StudentFactory(
        student_no="S1",
        person__first_name="Augusta",
        person__last_name="Lovelace",
        person__preferred_name="Ada",
        person__email="ada@example.org",
        person__birth_date=date(1815, 12, 10),
        department__code="MAT",
        department__name="Mathematics",
        admitted_on=date(2026, 9, 1),
        advisor=PersonFactory(first_name="Mary", last_name="Somerville"),
    )
    ProgramEnrollmentFactory(
        student=student, program__code="BSC", program__name="Analysis", cohort="2026", is_primary=True
    )
    ProgramEnrollmentFactory(student=student, cohort="2027")
    return student


def test_a_row_of_the_list_reads_as_documented(registrar_client, ada, blood_group):
    Student.objects.update(custom_data={"blood_group": "O+"})
    enrollment = ada.program_enrollments.get(is_primary=True)

    (row,) = registrar_client.get(LIST).json()["data"]

    assert row.pop("created_at")
    assert row.pop("updated_at")
    assert row == {
        "id": str(ada.pk),
        "student_no": "S1",
        "first_name": "Augusta",
        "last_name": "Lovelace",
        "preferred_name": "Ada",
        "email": "ada@example.org",
        "status": "active",
        "department": {"id": str(ada.department_id), "code": "MAT", "name": "Mathematics"},
        "program": {"id": str(enrollment.program_id), "code": "BSC", "name": "Analysis"},
        "cohort": "2026",
        "admitted_on": "2026-09-01",
        "custom_fields": {"blood_group": "O+"},
    }


def test_the_detail_tells_more(registrar_client, ada):
    listed = registrar_client.get(LIST).json()["data"][0]

    shown = registrar_client.get(url_of(ada)).json()["data"]

    assert {name: shown[name] for name in listed} == listed
    assert {name: value for name, value in shown.items() if name not in listed} == {
        "person": str(ada.person_id),
        "advisor": {
            "id": str(ada.advisor_id),
            "first_name": "Mary",
            "last_name": "Somerville",
            "preferred_name": "",
        },
        "preferred_contact": "email",
        "phone": "",
        "birth_date": "1815-12-10",
        "gender": "",
        "nationality": "",
        "home_address": "",
        "accommodation_note": None,
        "directory_opt_out": False,
    }


def test_a_student_of_no_program_shows_none(registrar_client):
    student = StudentFactory()

    data = registrar_client.get(url_of(student)).json()["data"]

    assert (data["program"], data["cohort"], data["advisor"]) == (None, "", None)


def test_a_list_costs_at_most_three_queries_however_many_rows(
    registrar_client, django_assert_max_num_queries, blood_group
):
    for _ in range(12):
        ProgramEnrollmentFactory(is_primary=True)
    query = "?page_size=10&status=active,suspended&search=first&custom.blood_group="

    with django_assert_max_num_queries(3 + RECORD):
        body = registrar_client.get(f"{LIST}?page_size=10").json()
    with django_assert_max_num_queries(3 + RECORD):
        registrar_client.get(f"{LIST}{query}O%2B&ordering=-last_name").json()

    assert len(body["data"]) == 10
    assert body["meta"]["pagination"]["next"]


def test_creating_and_changing_round_trip(registrar_client, blood_group):
    program = ProgramFactory()
    body = {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "email": "ada@example.org",
        "gender": "female",
        "department": program.department_id,
        "program": program.pk,
        "cohort": "2026",
        "admitted_on": "2026-09-01",
        "custom_fields": {"blood_group": "O+"},
    }
    created = registrar_client.post(LIST, body, format="json")
    assert created.status_code == 201, created.json()
    data = created.json()["data"]
    assert data["student_no"].startswith("S2026")
    assert (data["program"]["id"], data["cohort"]) == (str(program.pk), "2026")
    url = f"{LIST}{data['id']}/"

    changed = registrar_client.patch(
        url, {"last_name": "Byron", "cohort": "2027"}, format="json", HTTP_IF_MATCH=created["ETag"]
    )

    assert changed.status_code == 200, changed.json()
    assert changed.json()["data"] == registrar_client.get(url).json()["data"]
    assert (changed.json()["data"]["last_name"], changed.json()["data"]["cohort"]) == ("Byron", "2027")
    assert registrar_client.delete(url).status_code == 204
    assert registrar_client.get(url).status_code == 404


def test_putting_the_whole_student_replaces_it(registrar_client, ada):
    body = {"last_name": "King", "student_no": "S1", "department": ada.department_id, "status": "active"}

    response = registrar_client.put(url_of(ada), body, format="json")

    assert response.status_code == 200, response.json()
    assert response.json()["data"]["last_name"] == "King"


def test_a_last_name_that_is_known_is_not_taken_away(registrar_client, ada):
    answer = registrar_client.patch(url_of(ada), {"last_name": ""}, format="json")

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "last_name")
    ada.person.refresh_from_db()
    assert ada.person.last_name


@pytest.mark.parametrize("change", [{"first_name": "A"}, {"cohort": "2030"}, {"status": "suspended"}])
def test_whatever_is_shown_changes_the_version(registrar_client, ada, change):
    seen = registrar_client.get(url_of(ada))["ETag"]
    registrar_client.patch(url_of(ada), change, format="json")

    response = registrar_client.patch(url_of(ada), {"last_name": "Late"}, format="json", HTTP_IF_MATCH=seen)

    assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")
    ada.person.refresh_from_db()
    assert ada.person.last_name == "Lovelace"


def test_every_fault_of_a_question_is_reported_at_once(registrar_client):
    question = "?status=x&custom.nope=1&fields=nope&include=nope&ordering=nope&page_size=0&nope=1&search=" + "x" * 65

    answer = registrar_client.get(f"{LIST}{question}")

    named = {error["field"] for error in answer.json()["errors"]}
    assert answer.status_code == 400
    assert named == {"status", "custom.nope", "fields", "include", "ordering", "page_size", "nope", "search"}


@pytest.mark.parametrize("question", ["?fields=", "?fields=id,", "?include="])
def test_an_empty_name_asks_for_nothing_that_there_is(registrar_client, question):
    assert registrar_client.get(f"{LIST}{question}").json()["code"] == "unknown_field"


def test_custom_fields_are_refused_together_with_what_else_is_wrong(registrar_client):
    body = {"last_name": "Byron", "admitted_on": "yesterday", "custom_fields": {"nope": 1}}

    answer = registrar_client.post(LIST, body, format="json")

    named = {error["field"] for error in answer.json()["errors"]}
    assert (answer.status_code, named) == (400, {"admitted_on", "department", "custom_fields.nope"})


def test_every_fault_of_a_request_is_reported_at_once(registrar_client):
    body = {"email": "nowhere", "status": "lost", "birth_date": "soon", "colour": "red", "gender": "?"}

    response = registrar_client.post(LIST, body, format="json")

    assert response.status_code == 400
    assert {(error["field"], error["code"]) for error in response.json()["errors"]} == {
        ("email", "invalid"),
        ("status", "invalid_choice"),
        ("birth_date", "invalid"),
        ("department", "required"),
        ("last_name", "required"),
        ("colour", "unknown_field"),
        ("gender", "invalid_choice"),
    }
    assert not Student.objects.exists()


@pytest.mark.parametrize("plural", ["students", "faculty"])
def test_a_body_of_nothing_is_told_of_the_name_and_of_all_else_that_is_needed(registrar_client, plural):
    url = f"/api/v1/{plural}/"
    needed = {
        "students": {"last_name", "department"},
        "faculty": {"last_name", "department", "rank", "employee_no"},
    }[plural]

    alone = registrar_client.post(url, {}, format="json")
    among_others = registrar_client.post(f"{url}bulk-create/", {"items": [{"last_name": ""}]}, format="json")

    for answer, prefix in ((alone, ""), (among_others, "items.0.")):
        told = {(error["field"].removeprefix(prefix), error["code"]) for error in answer.json()["errors"]}
        assert (answer.status_code, told) == (400, {(name, "required") for name in needed})


def test_a_known_person_brings_the_name_along(registrar_client):
    person = PersonFactory(last_name="")
    body = {"person": str(person.pk), "department": str(DepartmentFactory().pk)}

    created = registrar_client.post(LIST, body, format="json")

    assert (created.status_code, created.json()["data"]["last_name"]) == (201, "")


@pytest.mark.parametrize("plural", ["students", "faculty"])
def test_the_document_tells_what_a_new_part_needs(client, plural):
    document = client.get("/api/v1/schema/?format=json").json()
    shapes = document["components"]["schemas"]
    paths = document["paths"]

    def body_of(path, method):
        media = paths[f"/api/v1/{plural}/{path}"][method]["requestBody"]["content"]["application/json"]
        return shapes[media["schema"]["$ref"].rpartition("/")[2]]

    assert body_of("", "post")["anyOf"] == [{"required": ["last_name"]}, {"required": ["person"]}]
    assert "last_name" in body_of("{id}/", "put")["required"]
    assert "required" not in body_of("{id}/", "patch")


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [("birth_date", "2999-01-01", "date_in_future"), ("nationality", "a1", "invalid_country")],
)
def test_refuses_what_no_person_is(registrar_client, ada, field, value, code):
    response = registrar_client.patch(url_of(ada), {field: value}, format="json")

    assert (response.status_code, response.json()["code"]) == (400, code)
    assert response.json()["errors"][0]["field"] == field


def test_a_student_has_a_name(registrar_client):
    body = {"first_name": "", "department": DepartmentFactory().pk}

    response = registrar_client.post(LIST, body, format="json")

    assert (response.status_code, response.json()["code"]) == (400, "required")
    assert response.json()["errors"][0]["field"] == "last_name"


def test_a_person_who_is_known_needs_no_name_again(registrar_client):
    person = FacultyFactory().person

    response = registrar_client.post(LIST, {"person": person.pk, "department": DepartmentFactory().pk}, format="json")

    assert response.status_code == 201, response.json()
    assert response.json()["data"]["last_name"] == person.last_name


def test_a_number_once_issued_is_final(registrar_client, ada):
    response = registrar_client.patch(url_of(ada), {"student_no": "S2"}, format="json")

    assert (response.status_code, response.json()["code"]) == (409, "student_no_immutable")
    assert Student.objects.get().student_no == "S1"


def test_a_student_with_a_history_is_not_deleted(registrar_client, ada):
    services.change_status(ada, status="suspended", by=None, at=NOON)

    response = registrar_client.delete(url_of(ada))

    assert (response.status_code, response.json()["code"]) == (409, "in_use")
    assert Student.objects.exists()


class TestFilters:
    @pytest.fixture(autouse=True)
    def students(self, ada, blood_group):
        self.ada = ada
        Student.objects.update(custom_data={"blood_group": "O+"})
        self.other = StudentFactory(student_no="S2", status="suspended", admitted_on=date(2020, 9, 1))
        self.applicant = StudentFactory(student_no="S3", status="applicant")

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("student_no=S2", ["S2"]),
            ("status=active", ["S1"]),
            ("status=active,applicant", ["S1", "S3"]),
            ("cohort=2026", ["S1"]),
            ("cohort=2027", []),
            ("admitted_after=2026-09-01", ["S1"]),
            ("admitted_before=2020-09-01", ["S2"]),
            ("email=ADA@example.org", ["S1"]),
            ("custom.blood_group=O%2B", ["S1"]),
            ("search=lovel", ["S1"]),
            ("search=s1", ["S1"]),
            ("search=Lovelase", ["S1"]),
            ("search=ada+s1", ["S1"]),
            ("ordering=-student_no", ["S3", "S2", "S1"]),
            ("ordering=admitted_on", ["S2", "S1", "S3"]),
        ],
    )
    def test_narrows_the_list(self, registrar_client, query, found):
        response = registrar_client.get(f"{LIST}?{query}")

        assert response.status_code == 200, response.json()
        assert [row["student_no"] for row in response.json()["data"]] == found

    def test_narrows_by_the_rows_they_belong_to(self, registrar_client):
        program = self.ada.program_enrollments.get(is_primary=True).program_id
        second = self.ada.program_enrollments.get(is_primary=False).program_id
        queries = {
            f"department={self.other.department_id}": ["S2"],
            f"program={program}": ["S1"],
            f"program={second}": [],
            f"advisor={self.ada.advisor_id}": ["S1"],
            f"program={program}&cohort=2026": ["S1"],
        }

        answers = {query: registrar_client.get(f"{LIST}?{query}").json()["data"] for query in queries}

        assert {query: [row["student_no"] for row in rows] for query, rows in answers.items()} == queries

    @pytest.mark.parametrize(
        "query",
        ["status=lost", "department=1", "admitted_after=soon", "colour=red", "custom.shoe=1", "ordering=birth_date"],
    )
    def test_refuses_what_it_does_not_know(self, registrar_client, query):
        response = registrar_client.get(f"{LIST}?{query}")

        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] in (query.partition("=")[0], "custom")


@pytest.mark.parametrize(
    "ordering", ["student_no", "-student_no", "last_name", "-last_name", "admitted_on", "created_at"]
)
def test_paging_through_equal_keys_loses_nobody(registrar_client, ordering):
    for number in range(11):
        StudentFactory(person__last_name=f"L{number % 2}", admitted_on=date(2026, 9, 1) if number % 3 else None)
    url, seen = f"{LIST}?page_size=3&ordering={ordering}", []

    while url:
        body = registrar_client.get(url).json()
        seen += [row["id"] for row in body["data"]]
        url = body["meta"]["pagination"]["next"]

    assert len(seen) == len(set(seen)) == 11


class TestChangeStatus:
    def test_moves_the_student_and_keeps_the_step(self, registrar_client, registrar, ada):
        response = registrar_client.post(
            url_of(ada, "change-status"), {"status": "leave_of_absence", "reason": "Parenthood"}, format="json"
        )

        assert response.status_code == 200, response.json()
        assert response.json()["data"]["status"] == "leave_of_absence"
        (step,) = registrar_client.get(url_of(ada, "status-history")).json()["data"]
        assert step.pop("id")
        assert step.pop("happened_at")
        assert step == {
            "from_status": "active",
            "to_status": "leave_of_absence",
            "actor": {"id": str(registrar.pk), "email": registrar.email},
            "reason": "Parenthood",
        }

    def test_refuses_a_step_that_leads_nowhere(self, registrar_client, ada):
        response = registrar_client.post(url_of(ada, "change-status"), {"status": "applicant"}, format="json")

        assert (response.status_code, response.json()["code"]) == (409, "illegal_transition")
        assert not StudentStatusEvent.objects.exists()

    def test_refuses_a_stale_request(self, registrar_client, ada):
        seen = registrar_client.get(url_of(ada))["ETag"]
        registrar_client.patch(url_of(ada), {"last_name": "King"}, format="json")

        response = registrar_client.post(
            url_of(ada, "change-status"), {"status": "suspended"}, format="json", HTTP_IF_MATCH=seen
        )

        assert response.status_code == 412
        assert Student.objects.get().status == "active"


class TestProgramEnrollments:
    def test_reads_as_documented(self, registrar_client, ada):
        enrollment = ada.program_enrollments.get(is_primary=True)

        data = registrar_client.get(f"{PROGRAMS}{enrollment.pk}/").json()["data"]

        assert data.pop("created_at")
        assert data.pop("updated_at")
        assert data == {
            "id": str(enrollment.pk),
            "student": {"id": str(ada.pk), "student_no": "S1", "name": "Ada Lovelace"},
            "program": {"id": str(enrollment.program_id), "code": "BSC", "name": "Analysis"},
            "cohort": "2026",
            "start_term": None,
            "is_primary": True,
            "status": "active",
        }

    def test_creating_changing_moving_and_deleting(self, registrar_client):
        student, program, term = StudentFactory(), ProgramFactory(), TermFactory()
        created = registrar_client.post(
            PROGRAMS, {"student": student.pk, "program": program.pk, "start_term": term.pk}, format="json"
        )
        assert created.status_code == 201, created.json()
        url = f"{PROGRAMS}{created.json()['data']['id']}/"

        changed = registrar_client.patch(url, {"cohort": "2026"}, format="json", HTTP_IF_MATCH=created["ETag"])
        moved = registrar_client.post(f"{url}change-status/", {"status": "suspended"}, format="json")

        assert (changed.json()["data"]["cohort"], moved.json()["data"]["status"]) == ("2026", "suspended")
        (step,) = registrar_client.get(f"{url}status-history/").json()["data"]
        assert (step["from_status"], step["to_status"]) == ("active", "suspended")
        assert registrar_client.delete(url).json()["code"] == "in_use"

    def test_the_programs_of_a_student_are_listed_below_them(self, registrar_client, ada):
        ProgramEnrollmentFactory()

        listed = registrar_client.get(url_of(ada, "program-enrollments")).json()["data"]
        primary = registrar_client.get(f"{url_of(ada, 'program-enrollments')}?is_primary=true").json()["data"]

        assert [row["cohort"] for row in listed] == ["2026", "2027"]
        assert [row["cohort"] for row in primary] == ["2026"]

    @pytest.mark.parametrize("url", [PROGRAMS, "below"])
    def test_a_list_costs_at_most_three_queries(self, registrar_client, django_assert_max_num_queries, ada, url):
        for _ in range(5):
            ProgramEnrollmentFactory(student=ada)
        url = url_of(ada, "program-enrollments") if url == "below" else url

        with django_assert_max_num_queries(3 + RECORD):
            body = registrar_client.get(f"{url}?page_size=4").json()

        assert len(body["data"]) == 4

    def test_a_history_costs_at_most_three_queries(
        self, registrar_client, registrar, django_assert_max_num_queries, ada
    ):
        enrollment = ada.program_enrollments.get(is_primary=True)
        for status in ("suspended", "active", "leave_of_absence", "active"):
            services.change_status(ada, status=status, by=registrar, at=NOON)

        for url in (url_of(ada, "status-history"), f"{PROGRAMS}{enrollment.pk}/status-history/"):
            with django_assert_max_num_queries(3 + RECORD):
                assert len(registrar_client.get(url).json()["data"]) == 4

    def test_refuses_to_enrol_twice(self, registrar_client, ada):
        enrollment = ada.program_enrollments.get(is_primary=True)

        response = registrar_client.post(PROGRAMS, {"student": ada.pk, "program": enrollment.program_id}, format="json")

        assert (response.status_code, response.json()["code"]) == (409, "already_in_program")
        assert ProgramEnrollment.objects.count() == 2


class TestBulk:
    def test_creates_many(self, registrar_client):
        department = DepartmentFactory().pk
        items = [{"last_name": f"L{number}", "department": department} for number in range(3)]

        response = registrar_client.post(f"{LIST}bulk-create/", {"items": items}, format="json")

        assert response.status_code == 200, response.json()
        assert response.json()["data"]["succeeded"] == 3
        assert Student.objects.count() == 3

    def test_one_refused_item_undoes_all(self, registrar_client):
        department = DepartmentFactory().pk
        items = [{"last_name": "A", "student_no": "S1", "department": department}] * 2

        response = registrar_client.post(f"{LIST}bulk-create/", {"items": items}, format="json")

        assert (response.status_code, response.json()["code"]) == (409, "student_no_taken")
        assert response.json()["errors"][0]["field"] == "items.1.student_no"
        assert not Student.objects.exists()

    def test_changes_and_deletes_what_it_can(self, registrar_client, ada):
        other = StudentFactory()
        services.change_status(ada, status="suspended", by=None, at=NOON)
        changes = [{"id": ada.pk, "first_name": "A"}, {"id": other.pk, "student_no": "S7"}]

        changed = registrar_client.post(f"{LIST}bulk-update/", {"items": changes, "mode": "best_effort"}, format="json")
        deleted = registrar_client.post(
            f"{LIST}bulk-delete/",
            {"items": [{"id": ada.pk}, {"id": other.pk}], "mode": "best_effort"},
            format="json",
        )

        assert [result["status"] for result in changed.json()["data"]["results"]] == ["updated", "refused"]
        assert [result["status"] for result in deleted.json()["data"]["results"]] == ["refused", "deleted"]
        assert list(Student.objects.values_list("person__first_name", flat=True)) == ["A"]


class TestProtectedData:
    """Who may know a student's birth date, gender, nationality, phone number, address, and what they are granted."""

    KNOWN = {
        "phone": "+43 1 234567", "birth_date": "2004-02-29", "gender": "female", "nationality": "AT",
        "home_address": "1 Ockham Park", "accommodation_note": "Half as much time again",
    }  # fmt: skip

    @pytest.fixture
    def student(self):
        personal = {name: self.KNOWN[name] for name in ("phone", "birth_date", "gender", "nationality")}
        own = {name: self.KNOWN[name] for name in ("home_address", "accommodation_note")}
        return StudentFactory(person=PersonFactory(**personal), advisor=PersonFactory(), **own)

    def known(self, client, student):
        data = client.get(f"/api/v1/students/{student.pk}/").json()["data"]
        assert all(data[name] in (None, value) for name, value in self.KNOWN.items())
        return {name for name in self.KNOWN if data[name] is not None}

    @pytest.mark.checklist(6)
    def test_each_role_knows_what_it_answers_for(self, student, user_with, client_for):
        everything, personal = {*self.KNOWN}, {*self.KNOWN} - {"accommodation_note"}
        head = user_with("department_head", "department", student.department_id)
        callers = (
            (user_with("registrar"), everything),
            (user_with("student", person=student.person), everything),
            (head, personal),
            (user_with("advisor", person=student.advisor), personal),
            (user_with("auditor"), personal),
            (user_with("finance_officer"), set()),
        )

        for user, expected in callers:
            assert self.known(client_for(user), student) == expected, user.assignments

    @pytest.mark.checklist(6)
    def test_a_student_who_advises_another_does_not_know_of_their_accommodations(self, student, user_with, client_for):
        user = user_with("student", person=student.advisor)
        RoleAssignmentFactory(user=user, role=Role.ADVISOR, scope_kind=ScopeKind.SELF)
        adviser = client_for(user)

        assert "accommodation_note" not in self.known(adviser, student)

    def test_what_is_granted_is_written_by_those_who_know_it_and_stands_encrypted(self, student, registrar_client):
        changed = registrar_client.patch(url_of(student), {"accommodation_note": "A reader"}, format="json")

        assert changed.status_code == 200, changed.json()
        assert changed.json()["data"]["accommodation_note"] == "A reader"
        with connection.cursor() as cursor:
            cursor.execute("SELECT position('reader'::bytea in accommodation_note) FROM students_student")
            assert cursor.fetchone() == (0,)

    @pytest.mark.checklist(5)
    @pytest.mark.parametrize("name", [*KNOWN])
    def test_nobody_asks_for_students_by_what_is_protected(self, student, registrar_client, name):
        for query in ({name: self.KNOWN[name]}, {"ordering": name}, {f"{name}__isnull": "true"}):
            assert registrar_client.get(LIST, query).status_code == 400
        assert registrar_client.get(LIST, {"search": self.KNOWN[name]}).json()["data"] == []
