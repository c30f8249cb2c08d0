"""What the address of a list cannot be made to tell: anything of columns that the list does not show."""

import pytest
from django.contrib import admin
from django.contrib.admin.utils import flatten
from django.urls import reverse

from accounts.models import PersonIdentifier, User
from accounts.roles import Role
from core.admin import ServiceAdmin
from departments.models import Appointment
from departments.services import appoint
from interop.models import ImportRow
from tests.accounts.factories import PersonFactory
from tests.courses.factories import SectionFactory
from tests.departments.factories import DepartmentFactory
from tests.students.factories import StudentFactory

pytestmark = [pytest.mark.django_db, pytest.mark.sweep, pytest.mark.usefixtures("no_sidebar")]
ADMINS = sorted(admin.site._registry.values(), key=lambda pages: pages.opts.label_lower)
every_list = pytest.mark.parametrize("pages", ADMINS, ids=lambda pages: pages.opts.label_lower)
NUMBER = "QX 7391 8264"


def list_of(model):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def columns_of(pages):
    """The columns of a list that it has no filter for, its own and those of the rows it refers to."""
    for field in pages.model._meta.concrete_fields:
        if field.name not in pages.list_filter:
            yield field.name
        if field.is_relation:
            yield from (f"{field.name}__{column.name}" for column in field.related_model._meta.concrete_fields)


@pytest.fixture
def browse(client, user_with):
    client.force_login(user_with(Role.SYSTEM_ADMIN, is_staff=True))
    return client.get


def found(answer):
    assert answer.status_code == 200
    return set(answer.context["cl"].queryset)


@every_list
def test_no_list_is_narrowed_by_a_column_it_has_no_filter_for(pages, browse):
    assert isinstance(pages, ServiceAdmin)
    offered = {f"{name}{exactly}" for name in pages.list_filter for exactly in ("", "__exact", "__id__exact")}
    asked = {f"{name}{lookup}" for name in columns_of(pages) for lookup in ("", "__exact", "__startswith", "__year")}
    asked |= {f"{name}__{lookup}" for name in pages.list_filter for lookup in ("startswith", "gt", "regex")}
    asked -= offered | ({"job__id__exact"} if pages.model is ImportRow else set())

    answer = browse(list_of(pages.model), {(unasked := min(asked)): "1"})
    allowed = {name for name in asked if pages.lookup_allowed(name, "1", answer.wsgi_request)}

    assert answer.status_code == 400, unasked
    assert allowed == set()


def test_a_hash_is_not_found_out_character_by_character(browse):
    (user,) = User.objects.all()

    for name, value in {
        "password__startswith": user.password[:4],
        "token_version": "1",
        "_to_field": "password",
    }.items():
        assert browse(list_of(User), {name: value}).status_code == 400, name


@every_list
def test_every_filter_of_a_list_leads_somewhere(pages, browse):
    SectionFactory()
    StudentFactory()
    shown = browse(list_of(pages.model)).context["cl"]

    links = flatten([[choice["query_string"] for choice in spec.choices(shown)] for spec in shown.filter_specs])

    for link in links:
        assert browse(f"{list_of(pages.model)}{link}").status_code == 200, link


@every_list
def test_no_list_is_ordered_by_what_is_no_column_of_it(pages, browse):
    usual = browse(list_of(pages.model)).context["cl"].queryset.query.order_by
    beyond = len(pages.list_display) + 1

    for order in (f"{beyond}", f"-{beyond}", "password", "--1", "-created_at"):
        answer = browse(list_of(pages.model), {"o": order})
        added = set(answer.context["cl"].queryset.query.order_by) - set(usual)
        assert all(name.lstrip("-").split("__")[0] in ("pk", *pages.list_display) for name in added), order
    assert pages.date_hierarchy is None


def test_searching_does_not_look_into_what_is_hidden(browse):
    (user,) = User.objects.all()
    holder = PersonFactory(last_name="Noether", email="hidden@example.org")
    office = appoint(by=user, department=DepartmentFactory(), person=holder, role="head")
    identifier = PersonIdentifier.objects.create(person=PersonFactory(), scheme="passport", country="AT", value=NUMBER)

    assert found(browse(list_of(User), {"q": user.email})) == {user}
    assert found(browse(list_of(User), {"q": user.password[:10]})) == set()
    assert found(browse(list_of(Appointment), {"q": "noether"})) == {office}
    assert found(browse(list_of(Appointment), {"q": "hidden@"})) == set()
    assert found(browse(list_of(PersonIdentifier), {"q": identifier.person.last_name})) == {identifier}
    assert found(browse(list_of(PersonIdentifier), {"q": NUMBER.split()[1]})) == set()
