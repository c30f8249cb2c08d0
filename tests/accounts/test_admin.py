"""The administration pages of accounts."""

import pytest
from django.contrib.auth.hashers import check_password
from django.urls import reverse

from accounts.models import Person, RoleAssignment, User
from accounts.roles import Role
from tests.accounts.factories import PersonFactory, RoleAssignmentFactory, UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"


def url(model, page, *args):
    return reverse(f"admin:accounts_{model}_{page}", args=args)


@pytest.fixture
def admin_pages(client, user_with):
    client.force_login(user_with(Role.SYSTEM_ADMIN, is_staff=True))
    return client


@pytest.mark.parametrize(
    ("model", "make"), [("user", UserFactory), ("person", PersonFactory), ("roleassignment", RoleAssignmentFactory)]
)
def test_every_page_opens(admin_pages, model, make):
    row = make()

    for page in (
        url(model, "changelist"),
        url(model, "add"),
        url(model, "change", row.pk),
        url(model, "delete", row.pk),
    ):
        assert admin_pages.get(page).status_code == 200, page


def test_an_account_is_opened_with_a_password_that_is_stored_hashed(admin_pages):
    admin_pages.post(url("user", "add"), {"email": "new@example.org", "is_active": "on", "password": PASSWORD})

    assert check_password(PASSWORD, User.objects.get(email="new@example.org").password)


def test_a_short_password_is_refused_beside_its_field(admin_pages):
    page = admin_pages.post(url("user", "add"), {"email": "new@example.org", "is_active": "on", "password": "short"})

    assert "at least 15 characters" in page.content.decode()
    assert not User.objects.filter(email="new@example.org").exists()


def test_an_edit_without_a_password_keeps_the_present_one(admin_pages):
    user = UserFactory(password="the hash that was")

    admin_pages.post(url("user", "change", user.pk), {"email": "moved@example.org", "is_active": "on", "password": ""})

    saved = User.objects.get(pk=user.pk)
    assert (saved.email, saved.password) == ("moved@example.org", "the hash that was")


def test_a_role_is_given_from_a_day_on(admin_pages):
    user = UserFactory()

    page = admin_pages.post(
        url("roleassignment", "add"),
        {
            "user": user.pk,
            "role": "auditor",
            "scope_kind": "institution",
            "scope_id": "",
            "valid_from_0": "",
            "valid_from_1": "",
        },
    )

    assert page.status_code == 302, page.context["errors"]
    assert RoleAssignment.objects.get(user=user).granted_by is not None


def test_a_registrar_reads_people_but_changes_no_account(client, registrar):
    client.force_login(registrar)
    person = PersonFactory()

    assert client.get(url("person", "changelist")).status_code == 200
    assert client.get(url("user", "add")).status_code == 403
    assert client.post(url("person", "delete", person.pk), {"post": "yes"}).status_code == 403
    assert Person.objects.filter(pk=person.pk).exists()


def test_whoever_is_no_staff_stays_outside(client, user_with):
    client.force_login(user_with(Role.REGISTRAR))

    assert client.get("/admin/").status_code == 302
