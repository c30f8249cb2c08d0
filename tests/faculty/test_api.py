"""Faculty over HTTP: shape, scope, refusal, cost."""

from datetime import UTC, date, datetime

import pytest

from accounts.roles import Role, ScopeKind
from audit.models import Change
from faculty import services
from faculty.models import Faculty, FacultyAppointment
from tests.departments.factories import DepartmentFactory, ProgramFactory
from tests.faculty.factories import FacultyAppointmentFactory, FacultyFactory

pytestmark = pytest.mark.django_db
TERMS = ("phone", "employment_type", "fte")
LIST = "/api/v1/faculty/"
NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)


def url_of(faculty, *rest):
    return "/".join([f"{LIST}{faculty.pk}", *rest, ""])


def numbers(response):
    assert response.status_code == 200, response.json()
    return [row["employee_no"] for row in response.json()["data"]]


@pytest.fixture
def emmy():
    return FacultyFactory(
        employee_no="E1",
        rank="professor",
        person__first_name="Amalie",
        person__last_name="Noether",
        person__preferred_name="Emmy",
        person__email="emmy@example.org",
        person__birth_date=date(1882, 3, 23),
        department__code="MAT",
        department__name="Mathematics",
    )


def test_a_row_of_the_list_reads_as_documented(registrar_client, emmy):
    (row,) = registrar_client.get(LIST).json()["data"]

    assert row.pop("created_at")
    assert row.pop("updated_at")
    assert row == {
        "id": str(emmy.pk),
        "employee_no": "E1",
        "first_name": "Amalie",
        "last_name": "Noether",
        "preferred_name": "Emmy",
        "email": "emmy@example.org",
        "rank": "professor",
        "status": "active",
        "department": {"id": str(emmy.department_id), "code": "MAT", "name": "Mathematics"},
        "custom_fields": {},
    }


def test_the_detail_tells_more_but_nothing_protected(registrar_client, emmy):
    listed = registrar_client.get(LIST).json()["data"][0]

    shown = registrar_client.get(url_of(emmy)).json()["data"]

    assert {name: value for name, value in shown.items() if name not in listed} == {
        "person": str(emmy.person_id),
        "phone": "",
        "employment_type": "full_time",
        "fte": "1.000",
        "salary": None,
    }


@pytest.mark.checklist(6)
def test_the_terms_of_employment_are_known_to_those_who_employ_and_to_oneself(emmy, user_with, client_for):
    callers = {
        "hr_officer": user_with("hr_officer"),
        "auditor": user_with("auditor"),
        "the head": user_with("department_head", "department", emmy.department_id),
        "herself": user_with("faculty", "self", person=emmy.person),
        "another head": user_with("department_head", "department", DepartmentFactory().pk),
        "a colleague": user_with("faculty", "self"),
        "a coordinator": user_with("program_coordinator", "program", ProgramFactory().pk),
    }
    shown = {who: client_for(user).get(url_of(emmy)).json()["data"] for who, user in callers.items()}

    knowing = [who for who, data in shown.items() if data["employment_type"] == "full_time" and data["fte"] == "1.000"]

    assert knowing == ["hr_officer", "auditor", "the head", "herself"]
    assert all(data[name] is None for who, data in shown.items() if who not in knowing for name in TERMS)
    assert {data["last_name"] for data in shown.values()} == {"Noether"}


@pytest.mark.checklist(6)
def test_a_salary_is_known_to_those_who_pay_it_and_to_oneself(emmy, registrar_client, user_with, client_for):
    hr_client = client_for(user_with("hr_officer"))
    others = {
        "the registrar": registrar_client,
        "the head": client_for(user_with("department_head", "department", emmy.department_id)),
        "an auditor": client_for(user_with("auditor")),
        "a colleague": client_for(user_with("faculty", "self")),
    }

    settled = hr_client.patch(url_of(emmy), {"salary": "71000.50"}, format="json")

    assert (settled.status_code, settled.json()["data"]["salary"]) == (200, "71000.50")
    own = client_for(user_with("faculty", "self", person=emmy.person)).get(url_of(emmy)).json()["data"]
    assert own["salary"] == "71000.50"
    assert {who: client.get(url_of(emmy)).json()["data"]["salary"] for who, client in others.items()} == dict.fromkeys(
        others
    )
    refused = registrar_client.patch(url_of(emmy), {"salary": "1.00"}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (403, "field_out_of_scope")
    emptied = registrar_client.patch(url_of(emmy), {"salary": None}, format="json")
    assert (emptied.status_code, emptied.json()["code"]) == (403, "field_out_of_scope")
    sent_back = registrar_client.put(url_of(emmy), registrar_client.get(url_of(emmy)).json()["data"], format="json")
    assert sent_back.status_code == 200, sent_back.content
    emmy.refresh_from_db()
    assert str(emmy.salary) == "71000.50"
    told = Change.objects.filter(row_id=str(emmy.pk), changes__has_key="salary").latest("id")
    assert "71000" not in str(told.changes)


def test_a_list_costs_at_most_three_queries_however_many_rows(registrar_client, django_assert_max_num_queries, emmy):
    for _ in range(12):
        FacultyAppointmentFactory(faculty=FacultyFactory())
    FacultyAppointmentFactory(faculty=emmy)

    for url in (f"{LIST}?page_size=10", f"{LIST}?search=noether", url_of(emmy, "appointments")):
        with django_assert_max_num_queries(3):
            assert registrar_client.get(url).json()["data"]


def test_creating_changing_and_deleting_round_trip(registrar_client):
    body = {"last_name": "Noether", "employee_no": "E1", "rank": "lecturer", "department": DepartmentFactory().pk}
    created = registrar_client.post(LIST, {**body, "fte": "0.75", "appointed_on": "2020-09-01"}, format="json")
    assert created.status_code == 201, created.json()
    url = f"{LIST}{created.json()['data']['id']}/"

    changed = registrar_client.patch(
        url, {"phone": "+43 1 1", "fte": "0.5"}, format="json", HTTP_IF_MATCH=created["ETag"]
    )

    assert changed.status_code == 200, changed.json()
    assert changed.json()["data"] == registrar_client.get(url).json()["data"]
    assert (changed.json()["data"]["phone"], changed.json()["data"]["fte"]) == ("+43 1 1", "0.500")
    assert registrar_client.delete(url).status_code == 204
    assert not Faculty.objects.exists()


def test_the_first_day_of_no_post_is_refused(registrar_client, emmy):
    answer = registrar_client.patch(url_of(emmy), {"appointed_on": "2020-09-01"}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (400, "no_new_post")


def test_every_fault_of_a_request_is_reported_at_once(registrar_client):
    body = {"last_name": "N", "rank": "king", "fte": "9", "birth_date": "1882-03-23"}

    response = registrar_client.post(LIST, body, format="json")

    assert response.status_code == 400
    assert {(error["field"], error["code"]) for error in response.json()["errors"]} >= {
        ("employee_no", "required"),
        ("rank", "invalid_choice"),
        ("department", "required"),
        ("birth_date", "unknown_field"),
    }


def test_changing_the_rank_begins_a_post(registrar_client, emmy):
    FacultyAppointmentFactory(faculty=emmy)

    registrar_client.patch(url_of(emmy), {"rank": "professor_emeritus", "appointed_on": "2026-01-01"}, format="json")

    posts = registrar_client.get(url_of(emmy, "appointments")).json()["data"]
    assert [(post["rank"], post["starts_on"], post["ends_on"]) for post in posts] == [
        ("professor", "2020-09-01", "2026-01-01"),
        ("professor_emeritus", "2026-01-01", None),
    ]
    on = registrar_client.get(f"{url_of(emmy, 'appointments')}?on=2025-12-31").json()["data"]
    assert [post["rank"] for post in on] == ["professor"]


def test_changing_the_status_keeps_the_step(registrar_client, emmy):
    moved = registrar_client.post(
        url_of(emmy, "change-status"), {"status": "on_leave", "reason": "Sabbatical"}, format="json"
    )
    refused = registrar_client.post(url_of(emmy, "change-status"), {"status": "suspended"}, format="json")

    assert moved.json()["data"]["status"] == "on_leave"
    assert (refused.status_code, refused.json()["code"]) == (409, "illegal_transition")
    (step,) = registrar_client.get(url_of(emmy, "status-history")).json()["data"]
    assert (step["from_status"], step["to_status"], step["reason"]) == ("active", "on_leave", "Sabbatical")


def test_a_number_once_given_is_final(registrar_client, emmy):
    response = registrar_client.patch(url_of(emmy), {"employee_no": "E2"}, format="json")

    assert (response.status_code, response.json()["code"]) == (409, "employee_no_immutable")


def test_a_career_is_not_deleted(registrar_client, emmy):
    services.change_status(emmy, status="on_leave", by=None, at=NOON)

    response = registrar_client.delete(url_of(emmy))

    assert (response.status_code, response.json()["code"]) == (409, "in_use")


class TestFilters:
    @pytest.fixture(autouse=True)
    def colleagues(self, emmy):
        self.other = FacultyFactory(employee_no="E2", status="on_leave", person__last_name="Artin")
        FacultyFactory(employee_no="E3", status="retired", person__last_name="Weyl")

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("employee_no=E2", ["E2"]),
            ("rank=professor", ["E1"]),
            ("status=on_leave,retired", ["E2", "E3"]),
            ("search=noeth", ["E1"]),
            ("search=noeter", ["E1"]),
            ("search=e3", ["E3"]),
            ("ordering=-employee_no", ["E3", "E2", "E1"]),
            ("ordering=last_name", ["E2", "E1", "E3"]),
        ],
    )
    def test_narrows_the_list(self, registrar_client, query, found):
        assert numbers(registrar_client.get(f"{LIST}?{query}")) == found

    def test_narrows_by_department(self, registrar_client):
        assert numbers(registrar_client.get(f"{LIST}?department={self.other.department_id}")) == ["E2"]

    @pytest.mark.parametrize("query", ["rank=king", "status=lost", "department=1", "fte=1", "ordering=fte"])
    def test_refuses_what_it_does_not_know(self, registrar_client, query):
        response = registrar_client.get(f"{LIST}?{query}")

        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == query.partition("=")[0]


class TestVisibility:
    @pytest.fixture(autouse=True)
    def colleagues(self, emmy):
        self.emmy = emmy
        self.retired = FacultyFactory(employee_no="E3", status="retired", department=emmy.department)
        FacultyFactory(employee_no="E4", status="suspended")
        FacultyFactory(employee_no="E5", status="on_leave")

    def test_the_directory_lists_those_who_are_here(self, user_with, client_for):
        client = client_for(user_with(Role.FACULTY, ScopeKind.SELF))

        assert numbers(client.get(LIST)) == ["E1", "E5"]
        assert client.get(url_of(self.retired)).status_code == 404

    def test_those_in_charge_see_everybody_of_their_departments(self, user_with, client_for):
        client = client_for(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, self.emmy.department_id))

        assert numbers(client.get(LIST)) == ["E1", "E3", "E5"]

    @pytest.mark.parametrize("role", [Role.REGISTRAR, Role.HR_OFFICER, Role.AUDITOR])
    def test_those_in_charge_of_the_institution_see_everybody(self, user_with, client_for, role):
        assert numbers(client_for(user_with(role)).get(LIST)) == ["E1", "E3", "E4", "E5"]

    def test_a_member_sees_themselves_whatever_their_status(self, user_with, client_for):
        client = client_for(user_with(Role.FACULTY, ScopeKind.SELF, person=self.retired.person))

        assert client.get(url_of(self.retired)).status_code == 200

    def test_whose_role_says_nothing_of_faculty_is_turned_away(self, user_with, client_for):
        response = client_for(user_with(Role.STUDENT, ScopeKind.SELF)).get(LIST)

        assert (response.status_code, response.json()["code"]) == (403, "permission_denied")

    def test_a_head_changes_the_faculty_of_their_department_only(self, user_with, client_for):
        other = FacultyFactory()
        client = client_for(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, self.emmy.department_id))

        mine = client.patch(url_of(self.emmy), {"phone": "1"}, format="json")
        foreign = client.patch(url_of(other), {"phone": "1"}, format="json")

        assert mine.status_code == 200
        assert (foreign.status_code, foreign.json()["code"]) == (403, "out_of_scope")

    def test_the_posts_of_others_are_for_those_in_charge(self, user_with, client_for):
        post = FacultyAppointmentFactory(faculty=self.emmy)
        foreign = FacultyAppointmentFactory()
        head = client_for(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, self.emmy.department_id))
        colleague = client_for(user_with(Role.FACULTY, ScopeKind.SELF))

        assert [row["id"] for row in head.get(url_of(self.emmy, "appointments")).json()["data"]] == [str(post.pk)]
        assert head.get(url_of(foreign.faculty, "appointments")).json()["data"] == []
        assert colleague.get(url_of(self.emmy, "appointments")).status_code == 403


def test_bulk_creation_is_all_or_nothing(registrar_client, emmy):
    item = {"last_name": "A", "rank": "lecturer", "department": emmy.department_id}
    items = [{**item, "employee_no": number} for number in ("E8", "E1")]

    refused = registrar_client.post(f"{LIST}bulk-create/", {"items": items}, format="json")
    done = registrar_client.post(f"{LIST}bulk-create/", {"items": items, "mode": "best_effort"}, format="json")

    assert (refused.status_code, refused.json()["code"]) == (409, "employee_no_taken")
    assert [result["status"] for result in done.json()["data"]["results"]] == ["created", "refused"]
    assert (Faculty.objects.count(), FacultyAppointment.objects.count()) == (2, 1)


class TestOnesOwnPost:
    def test_nobody_raises_their_own_rank(self, user_with, client_for):
        member = FacultyFactory(rank="lecturer")
        head = user_with("department_head", "department", member.department_id, person=member.person)

        for answer in (
            client_for(head).patch(f"/api/v1/faculty/{member.pk}/", {"rank": "professor"}, format="json"),
            client_for(head).post(f"/api/v1/faculty/{member.pk}/change-status/", {"status": "on_leave"}, format="json"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "self_approval")
        member.refresh_from_db()
        assert (member.rank, member.status) == ("lecturer", "active")

    def test_everybody_in_charge_keeps_their_own_name_current(self, user_with, client_for):
        member = FacultyFactory()
        head = user_with("department_head", "department", member.department_id, person=member.person)

        answer = client_for(head).patch(f"/api/v1/faculty/{member.pk}/", {"preferred_name": "Lise"}, format="json")

        assert answer.status_code == 200, answer.json()
