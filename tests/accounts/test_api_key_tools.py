"""Keys of programs on the administration pages and from a shell."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.api_keys import hash_of
from accounts.models import ApiKey
from accounts.roles import Role
from tests.accounts.factories import UserFactory
from tests.accounts.keys import answer, caller, key_of, program

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(40)]
COURSES = "/api/v1/courses/"
COURSE, STUDENT = "courses.view_course", "students.view_student"


@pytest.fixture
def account():
    return program(Role.REGISTRAR)


@pytest.fixture
def key(account):
    return key_of(account, COURSE, STUDENT)


class TestOnTheAdministrationPages:
    ADD = "/admin/accounts/apikey/add/"

    @pytest.fixture
    def pages(self, client, user_with):
        client.force_login(user_with(Role.SYSTEM_ADMIN, is_staff=True))
        return client

    @pytest.fixture
    def form(self, account):
        day = timezone.now() + timedelta(days=30)
        return {
            "user": str(account.pk), "name": "Rooms", "scopes": f"{COURSE}, {STUDENT}", "ip_networks": "",
            "expires_at_0": f"{day:%Y-%m-%d}", "expires_at_1": "12:00",
        }  # fmt: skip

    def test_a_key_is_told_once_and_listed_by_its_prefix(self, pages, form):
        told = pages.post(self.ADD, form).content.decode()

        key = ApiKey.objects.get()
        secret = next(word for word in told.replace("<", " ").replace(">", " ").split() if word.startswith("chk_"))
        assert (key.scopes, bytes(key.key_hash)) == ([COURSE, STUDENT], hash_of(secret))
        for page in ("/admin/accounts/apikey/", f"/admin/accounts/apikey/{key.pk}/change/"):
            shown = pages.get(page).content.decode()
            assert key.prefix in shown
            assert secret not in shown

    def test_a_key_for_a_person_is_refused_beside_its_field(self, pages, form, registrar):
        page = pages.post(self.ADD, {**form, "user": str(registrar.pk)}).content.decode()

        assert "Only accounts of programs have keys." in page
        assert not ApiKey.objects.exists()

    def test_keys_are_revoked_and_none_is_deleted(self, pages, key):
        pages.post("/admin/accounts/apikey/", {"action": "revoke", "_selected_action": [str(key.pk)]})

        assert answer(caller(key)) == (401, "invalid_api_key")
        assert pages.get(f"/admin/accounts/apikey/{key.pk}/delete/").status_code == 403

    def test_a_key_is_rotated_from_its_page_and_the_successor_told_once(self, pages, key):
        page = f"/admin/accounts/apikey/{key.pk}/"
        assert f"{page}rotate/" in pages.get(f"{page}change/").content.decode()
        assert "86400" in pages.get(f"{page}rotate/").content.decode()
        before = timezone.now()

        told = pages.post(f"{page}rotate/", {"overlap_seconds": "60"}).content.decode()

        successor = ApiKey.objects.get(replaces=key)
        secret = next(word for word in told.replace("<", " ").replace(">", " ").split() if word.startswith("chk_"))
        key.refresh_from_db()
        assert (bytes(successor.key_hash), successor.scopes) == (hash_of(secret), key.scopes)
        assert before < key.expires_at < before + timedelta(minutes=2)
        assert "rotated already" in pages.post(f"{page}rotate/", {"overlap_seconds": "60"}).content.decode()
        for seconds in (10**7, 10**17):
            refused = pages.post(f"/admin/accounts/apikey/{successor.pk}/rotate/", {"overlap_seconds": str(seconds)})
            assert "less than or equal to" in refused.content.decode()
        assert ApiKey.objects.count() == 2

    def test_a_key_is_rotated_by_those_alone_who_make_keys(self, client, user_with, key):
        client.force_login(user_with(Role.AUDITOR, is_staff=True))

        answers = [getattr(client, verb)(f"/admin/accounts/apikey/{key.pk}/rotate/") for verb in ("get", "post")]

        assert [each.status_code for each in answers] == [403, 403]
        assert not ApiKey.objects.filter(replaces=key).exists()

    def test_the_form_says_what_a_scope_is(self, pages, key):
        for page in (self.ADD, f"/admin/accounts/apikey/{key.pk}/change/"):
            shown = pages.get(page).content.decode()
            assert "can be narrowed, not widened. The role integration gives" in shown
            assert "enrollment.view_enrollment" in shown


class TestFromAShell:
    def run(self, *arguments):
        out = io.StringIO()
        call_command("api_keys", *arguments, stdout=out)
        return out.getvalue()

    def test_keys_are_made_listed_replaced_and_taken_back(self, account):
        key = self.run("create", account.email, "Rooms", COURSE, "--days", "30").strip()
        prefix = key.split("_")[1]
        assert answer(caller(key), COURSES) == (200, None)
        assert prefix in self.run("list")
        assert key not in self.run("list")

        successor = self.run("rotate", prefix).strip()
        self.run("revoke", prefix)

        assert [answer(caller(each))[0] for each in (key, successor)] == [401, 200]
        assert prefix not in self.run("list")

    @pytest.mark.parametrize(
        "arguments",
        [
            ("create", "nobody@example.org", "Rooms", COURSE, "--days", "30"),
            ("create", "person@example.org", "Rooms", COURSE, "--days", "30"),
            ("create", "person@example.org", "Rooms", COURSE, "--days", "soon"),
            ("rotate", "aaaaaaaa"),
            ("revoke", "aaaaaaaa"),
        ],
    )
    def test_what_cannot_be_is_refused(self, arguments):
        UserFactory(email="person@example.org")

        with pytest.raises(CommandError):
            self.run(*arguments)

        assert not ApiKey.objects.exists()
