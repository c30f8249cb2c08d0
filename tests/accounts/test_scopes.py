"""Within which kinds of scope each role is held: where it opens something, and nowhere else."""

from itertools import product
from uuid import UUID

import pytest
from django.apps import apps
from django.core.exceptions import EmptyResultSet
from django.urls import reverse

from accounts.assignments import Assignment
from accounts.models import RoleAssignment, User
from accounts.roles import SCOPES, UNSCOPED, Role, ScopeKind
from core.masks import masks_of
from core.visibility import grants_for
from tests.accounts.factories import RoleAssignmentFactory, UserFactory
from tests.courses.factories import SectionFactory
from tests.departments.factories import DepartmentFactory, ProgramFactory

pytestmark = pytest.mark.django_db

ASSIGNMENTS = "/api/v1/role-assignments/"
UNITS = {
    ScopeKind.DEPARTMENT: DepartmentFactory,
    ScopeKind.PROGRAM: ProgramFactory,
    ScopeKind.SECTION: SectionFactory,
}
# Examinations, payments and campaigns have no rows yet that a role could open.
TO_COME = {Role.EXAMINER, Role.FINANCE_APPROVER, Role.CAMPAIGN_MANAGER}
SOMEBODY, SOMETHING = UUID(int=7), UUID(int=8)


@pytest.fixture
def units():
    """A unit of every kind that has any."""
    return {kind: make().pk for kind, make in UNITS.items()}


def refusals(client, wish):
    answer = client.post(ASSIGNMENTS, wish, format="json")
    return answer.status_code, answer.json().get("code")


def opened_by(role, kind):
    """Return the conditions of every rule of sight and every mask for somebody who holds a role within a scope."""
    unit = None if kind in (*UNSCOPED, "") else SOMETHING
    actor = User(pk=SOMEBODY, person_id=SOMETHING)
    actor.assignments = (Assignment(role, kind, unit),)
    rules = [
        (model, rule)
        for model in apps.get_models()
        for rule in (*grants_for(model), *grants_for(model, "manage"), *(mask.rule for mask in masks_of(model)))
    ]
    return [condition(model, rule(actor)) for model, rule in rules]


def condition(model, rows):
    try:
        return None if rows is None else str(model._base_manager.filter(rows).values("pk").query)
    except EmptyResultSet:
        return None


def test_every_role_is_held_somewhere():
    assert set(SCOPES) == set(Role)
    assert all(SCOPES.values())


@pytest.mark.parametrize("role", Role)
def test_a_role_is_granted_within_the_scopes_that_it_declares_and_no_others(role, user_with, client_for, units):
    client = client_for(user_with(Role.SYSTEM_ADMIN))
    found = {}
    for kind in ScopeKind:
        wish = {"user": str(UserFactory().pk), "role": role, "scope_kind": kind}
        found[kind] = refusals(client, wish | ({"scope_id": units[kind]} if kind in units else {}))

    assert found == {kind: (201, None) if kind in SCOPES[role] else (400, "scope_not_for_role") for kind in ScopeKind}


@pytest.mark.parametrize(
    ("role", "kind"),
    [(role, kind) for role, kind in product(Role, ScopeKind) if kind in SCOPES[role] and role not in TO_COME],
)
def test_what_can_be_granted_opens_something(role, kind):
    assert opened_by(role, kind) != opened_by(role, "")


def test_the_roles_whose_work_is_to_come_open_nothing_anywhere():
    for role, kind in product(TO_COME, ScopeKind):
        assert opened_by(role, kind) == opened_by(role, ""), (role, kind)


def test_an_assignment_moves_to_no_scope_that_its_role_is_not_held_in(user_with, client_for, units):
    held = RoleAssignmentFactory(role=Role.REGISTRAR)
    client = client_for(user_with(Role.SYSTEM_ADMIN))

    answer = client.patch(f"{ASSIGNMENTS}{held.pk}/", {"scope_kind": "self"}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (400, "scope_not_for_role")
    assert RoleAssignment.objects.get(pk=held.pk).scope_kind == "institution"


def test_a_role_whose_usual_scope_takes_a_unit_is_not_granted_without_one(user_with, client_for):
    client = client_for(user_with(Role.SYSTEM_ADMIN))

    assert refusals(client, {"user": str(UserFactory().pk), "role": "department_head"}) == (400, "scope_mismatch")


def test_the_page_of_the_administration_refuses_alike(client, user_with):
    client.force_login(user_with(Role.SYSTEM_ADMIN, is_staff=True))
    wish = {"user": UserFactory().pk, "role": "department_head", "scope_kind": "self"}

    page = client.post(reverse("admin:accounts_roleassignment_add"), wish)

    assert page.status_code == 200
    assert "This role is not held within a scope of this kind." in page.content.decode()
    assert not RoleAssignment.objects.filter(role="department_head").exists()
