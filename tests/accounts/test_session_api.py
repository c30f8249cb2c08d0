"""Where an account is logged in, over HTTP: seeing it, and ending it from elsewhere."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session as AdminSession
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.models import Session, User
from accounts.roles import Role
from tests.accounts.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(37)]
SESSIONS, ME, ROOMS = "/api/v1/auth/sessions/", "/api/v1/auth/me/", "/api/v1/rooms/"
PASSWORD = "correct horse battery staple"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"


@pytest.fixture
def account():
    return services.create_user(by=None, email="ada@example.org", password=PASSWORD)


@pytest.fixture
def devices(account, client_for):
    """Log an account in on three devices, and return a client of each."""
    return [logged_in(client_for(None), account, f"{FIREFOX} ({number})") for number in range(3)]


def logged_in(client, account, user_agent="", address="192.0.2.7"):
    credentials = {"email": account.email, "password": PASSWORD}
    pair = client.post("/api/v1/auth/token/", credentials, HTTP_USER_AGENT=user_agent, REMOTE_ADDR=address).json()[
        "data"
    ]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair['access']}")
    client.refresh_token = pair["refresh"]
    return client


def entered(account):
    """Return a browser in which somebody has logged in to the administration."""
    browser = Client()
    browser.force_login(account)
    return browser


def listed(client):
    return client.get(SESSIONS).json()["data"]


def statuses(clients):
    return [client.get(ME).status_code for client in clients]


class TestOnesOwn:
    def test_are_listed_with_device_address_and_last_use_the_present_one_marked(self, devices):
        rows = listed(devices[1])

        assert [row["device"] for row in rows] == [f"{FIREFOX} ({number})" for number in (2, 1, 0)]
        assert [row["is_current"] for row in rows] == [False, True, False]
        assert {row["ip"] for row in rows} == {"192.0.2.7"}
        assert {tuple(row["amr"]) for row in rows} == {("pwd",)}
        assert all(row["last_used_at"] and row["expires_at"] for row in rows)

    def test_show_no_hash_and_no_token(self, devices):
        body = devices[0].get(SESSIONS).content.decode()

        assert "refresh" not in body
        assert "hash" not in body

    def test_move_with_the_device(self, devices):
        session = Session.objects.order_by("created_at")[0]
        refresh = {"refresh": devices[0].refresh_token}

        devices[0].post("/api/v1/auth/token/refresh/", refresh, REMOTE_ADDR="2001:db8::7")

        moved = Session.objects.get(pk=session.pk)
        assert moved.ip == "2001:db8::7"
        assert moved.rotated_at > session.rotated_at

    def test_one_is_ended_from_another_device(self, devices):
        lost = listed(devices[0])[0]["id"]

        assert devices[0].delete(f"{SESSIONS}{lost}/").status_code == 204

        assert statuses(devices) == [200, 200, 401]
        refused = devices[2].post("/api/v1/auth/token/refresh/", {"refresh": devices[2].refresh_token})
        assert (refused.status_code, refused.json()["code"]) == (401, "invalid_refresh_token")
        assert len(listed(devices[0])) == 2
        assert devices[0].get(f"{SESSIONS}{lost}/").status_code == 404
        assert devices[0].delete(f"{SESSIONS}{lost}/").status_code == 404

    def test_all_others_are_ended_at_once(self, devices):
        assert devices[1].delete(SESSIONS).status_code == 204

        assert statuses(devices) == [401, 200, 401]

    def test_all_others_are_those_of_the_administration_as_well(self, account, devices, registrar):
        User.objects.filter(pk=account.pk).update(is_staff=True)
        pages, somebody_elses = entered(account), entered(registrar)

        devices[1].delete(SESSIONS)

        assert [browser.get("/admin/").status_code for browser in (pages, somebody_elses)] == [302, 200]

    def test_those_that_ended_by_themselves_are_not_listed(self, devices):
        oldest = Session.objects.order_by("created_at")[0]
        Session.objects.filter(pk=oldest.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

        assert str(oldest.pk) not in [row["id"] for row in listed(devices[1])]

    @pytest.mark.parametrize("method", ["get", "delete"])
    @pytest.mark.parametrize("role", [None, Role.SYSTEM_ADMIN])
    def test_somebody_elses_looks_like_none(self, devices, user_with, client_for, method, role):
        stranger = client_for(user_with(role) if role else UserFactory())
        theirs, nobodys = (
            Session.objects.exclude(user__email="ada@example.org").get(),
            "0" * 8 + "-0000-7000-8000-" + "0" * 12,
        )
        his = listed(devices[0])[0]["id"]

        answers = [getattr(stranger, method)(f"{SESSIONS}{pk}/") for pk in (his, nobodys)]

        assert [answer.status_code for answer in answers] == [404, 404]
        assert len({answer.json()["code"] + answer.json()["detail"] for answer in answers}) == 1
        assert [row["id"] for row in listed(stranger)] == [str(theirs.pk)]
        assert statuses(devices) == [200, 200, 200]

    def test_a_list_takes_two_queries(self, devices, django_assert_num_queries):
        with django_assert_num_queries(2):
            listed(devices[0])


class TestThoseOfOthers:
    def test_are_listed_and_ended_by_an_administrator(self, account, devices, user_with, client_for):
        admin = client_for(user_with(Role.SYSTEM_ADMIN))
        url = f"/api/v1/users/{account.pk}/sessions/"
        User.objects.filter(pk=account.pk).update(is_staff=True)
        pages = entered(account)
        assert pages.get("/admin/").status_code == 200
        assert [row["is_current"] for row in admin.get(url).json()["data"]] == [False] * 3

        assert admin.delete(url).status_code == 204

        assert statuses(devices) == [401, 401, 401]
        assert pages.get("/admin/").status_code == 302
        assert admin.get(url).json()["data"] == []
        assert admin.get(ME).status_code == 200

    def test_an_account_that_is_none_has_none(self, user_with, client_for):
        url = "/api/v1/users/00000000-0000-7000-8000-000000000000/sessions/"
        admin = client_for(user_with(Role.SYSTEM_ADMIN))

        assert [admin.get(url).status_code, admin.delete(url).status_code] == [404, 404]

    @pytest.mark.parametrize("role", [None, Role.STUDENT, Role.REGISTRAR, Role.HR_OFFICER])
    def test_are_nobody_elses_business(self, devices, user_with, client_for, role):
        url = f"/api/v1/users/{Session.objects.all()[0].user_id}/sessions/"
        client = client_for(user_with(role) if role else UserFactory())

        assert [client.get(url).status_code, client.delete(url).status_code] == [403, 403]

        assert statuses(devices) == [200, 200, 200]

    def test_an_auditor_reads_and_ends_nothing(self, account, devices, user_with, client_for):
        auditor, url = client_for(user_with(Role.AUDITOR)), f"/api/v1/users/{account.pk}/sessions/"

        assert len(auditor.get(url).json()["data"]) == 3
        assert auditor.delete(url).status_code == 403
        assert statuses(devices) == [200, 200, 200]


def test_nobody_without_a_token_sees_or_ends_any(client_for, account, devices):
    anonymous = client_for(None)

    for url in (SESSIONS, f"{SESSIONS}{Session.objects.all()[0].pk}/", f"/api/v1/users/{account.pk}/sessions/"):
        assert [anonymous.get(url).status_code, anonymous.delete(url).status_code] == [401, 401]
    assert statuses(devices) == [200, 200, 200]


@pytest.mark.checklist(38)
def test_the_administration_is_left_after_a_working_day_whatever_was_done(registrar):
    browser = entered(registrar)
    until = AdminSession.objects.get().expire_date
    browser.get("/admin/")

    assert until - timezone.now() <= timedelta(hours=8)
    assert AdminSession.objects.get().expire_date == until


@pytest.mark.checklist(41)
class TestCookies:
    """Whoever opened the administration pages has a cookie; the API takes none."""

    @pytest.mark.parametrize("url", [ME, SESSIONS, ROOMS])
    def test_open_nothing(self, client_for, registrar, url):
        browser = client_for(None)
        browser.force_login(registrar)

        assert browser.get(url).status_code == 401

    @pytest.mark.parametrize("secure", [False, True])
    def test_neither_write_nor_end_sessions(self, client_for, user_with, account, devices, secure):
        admin = user_with(Role.SYSTEM_ADMIN, is_staff=True)
        browser = client_for(None)
        browser.force_login(admin)
        token = browser.get("/admin/password_change/", secure=secure).cookies.get("csrftoken")
        headers = {"X-CSRFToken": token.value} if token else {}

        assert (
            browser.delete(f"/api/v1/users/{account.pk}/sessions/", headers=headers, secure=secure).status_code == 401
        )
        assert statuses(devices) == [200, 200, 200]

    def test_of_the_administration_pages_write_only_with_the_token_of_the_form(self, user_with):
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(user_with(Role.SYSTEM_ADMIN, is_staff=True))
        user = UserFactory()
        url = f"/admin/accounts/user/{user.pk}/change/"
        form = {"email": "moved@example.org", "is_active": "on", "password": ""}

        forged = browser.post(url, form)
        browser.get(url)
        sent = browser.post(url, {**form, "csrfmiddlewaretoken": browser.cookies["csrftoken"].value})

        assert (forged.status_code, sent.status_code) == (403, 302)
