"""The shape of the university over HTTP: shape, scope, refusal, cost."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.roles import Role, ScopeKind
from core.ids import new_id
from core.models import CustomField
from departments.models import Department, Room, Term
from tests.accounts.factories import PersonFactory
from tests.departments.factories import (
    AcademicYearFactory,
    BuildingFactory,
    CalendarEventFactory,
    CampusFactory,
    DepartmentFactory,
    ProgramFactory,
    RoomFactory,
    TermFactory,
)

pytestmark = pytest.mark.django_db
LIST = "/api/v1/departments/"
FACTORIES = {
    "departments": DepartmentFactory,
    "programs": ProgramFactory,
    "campuses": CampusFactory,
    "buildings": BuildingFactory,
    "rooms": RoomFactory,
    "academic-years": AcademicYearFactory,
    "terms": TermFactory,
    "calendar-events": CalendarEventFactory,
}


@pytest.fixture
def student_client(user_with, client_for):
    return client_for(user_with(Role.STUDENT, ScopeKind.SELF))


def test_a_department_reads_as_documented(registrar_client):
    department = DepartmentFactory(code="PHY", name="Physics", parent=DepartmentFactory(code="SCI", name="Science"))
    head = PersonFactory(first_name="Lise", last_name="Meitner")
    registrar_client.post(
        "/api/v1/appointments/",
        {"department": department.pk, "person": head.pk, "role": "head", "starts_on": "2020-01-01"},
        format="json",
    )

    data = registrar_client.get(f"{LIST}{department.pk}/").json()["data"]

    assert data.pop("created_at")
    assert data.pop("updated_at")
    assert data == {
        "id": str(department.pk),
        "code": "PHY",
        "name": "Physics",
        "kind": "department",
        "parent": {"id": str(department.parent.pk), "code": "SCI", "name": "Science"},
        "head": {"id": str(head.pk), "first_name": "Lise", "last_name": "Meitner", "preferred_name": ""},
        "is_active": True,
        "custom_fields": {},
    }


@pytest.mark.parametrize("plural", FACTORIES)
def test_a_list_costs_at_most_three_queries_however_many_rows(registrar_client, django_assert_max_num_queries, plural):
    for _ in range(12):
        FACTORIES[plural]()

    with django_assert_max_num_queries(3):
        body = registrar_client.get(f"/api/v1/{plural}/?page_size=10").json()

    assert len(body["data"]) == 10
    assert body["meta"]["pagination"]["next"]


@pytest.mark.parametrize("plural", FACTORIES)
def test_what_a_list_shows_a_detail_shows_too(registrar_client, plural):
    row = FACTORIES[plural]()

    listed = registrar_client.get(f"/api/v1/{plural}/").json()["data"]
    shown = registrar_client.get(f"/api/v1/{plural}/{row.pk}/").json()["data"]

    assert shown in listed


@pytest.mark.parametrize("plural", FACTORIES)
def test_nobody_reads_without_logging_in(client_for, plural):
    response = client_for(None).get(f"/api/v1/{plural}/")

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert response.json()["code"] == "not_authenticated"


def test_creating_and_changing_round_trip(registrar_client):
    created = registrar_client.post(LIST, {"code": "BIO", "name": "Biology"}, format="json")
    assert created.status_code == 201, created.json()
    url = f"{LIST}{created.json()['data']['id']}/"

    changed = registrar_client.patch(url, {"name": "Life sciences"}, format="json", HTTP_IF_MATCH=created["ETag"])

    assert changed.status_code == 200, changed.json()
    assert changed.json()["data"] == registrar_client.get(url).json()["data"]
    assert changed.json()["data"]["name"] == "Life sciences"
    assert registrar_client.delete(url).status_code == 204
    assert registrar_client.get(url).status_code == 404


def test_a_stale_if_match_is_refused(registrar_client):
    url = f"{LIST}{DepartmentFactory().pk}/"
    seen = registrar_client.get(url)["ETag"]
    registrar_client.patch(url, {"name": "First"}, format="json")

    response = registrar_client.patch(url, {"name": "Second"}, format="json", HTTP_IF_MATCH=seen)

    assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")
    assert Department.objects.get().name == "First"


def test_an_unchanged_row_is_not_sent_again(registrar_client):
    url = f"{LIST}{DepartmentFactory().pk}/"
    seen = registrar_client.get(url)["ETag"]

    response = registrar_client.get(url, HTTP_IF_NONE_MATCH=seen)

    assert (response.status_code, response.content, response["ETag"]) == (304, b"", seen)


def test_a_row_in_use_is_not_deleted(registrar_client):
    child = DepartmentFactory(parent=DepartmentFactory())

    response = registrar_client.delete(f"{LIST}{child.parent_id}/")

    assert (response.status_code, response.json()["code"]) == (409, "in_use")
    assert response.json()["errors"][0]["meta"] == {"referred_to_by": {"departments": 1}}
    assert Department.objects.count() == 2


def test_every_fault_of_a_request_is_reported_at_once(registrar_client):
    response = registrar_client.post(LIST, {"kind": "castle", "colour": "red"}, format="json")

    assert response.status_code == 400
    assert {(error["field"], error["code"]) for error in response.json()["errors"]} == {
        ("code", "required"),
        ("name", "required"),
        ("kind", "invalid_choice"),
        ("colour", "unknown_field"),
    }
    assert not Department.objects.exists()


def test_a_code_is_taken_once(registrar_client):
    DepartmentFactory(code="PHY")

    response = registrar_client.post(LIST, {"code": "PHY", "name": "Again"}, format="json")

    assert (response.status_code, response.json()["code"]) == (409, "code_taken")
    assert response.json()["errors"][0]["field"] == "code"


def test_what_a_read_showed_may_be_sent_back(registrar_client):
    url = f"{LIST}{DepartmentFactory().pk}/"
    data = registrar_client.get(url).json()["data"]

    response = registrar_client.patch(url, {**data, "name": "New"}, format="json")

    assert response.status_code == 200, response.json()


def test_a_student_looks_but_does_not_touch(student_client):
    url = f"{LIST}{DepartmentFactory(name='Physics').pk}/"

    assert student_client.get(url).status_code == 200
    for response in (
        student_client.post(LIST, {"code": "X", "name": "X"}, format="json"),
        student_client.patch(url, {"name": "X"}, format="json"),
        student_client.delete(url),
        student_client.post(f"{LIST}bulk-delete/", {"items": [{"id": url}]}, format="json"),
    ):
        assert (response.status_code, response.json()["code"]) == (403, "permission_denied")
    assert Department.objects.get().name == "Physics"


def test_a_head_changes_their_own_part_of_the_tree_only(user_with, client_for):
    mine, other = DepartmentFactory(), DepartmentFactory()
    below = DepartmentFactory(parent=mine)
    client = client_for(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, mine.pk))

    assert client.patch(f"{LIST}{below.pk}/", {"name": "Mine"}, format="json").status_code == 200
    response = client.patch(f"{LIST}{other.pk}/", {"name": "Mine"}, format="json")

    assert (response.status_code, response.json()["code"]) == (403, "out_of_scope")
    assert Department.objects.get(pk=other.pk).name != "Mine"


def test_nobody_moves_a_row_out_of_their_own_reach(user_with, client_for):
    mine, other = DepartmentFactory(), DepartmentFactory()
    below = DepartmentFactory(parent=mine)
    client = client_for(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, mine.pk))

    response = client.patch(f"{LIST}{below.pk}/", {"parent": other.pk}, format="json")

    assert (response.status_code, response.json()["code"]) == (403, "out_of_scope")
    assert Department.objects.get(pk=below.pk).parent == mine


@pytest.mark.parametrize("place", ["foreign", "top"])
def test_nobody_moves_their_department_to_a_place_that_is_not_theirs(user_with, client_for, place):
    mine, foreign = DepartmentFactory(parent=DepartmentFactory()), DepartmentFactory()
    client = client_for(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, mine.pk))

    response = client.patch(f"{LIST}{mine.pk}/", {"parent": foreign.pk if place == "foreign" else None}, format="json")

    assert (response.status_code, response.json()["code"]) == (403, "out_of_scope")
    assert Department.objects.get(pk=mine.pk).parent == mine.parent


class TestFindingRows:
    def test_filters_by_parent_and_by_root(self, registrar_client):
        child = DepartmentFactory(parent=DepartmentFactory())

        below = registrar_client.get(f"{LIST}?parent={child.parent_id}").json()["data"]
        roots = registrar_client.get(f"{LIST}?root=true").json()["data"]

        assert [row["id"] for row in below] == [str(child.pk)]
        assert [row["id"] for row in roots] == [str(child.parent_id)]

    def test_searches_words_by_their_beginning_and_forgives_a_typing_error(self, registrar_client):
        DepartmentFactory(code="PHY", name="Theoretical Physics")
        DepartmentFactory(code="HIS", name="History")

        for text in ("phys theo", "PHY", "theoretcal"):
            found = registrar_client.get(LIST, {"search": text}).json()["data"]
            assert [row["code"] for row in found] == ["PHY"], text

    def test_filters_by_a_custom_field(self, registrar_client):
        CustomField.objects.create(
            entity_type="departments.department", name="cost_centre", label="Cost centre", field_type="text"
        )
        row = registrar_client.post(
            LIST, {"code": "A", "name": "A", "custom_fields": {"cost_centre": "A+1"}}, format="json"
        ).json()["data"]
        DepartmentFactory()

        found = registrar_client.get(f"{LIST}?custom.cost_centre=A%2B1").json()["data"]

        assert [department["id"] for department in found] == [row["id"]]
        assert found[0]["custom_fields"] == {"cost_centre": "A+1"}

    def test_orders_both_ways(self, registrar_client):
        for code in ("B", "A", "C"):
            DepartmentFactory(code=code)

        up = registrar_client.get(f"{LIST}?ordering=code").json()["data"]
        down = registrar_client.get(f"{LIST}?ordering=-code").json()["data"]

        assert [row["code"] for row in up] == ["A", "B", "C"]
        assert down == up[::-1]

    @pytest.mark.parametrize(
        "query", ["colour=red", "is_active=perhaps", "parent=1", "ordering=name;drop", "page_size=0"]
    )
    def test_refuses_what_it_does_not_know(self, registrar_client, query):
        response = registrar_client.get(f"{LIST}?{query}")

        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == query.partition("=")[0]

    def test_narrows_and_widens_a_row(self, registrar_client, django_assert_max_num_queries):
        DepartmentFactory(code="B", parent=DepartmentFactory(code="A", name="Top"))

        with django_assert_max_num_queries(4):
            rows = registrar_client.get(f"{LIST}?fields=code,parent&include=parent&search=B").json()["data"]

        assert [sorted(row) for row in rows] == [["code", "parent"]]
        assert rows[0]["parent"]["name"] == "Top"
        assert rows[0]["parent"]["kind"] == "department"

    @pytest.mark.parametrize("query", ["fields=secret", "include=head", "include=parent.parent.parent"])
    def test_refuses_to_select_what_a_row_lacks(self, registrar_client, query):
        response = registrar_client.get(f"{LIST}?{query}")

        assert (response.status_code, response.json()["code"]) == (400, "unknown_field")


class TestBulk:
    def test_creates_many_rows(self, registrar_client):
        items = [{"code": f"D{n}", "name": f"Department {n}"} for n in range(50)]

        body = registrar_client.post(f"{LIST}bulk-create/", {"items": items}, format="json").json()

        assert (body["data"]["succeeded"], body["data"]["refused"]) == (50, 0)
        assert Department.objects.count() == 50

    def test_each_row_costs_the_same_however_many_there_are(self, registrar_client):
        def cost(letter, number):
            items = [{"code": f"{letter}{n}", "name": "D"} for n in range(number)]
            with CaptureQueriesContext(connection) as asked:
                answer = registrar_client.post(f"{LIST}bulk-create/", {"items": items}, format="json")
            assert answer.json()["data"]["succeeded"] == number
            return len(asked)

        cost("warm", 1)
        one, eleven, forty_one = cost("A", 1), cost("B", 11), cost("C", 41)

        assert forty_one - one == 4 * (eleven - one)
        assert eleven - one <= 100

    def test_one_refused_item_undoes_all_of_them(self, registrar_client):
        DepartmentFactory(code="TAKEN")
        items = [{"code": "NEW", "name": "New"}, {"code": "TAKEN", "name": "X"}, {"name": "Y"}]

        response = registrar_client.post(f"{LIST}bulk-create/", {"items": items}, format="json")

        assert {(error["field"], error["code"]) for error in response.json()["errors"]} == {
            ("items.1.code", "code_taken"),
            ("items.2.code", "required"),
        }
        assert response.status_code == 409
        assert Department.objects.count() == 1

    def test_a_misspelt_member_is_refused_rather_than_passed_over(self, registrar_client):
        body = {"items": [{"code": "NEW", "name": "New"}], "mod": "best_effort"}

        response = registrar_client.post(f"{LIST}bulk-create/", body, format="json")

        assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "unknown_field")
        assert not Department.objects.exists()

    def test_best_effort_keeps_the_others(self, registrar_client):
        items = [{"code": "NEW", "name": "New"}, {"name": "Y"}]

        data = registrar_client.post(
            f"{LIST}bulk-create/", {"items": items, "mode": "best_effort"}, format="json"
        ).json()["data"]

        assert [result["status"] for result in data["results"]] == ["created", "refused"]
        assert data["results"][0]["id"] == str(Department.objects.get().pk)

    def test_changes_and_deletes_rows_by_id(self, registrar_client):
        kept, gone = DepartmentFactory(), DepartmentFactory()

        registrar_client.post(f"{LIST}bulk-update/", {"items": [{"id": kept.pk, "name": "Kept"}]}, format="json")
        registrar_client.post(f"{LIST}bulk-delete/", {"items": [{"id": gone.pk}]}, format="json")

        assert Department.objects.get().name == "Kept"

    def test_deletes_what_only_others_of_the_request_are_above_whatever_else_it_names(self, registrar_client):
        leaf = DepartmentFactory(parent=DepartmentFactory(parent=DepartmentFactory()))
        chain = [leaf.parent.parent, leaf, leaf.parent]
        held = DepartmentFactory(parent=DepartmentFactory()).parent
        items = [{"id": str(pk)} for pk in (held.pk, *(row.pk for row in chain), new_id())]

        whole = registrar_client.post(f"{LIST}bulk-delete/", {"items": items}, format="json")
        assert [(error["field"], error["code"]) for error in whole.json()["errors"]] == [
            ("items.0", "in_use"), ("items.4.id", "not_found"),
        ]  # fmt: skip
        assert Department.objects.count() == 5

        rest = registrar_client.post(f"{LIST}bulk-delete/", {"items": items, "mode": "best_effort"}, format="json")
        results = [
            (each["status"], *(error["code"] for error in each["errors"])) for each in rest.json()["data"]["results"]
        ]
        assert results == [("refused", "in_use"), *[("deleted",)] * 3, ("refused", "not_found")]
        assert set(Department.objects.all()) == {held, *held.children.all()}

    @pytest.mark.parametrize("mode", ["best_effort", "all_or_nothing"])
    def test_twice_as_many_that_use_each_other_cost_twice_as_much_to_delete(self, registrar_client, mode):
        used = ProgramFactory().department

        def cost(number):
            rows = [None]
            for _ in range(number):
                rows.append(DepartmentFactory(parent=rows[-1]))
            items = [{"id": str(row.pk)} for row in [*rows[1:], used]]
            with CaptureQueriesContext(connection) as asked:
                registrar_client.post(f"{LIST}bulk-delete/", {"items": items, "mode": mode}, format="json")
            assert Department.objects.filter(pk__in=[row.pk for row in rows[1:]]).exists() == (mode != "best_effort")
            return len(asked)

        assert cost(16) <= 2.2 * cost(8)

    @pytest.mark.parametrize("step", ["update", "delete"])
    def test_an_item_names_its_row(self, registrar_client, step):
        items = [{}, {"id": None}, {"id": 7}, {"id": "x"}]

        answer = registrar_client.post(f"{LIST}bulk-{step}/", {"items": items}, format="json")

        assert [error["code"] for error in answer.json()["errors"]] == ["required", "required", "invalid", "invalid"]

    @pytest.mark.parametrize("step", ["update", "delete"])
    def test_no_two_items_are_about_one_row(self, registrar_client, step):
        twice, once = DepartmentFactory(name="Before"), DepartmentFactory(name="Before")
        change = {"name": "After"} if step == "update" else {}
        items = [{"id": str(row.pk), **change} for row in (twice, once)] + [{"id": str(twice.pk).upper(), **change}]

        whole = registrar_client.post(f"{LIST}bulk-{step}/", {"items": items}, format="json")
        assert (whole.status_code, whole.json()["code"]) == (400, "duplicate_item")
        assert [error["field"] for error in whole.json()["errors"]] == ["items.0.id", "items.2.id"]
        assert list(Department.objects.values_list("name", flat=True)) == ["Before"] * 2

        rest = registrar_client.post(f"{LIST}bulk-{step}/", {"items": items, "mode": "best_effort"}, format="json")
        assert [result["status"] for result in rest.json()["data"]["results"]] == ["refused", f"{step}d", "refused"]
        assert Department.objects.get(pk=twice.pk).name == "Before"

    def test_one_tag_does_not_stand_for_many_rows(self, registrar_client):
        row = DepartmentFactory(name="Before")

        response = registrar_client.post(
            f"{LIST}bulk-update/", {"items": [{"id": row.pk, "name": "After"}]}, format="json", HTTP_IF_MATCH='"1-x"'
        )

        assert (response.status_code, response.json()["code"]) == (400, "if_match_not_for_bulk")
        assert Department.objects.get().name == "Before"

    def test_takes_at_most_a_thousand_items(self, registrar_client):
        items = [{"code": f"D{n}", "name": "D"} for n in range(1001)]

        response = registrar_client.post(f"{LIST}bulk-create/", {"items": items}, format="json")

        assert response.status_code == 400
        assert not Department.objects.exists()


def test_a_term_moves_step_by_step(registrar_client):
    term = TermFactory(state="planned")

    moved = registrar_client.post(f"/api/v1/terms/{term.pk}/move/", {"state": "registration"}, format="json")
    refused = registrar_client.post(f"/api/v1/terms/{term.pk}/move/", {"state": "closed"}, format="json")

    assert moved.json()["data"]["state"] == "registration"
    assert (refused.status_code, refused.json()["code"]) == (409, "illegal_transition")
    assert Term.objects.get().state == "registration"


def test_a_facilities_manager_looks_after_rooms(user_with, client_for):
    client = client_for(user_with(Role.FACILITIES_MANAGER))
    building = BuildingFactory()

    response = client.post(
        "/api/v1/rooms/",
        {"building": building.pk, "code": "101", "capacity": 20, "features": ["projector"]},
        format="json",
    )

    assert response.status_code == 201, response.json()
    assert Room.objects.get().features == ["projector"]
