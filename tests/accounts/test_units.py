"""A role is held within a unit that is there, and a unit stays while a role is held in it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.urls import reverse
from django.utils import timezone

from accounts import assignments, services
from accounts.models import Person, RoleAssignment, User
from accounts.roles import Role, ScopeKind
from accounts.selectors import require_unassigned
from core.errors import InUseError
from core.ids import new_id
from courses.services import delete_section
from courses.services.bulk import remove_sections
from departments.models import Department
from departments.services import delete_department, delete_program
from departments.services.bulk import remove_many
from tests.accounts.factories import PersonFactory, RoleAssignmentFactory, UserFactory
from tests.courses.factories import SectionFactory
from tests.departments.factories import DepartmentFactory, ProgramFactory
from tests.racing import at_once, while_uncommitted

pytestmark = pytest.mark.django_db
ASSIGNMENTS = "/api/v1/role-assignments/"
DAY = timedelta(days=1)
UNITS: dict[ScopeKind, tuple[Role, Any, Callable[..., None]]] = {
    ScopeKind.DEPARTMENT: (Role.DEPARTMENT_HEAD, DepartmentFactory, delete_department),
    ScopeKind.PROGRAM: (Role.PROGRAM_COORDINATOR, ProgramFactory, delete_program),
    ScopeKind.SECTION: (Role.TEACHING_ASSISTANT, SectionFactory, delete_section),
}


@pytest.fixture
def administrator(user_with: Callable[..., User]) -> User:
    return user_with(Role.SYSTEM_ADMIN, is_staff=True)


@pytest.fixture
def client_of_administrator(administrator: User, client_for: Any) -> Any:
    return client_for(administrator)


def head_of(department: Any, **values: Any) -> RoleAssignment:
    values.setdefault("user", UserFactory())
    return services.assign_role(
        by=None, role=Role.DEPARTMENT_HEAD, scope_kind="department", scope_id=department.pk, **values
    )


def in_the_past(held: RoleAssignment) -> RoleAssignment:
    span = DateTimeTZRange(timezone.now() - 2 * DAY, timezone.now() - DAY, "[)")
    RoleAssignment.objects.filter(pk=held.pk).update(valid=span)
    return RoleAssignment.objects.get(pk=held.pk)


def refusal(response: Any) -> tuple[int, str, str]:
    [error] = response.json()["errors"]
    return response.status_code, error["code"], error["field"]


class TestGiving:
    def test_every_kind_that_names_a_unit_has_a_model(self) -> None:
        assert set(UNITS) == {kind for kind in ScopeKind if assignments.unit_model(kind)}

    @pytest.mark.parametrize("kind", UNITS)
    def test_a_role_is_held_within_a_unit_that_is_there(self, client_of_administrator: Any, kind: ScopeKind) -> None:
        role, factory, _ = UNITS[kind]
        wish = {"user": UserFactory().pk, "role": role, "scope_kind": kind}

        given = client_of_administrator.post(ASSIGNMENTS, {**wish, "scope_id": factory().pk})
        refused = client_of_administrator.post(ASSIGNMENTS, {**wish, "scope_id": new_id()})

        assert given.status_code == 201, given.json()
        assert refusal(refused) == (400, "does_not_exist", "scope_id")
        assert RoleAssignment.objects.filter(role=role).count() == 1

    def test_a_unit_of_another_kind_is_none(self, client_of_administrator: Any) -> None:
        wish = {"user": UserFactory().pk, "role": "department_head", "scope_kind": "department"}

        response = client_of_administrator.post(ASSIGNMENTS, {**wish, "scope_id": ProgramFactory().pk})

        assert refusal(response) == (400, "does_not_exist", "scope_id")

    def test_what_the_actor_cannot_see_answers_like_what_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # Everybody sees the units there are; of people everybody sees themselves alone.
        monkeypatch.setitem(assignments._units, "department", Person)
        wish = {"role": Role.DEPARTMENT_HEAD, "scope_kind": "department", "scope_id": PersonFactory().pk}

        with pytest.raises(services.NoSuchUnitError):
            services.assign_role(by=UserFactory(), user=UserFactory(), **wish)

        assert services.assign_role(by=None, user=UserFactory(), **wish).scope_id == wish["scope_id"]

    def test_a_kind_that_no_app_has_units_of_has_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(assignments._units, "department")

        with pytest.raises(services.NoSuchUnitError):
            head_of(DepartmentFactory())

    def test_an_unknown_kind_is_an_invalid_choice(self, client_of_administrator: Any) -> None:
        wish = {"user": UserFactory().pk, "role": "auditor", "scope_kind": "planet", "scope_id": new_id()}

        assert refusal(client_of_administrator.post(ASSIGNMENTS, wish)) == (400, "invalid_choice", "scope_kind")

    def test_an_assignment_moves_to_units_that_are_there_alone(self, client_of_administrator: Any) -> None:
        held = head_of(DepartmentFactory())
        other = DepartmentFactory()
        client = client_of_administrator

        moved = client.patch(f"{ASSIGNMENTS}{held.pk}/", {"scope_id": other.pk})
        refused = client.patch(f"{ASSIGNMENTS}{held.pk}/", {"scope_id": new_id()})

        assert moved.status_code == 200, moved.json()
        assert refusal(refused) == (400, "does_not_exist", "scope_id")
        assert RoleAssignment.objects.get(pk=held.pk).scope_id == other.pk

    def test_an_ended_assignment_is_not_prolonged_in_a_unit_that_is_gone(self) -> None:
        department = DepartmentFactory()
        held = in_the_past(head_of(department))
        delete_department(department, by=None)

        with pytest.raises(services.NoSuchUnitError):
            services.update_assignment(held, by=None, valid_until=timezone.now() + DAY)

    def test_one_of_many_is_refused_at_its_place(self, client_of_administrator: Any) -> None:
        wishes = [
            {"user": UserFactory().pk, "role": "department_head", "scope_kind": "department", "scope_id": unit}
            for unit in (str(DepartmentFactory().pk), str(new_id()))
        ]

        response = client_of_administrator.post(f"{ASSIGNMENTS}bulk-create/", {"items": wishes})

        assert refusal(response) == (400, "does_not_exist", "items.1.scope_id")
        assert not RoleAssignment.objects.filter(role="department_head").exists()

    def test_the_administration_pages_say_it_beside_the_field(self, client: Any, administrator: User) -> None:
        client.force_login(administrator)
        wish = {"user": UserFactory().pk, "role": "department_head", "scope_kind": "department", "scope_id": new_id()}

        page = client.post(reverse("admin:accounts_roleassignment_add"), wish)

        assert page.status_code == 200
        assert page.context["adminform"].form.errors["scope_id"] == ["There is no such row."]
        assert not RoleAssignment.objects.filter(role="department_head").exists()

        wish["scope_id"] = DepartmentFactory().pk
        assert client.post(reverse("admin:accounts_roleassignment_add"), wish).status_code == 302


class TestDeletingUnits:
    @pytest.mark.parametrize("kind", UNITS)
    def test_a_unit_stays_while_a_role_is_held_in_it(self, kind: ScopeKind) -> None:
        role, factory, delete = UNITS[kind]
        unit = factory()
        held = RoleAssignmentFactory(role=role, scope_kind=kind, scope_id=unit.pk)

        with pytest.raises(InUseError) as refused:
            delete(unit, by=None)

        assert refused.value.meta == {"referred_to_by": {"role assignments": 1}}
        services.end_assignment(held, by=None)
        delete(unit, by=None)
        assert not type(unit).objects.filter(pk=unit.pk).exists()

    def test_a_role_that_is_to_come_counts(self) -> None:
        department = DepartmentFactory()
        head_of(department, valid_from=timezone.now() + DAY, valid_until=timezone.now() + 2 * DAY)

        with pytest.raises(InUseError):
            delete_department(department, by=None)

    def test_the_api_answers_in_use(self, registrar_client: Any) -> None:
        department = DepartmentFactory()
        head_of(department)

        response = registrar_client.delete(f"/api/v1/departments/{department.pk}/")

        assert (response.status_code, response.json()["code"]) == (409, "in_use")
        assert Department.objects.filter(pk=department.pk).exists()

    def test_the_administration_pages_refuse_it(self, client: Any, registrar: User) -> None:
        client.force_login(registrar)
        department = DepartmentFactory()
        head_of(department)

        page = client.post(reverse("admin:departments_department_delete", args=[department.pk]), {"post": "yes"})

        assert page.status_code == 302
        assert Department.objects.filter(pk=department.pk).exists()

    def test_many_are_refused_together(self) -> None:
        department, section = DepartmentFactory(), SectionFactory()
        head_of(department)
        RoleAssignmentFactory(role=Role.TEACHING_ASSISTANT, scope_kind="section", scope_id=section.pk)

        with pytest.raises(InUseError):
            remove_many(model=Department, ids=[department.pk, DepartmentFactory().pk])
        with pytest.raises(InUseError):
            remove_sections(ids=[section.pk])

    def test_it_costs_two_queries_however_many_they_are(self, django_assert_num_queries: Any) -> None:
        units = [DepartmentFactory().pk for _ in range(5)]

        with django_assert_num_queries(2):
            require_unassigned(ScopeKind.DEPARTMENT, units)

    def test_assignments_are_found_by_the_units_index(self) -> None:
        span = DateTimeTZRange(timezone.now(), None, "[)")
        rows = [{"user": UserFactory(), "role": role, "valid": span} for role in (Role.ADVISOR, Role.DEPARTMENT_HEAD)]
        RoleAssignment.objects.bulk_create(
            RoleAssignment(**row, scope_kind="department", scope_id=new_id()) for row in rows for _ in range(200)
        )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE accounts_roleassignment")
            cursor.execute("SET LOCAL enable_seqscan = off")

        found = RoleAssignment.objects.lasting().filter(scope_kind="department", scope_id__in=[new_id()])
        assert "accounts_roleassignment_scope" in found.explain()


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_a_unit_that_is_being_given_a_role_in_is_not_deleted(self) -> None:
        department = DepartmentFactory()

        def give() -> None:
            head_of(department)

        assert while_uncommitted(give, lambda: delete_department(department, by=None)) == "in_use"

    def test_no_role_is_given_in_a_unit_that_is_being_deleted(self) -> None:
        department, user = DepartmentFactory(), UserFactory()

        outcome = while_uncommitted(
            lambda: delete_department(Department.objects.get(pk=department.pk), by=None),
            lambda: head_of(department, user=user),
        )

        assert outcome == "does_not_exist"
        assert not RoleAssignment.objects.exists()

    def test_several_are_given_roles_in_one_unit_without_waiting_for_each_other(self) -> None:
        department = DepartmentFactory()
        users = [UserFactory() for _ in range(4)]

        outcomes = at_once(*(lambda user=user: head_of(department, user=user).user_id for user in users))

        assert outcomes == [user.pk for user in users]
