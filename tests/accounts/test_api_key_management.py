"""How keys of programs come and go over HTTP, and that nobody finds one anywhere."""

import gzip
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.api_keys import hash_of
from accounts.models import ApiKey, User
from accounts.roles import Role
from audit.models import Event
from core.models import IdempotencyKey
from tests.accounts.factories import UserFactory
from tests.accounts.keys import answer, caller, key_of, program
from tests.racing import at_once
from tests.security.conftest import logged  # noqa: F401 - a fixture
from tests.security.traces import pg_dump

pytestmark = pytest.mark.django_db
KEYS, COURSES, STUDENTS = "/api/v1/api-keys/", "/api/v1/courses/", "/api/v1/students/"
COURSE, STUDENT = "courses.view_course", "students.view_student"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def account():
    return program(Role.REGISTRAR)


@pytest.fixture
def key(account):
    return key_of(account, COURSE, STUDENT)


@pytest.fixture
def admin(user_with):
    return user_with(Role.SYSTEM_ADMIN)


@pytest.fixture
def admin_client(admin, client_for):
    return client_for(admin)


@pytest.fixture
def body(account):
    return {
        "user": str(account.pk),
        "name": "Timetables",
        "scopes": [COURSE],
        "expires_at": (timezone.now() + timedelta(days=30)).isoformat(),
    }


def errors(response):
    return {(error["field"], error["code"]) for error in response.json()["errors"]}


class TestMakingOne:
    @pytest.mark.checklist(40)
    def test_tells_it_once_and_keeps_its_hash(self, admin, admin_client, body):
        made = admin_client.post(KEYS, body)

        told = made.json()["data"]
        key = ApiKey.objects.get()
        assert made.status_code == 201
        assert told["key"].startswith(f"chk_{told['prefix']}_")
        assert bytes(key.key_hash) == hash_of(told["key"])
        assert (key.created_by, told["created_by"]["email"]) == (admin, admin.email)
        for url in (KEYS, f"{KEYS}{key.pk}/"):
            shown = admin_client.get(url)
            assert shown.status_code == 200
            assert "hash" not in shown.content.decode()
            assert told["key"] not in shown.content.decode()
        client = Client(headers={"Authorization": f"Api-Key {told['key']}"})
        assert client.get(COURSES).status_code == 200

    def test_twice_under_one_idempotency_key_makes_one_and_tells_it_once(self, admin_client, body):
        once = {"HTTP_IDEMPOTENCY_KEY": "the first"}

        first, second = (admin_client.post(KEYS, body, **once) for _ in range(2))

        told, repeated = first.json()["data"], second.json()["data"]
        assert second["Idempotent-Replayed"] == "true"
        assert repeated == {**told, "key": None}
        assert ApiKey.objects.count() == 1
        assert told["key"].encode() not in bytes(IdempotencyKey.objects.get().response_body)

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"scopes": ["courses.paint_course"]}, ("scopes", "unknown_scope")),
            ({"scopes": ["accounts.add_apikey"]}, ("scopes", "unknown_scope")),
            ({"scopes": ["courses.view_course", "audit.view_event"]}, ("scopes", "scope_not_held")),
            ({"scopes": []}, ("scopes", "empty")),
            ({"expires_at": "2020-01-01T00:00:00Z"}, ("expires_at", "expires_in_past")),
            ({"expires_at": "2099-01-01T00:00:00Z"}, ("expires_at", "expires_too_late")),
            ({"ip_networks": ["10.0.0.0/8", "example.org"]}, ("ip_networks", "no_network")),
            ({"key_hash": "00"}, ("key_hash", "unknown_field")),
        ],
    )
    def test_is_refused_with_a_reason(self, admin_client, body, change, error):
        response = admin_client.post(KEYS, body | change)

        assert response.status_code == 400
        assert {(field.partition(".")[0], code) for field, code in errors(response)} == {error}
        assert not ApiKey.objects.exists()

    @pytest.mark.checklist(26)
    def test_for_a_person_is_refused_whoever_asks(self, admin, admin_client, body, registrar):
        for person in (admin, registrar):
            refused = admin_client.post(KEYS, body | {"user": str(person.pk)})
            assert errors(refused) >= {("user", "not_a_service_account")}
        assert not ApiKey.objects.exists()

    def test_lasts_as_long_as_the_installation_allows(self, settings, admin_client, body):
        settings.API_KEY_LONGEST_LIFE = timedelta(days=7)

        longest = timezone.now() + timedelta(days=7)
        too_long = admin_client.post(KEYS, body | {"expires_at": (longest + MINUTE).isoformat()})
        long = admin_client.post(KEYS, body | {"expires_at": (longest - MINUTE).isoformat()})

        assert (too_long.status_code, long.status_code) == (400, 201)

    @pytest.mark.parametrize("role", [Role.REGISTRAR, Role.AUDITOR, Role.HR_OFFICER, None])
    def test_is_for_those_who_administer_accounts(self, user_with, client_for, key, body, role):
        client = client_for(user_with(role) if role else UserFactory())

        answers = [
            client.post(KEYS, body),
            client.patch(f"{KEYS}{key.pk}/", {"name": "Mine"}),
            client.delete(f"{KEYS}{key.pk}/"),
            client.post(f"{KEYS}{key.pk}/rotate/", {}),
        ]

        assert [each.status_code for each in answers] == [403] * 4
        assert answer(caller(key))[0] == 200


class TestChangingOne:
    def test_narrows_renames_and_says_from_where(self, admin_client, key):
        sooner = key.expires_at - timedelta(days=1)

        changed = admin_client.patch(
            f"{KEYS}{key.pk}/",
            {"name": "Rooms", "scopes": [COURSE], "ip_networks": ["192.0.2.9/24", "10.0.0.1"], "expires_at": sooner},
            format="json",
        )

        key.refresh_from_db()
        assert changed.status_code == 200
        assert changed.json()["data"].get("key") is None
        assert (key.name, key.scopes, key.expires_at) == ("Rooms", [COURSE], sooner)
        assert key.ip_networks == ["10.0.0.1/32", "192.0.2.0/24"]
        assert answer(caller(key), STUDENTS, REMOTE_ADDR="10.0.0.1") == (403, "permission_denied")
        assert answer(caller(key), COURSES, REMOTE_ADDR="10.0.0.2") == (401, "api_key_not_for_address")

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"scopes": [COURSE, "faculty.view_faculty"]}, ("scopes", "scopes_only_narrow")),
            ({"scopes": []}, ("scopes", "empty")),
            ({"expires_at": timezone.now() + timedelta(days=31)}, ("expires_at", "expiry_only_shortens")),
            ({"expires_at": timezone.now() - MINUTE}, ("expires_at", "expires_in_past")),
            ({"user": "0195553e-9a70-7c3e-8e1e-2f6d5a1b7c44"}, None),
        ],
    )
    def test_never_widens_or_moves_it(self, admin_client, key, change, error):
        before = ApiKey.objects.values("user", "scopes", "expires_at").get()

        response = admin_client.patch(f"{KEYS}{key.pk}/", change, format="json")

        assert error is None or (response.status_code, errors(response)) == (400, {error})
        assert ApiKey.objects.values("user", "scopes", "expires_at").get() == before

    def test_is_over_when_the_key_is(self, admin_client, key):
        url = f"{KEYS}{key.pk}/"
        for _ in range(2):
            assert admin_client.delete(url).status_code == 204
        revoked_at = ApiKey.objects.get().revoked_at

        answers = [admin_client.patch(url, {"name": "Again"}), admin_client.post(f"{url}rotate/", {})]

        assert {(each.status_code, each.json()["code"]) for each in answers} == {(409, "api_key_ended")}
        assert ApiKey.objects.get().revoked_at == revoked_at
        assert Event.objects.filter(action="api_key.revoked").count() == 1


class TestRotating:
    def url(self, key):
        return f"{KEYS}{key.pk}/rotate/"

    def test_makes_a_successor_with_the_same_rights_beside_which_it_lives_on(self, admin_client, account):
        key = key_of(account, COURSE, ip_networks=["127.0.0.0/8"])

        made = admin_client.post(self.url(key), {"overlap_seconds": 60})

        told = made.json()["data"]
        former, successor = ApiKey.objects.order_by("created_at")
        assert (made.status_code, told["replaces"]) == (201, str(key.pk))
        for name in ("user_id", "name", "scopes", "ip_networks"):
            assert getattr(successor, name) == getattr(former, name)
        assert former.expires_at - successor.created_at <= timedelta(seconds=60)
        assert successor.expires_at > key.expires_at - MINUTE
        successor.secret = told["key"]
        assert [answer(caller(each))[0] for each in (key, successor)] == [200, 200]
        ApiKey.objects.filter(pk=former.pk).update(expires_at=timezone.now())
        assert [answer(caller(each))[0] for each in (key, successor)] == [401, 200]

    def test_at_once_leaves_the_successor_alone(self, admin_client, key):
        assert admin_client.post(self.url(key), {"overlap_seconds": 0}).status_code == 201

        assert answer(caller(key)) == (401, "invalid_api_key")

    def test_lengthens_no_life(self, admin_client, account):
        soon = timezone.now() + timedelta(minutes=5)
        key = key_of(account, COURSE, expires_at=soon)

        admin_client.post(self.url(key), {})

        assert ApiKey.objects.get(pk=key.pk).expires_at == soon

    def test_happens_once(self, admin_client, key):
        admin_client.post(self.url(key), {})

        again = admin_client.post(self.url(key), {})

        assert (again.status_code, again.json()["code"]) == (409, "api_key_rotated")
        assert ApiKey.objects.count() == 2

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"overlap_seconds": 10**7}, "overlap_seconds"),
            ({"overlap_seconds": -1}, "overlap_seconds"),
            ({"expires_at": "2099-01-01T00:00:00Z"}, "expires_at"),
        ],
    )
    def test_is_refused_beyond_its_bounds(self, admin_client, key, change, field):
        refused = admin_client.post(self.url(key), change)

        assert (refused.status_code, {field for field, _ in errors(refused)}) == (400, {field})
        assert ApiKey.objects.count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_by_several_at_once_makes_one_successor(self, user_with, client_for, key):
        clients = [client_for(user_with(Role.SYSTEM_ADMIN)) for _ in range(4)]

        answers = at_once(*[lambda client=client: client.post(self.url(key), {}).status_code for client in clients])

        assert sorted(answers) == [201, 409, 409, 409]
        assert ApiKey.objects.filter(replaces=key).count() == 1


class TestAccountsOfPrograms:
    def opened(self, admin_client, **values):
        return admin_client.post("/api/v1/users/", {"email": "sis@example.org", "is_service": True, **values})

    def test_are_opened_as_such_and_stay_it(self, admin_client, registrar):
        made = self.opened(admin_client)
        url = f"/api/v1/users/{made.json()['data']['id']}/"

        assert (made.status_code, made.json()["data"]["is_service"]) == (201, True)
        admin_client.patch(url, {"is_service": False})
        admin_client.patch(f"/api/v1/users/{registrar.pk}/", {"is_service": True})

        assert [user.email for user in User.objects.filter(is_service=True)] == ["sis@example.org"]
        with pytest.raises(services.users.KindIsFinalError):
            services.update_user(registrar, by=None, is_service=True)

    @pytest.mark.checklist(26)
    @pytest.mark.parametrize(
        "values", [{"password": "correct horse battery staple"}, {"is_staff": True}, {"must_change_password": True}]
    )
    def test_have_no_password_and_no_administration(self, admin_client, values):
        refused = self.opened(admin_client, **values)
        assert (refused.status_code, refused.json()["code"]) == (400, "service_account")

        url = f"/api/v1/users/{self.opened(admin_client).json()['data']['id']}/"
        later = admin_client.patch(url, values)

        assert (later.status_code, later.json()["code"]) == (400, "service_account")

    def test_open_no_session_by_whatever_means(self, account):
        services.request_password_reset(email=account.email, at=timezone.now())
        assert not account.mails.exists()
        with pytest.raises(services.InvalidCredentialsError):
            services.open_session(account, amr=["oidc"], at=timezone.now())


@pytest.mark.checklist(94)
def test_what_becomes_of_a_key_is_on_record(admin, admin_client, account, body):
    first = admin_client.post(KEYS, body).json()["data"]
    url = f"{KEYS}{first['id']}/"
    admin_client.patch(url, {"name": "Rooms"})
    second = admin_client.post(f"{url}rotate/", {}).json()["data"]
    admin_client.delete(url)

    events = Event.objects.filter(action__startswith="api_key.").order_by("id")

    assert [(event.action, event.subject_id) for event in events] == [
        ("api_key.created", first["id"]),
        ("api_key.changed", first["id"]),
        ("api_key.rotated", second["id"]),
        ("api_key.revoked", first["id"]),
    ]
    assert {(event.actor_id, event.on_behalf_of) for event in events} == {(admin.pk, account.pk)}
    assert {event.detail["prefix"] for event in events} == {first["prefix"], second["prefix"]}


@pytest.mark.checklist(36, 40)
@pytest.mark.django_db(transaction=True)
def test_a_key_is_found_in_no_dump_and_no_log(settings, admin_client, body, logged):  # noqa: F811 - a fixture
    settings.DATABASE_DIRECT_URL = ""
    once = {"HTTP_IDEMPOTENCY_KEY": "the first"}
    first = admin_client.post(KEYS, body, **once).json()["data"]
    second = admin_client.post(f"{KEYS}{first['id']}/rotate/", {}, HTTP_IDEMPOTENCY_KEY="the second").json()["data"]
    for told in (first, second):
        client = Client(headers={"Authorization": f"Api-Key {told['key']}"})
        assert client.get(COURSES).status_code == 200
        assert client.get(COURSES, {"key": told["key"]}).status_code == 400
        assert client.get(COURSES, headers={"Authorization": f"Api-Key {told['key']}x"}).status_code == 401

    everywhere = pg_dump("--data-only", "--inserts") + gzip.decompress(pg_dump("--compress=gzip:1")) + logged()

    assert first["prefix"].encode() in everywhere
    assert b"the second" in everywhere
    for told in (first, second):
        assert told["key"].split("_", 2)[2].encode() not in everywhere


def test_a_list_of_keys_costs_two_queries(admin_client, account, django_assert_max_num_queries):
    for _ in range(3):
        key_of(account, COURSE)

    with django_assert_max_num_queries(2):
        assert len(admin_client.get(KEYS).json()["data"]) == 3
