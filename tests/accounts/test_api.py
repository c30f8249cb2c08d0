"""Accounts over HTTP: logging in and out, who one is, who may do what."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher, identify_hasher
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from accounts import services, tokens
from accounts.models import RoleAssignment, Session, User
from accounts.roles import Role, ScopeKind
from tests.accounts.factories import PersonFactory, UserFactory

pytestmark = pytest.mark.django_db
TOKEN, REFRESH, VERIFY = "/api/v1/auth/token/", "/api/v1/auth/token/refresh/", "/api/v1/auth/token/verify/"
ME, LOGOUT = "/api/v1/auth/me/", "/api/v1/auth/logout/"
PASSWORD = "correct horse battery staple"


@pytest.fixture
def account():
    return services.create_user(by=None, email="Ada@example.org", password=PASSWORD)


@pytest.fixture
def anonymous(client_for):
    return client_for(None)


@pytest.fixture
def pair(anonymous, account):
    return logged_in(anonymous, account)


def logged_in(client, account):
    client.credentials()
    return client.post(TOKEN, {"email": account.email, "password": PASSWORD}, format="json").json()["data"]


def refreshed(client, pair):
    client.credentials()
    return client.post(REFRESH, {"refresh": pair["refresh"]}, format="json").json()["data"]


def bearing(client, token):
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


class TestLoggingIn:
    @pytest.mark.parametrize("name", ["email", "username"])
    def test_answers_with_a_pair_and_the_account(self, anonymous, account, name):
        data = anonymous.post(TOKEN, {name: " ADA@EXAMPLE.ORG ", "password": PASSWORD}, format="json").json()["data"]

        assert data["expires_in"] == settings.ACCESS_TOKEN_LIFETIME.total_seconds()
        assert data["user"]["email"] == "Ada@example.org"
        assert bearing(anonymous, data["access"]).get(ME).json()["data"]["id"] == str(account.pk)

    def test_takes_one_name_of_the_account(self, anonymous, account):
        answer = anonymous.post(TOKEN, {"email": account.email, "username": "x", "password": PASSWORD}, format="json")

        assert (answer.status_code, answer.json()["code"], answer.json()["errors"][0]["field"]) == (
            400, "ambiguous", "username",
        )  # fmt: skip

    def test_does_not_say_what_was_wrong(self, anonymous, account):
        UserFactory(email="inactive@example.org", is_active=False)
        answers = [
            anonymous.post(TOKEN, {"email": email, "password": password}, format="json")
            for email, password in [
                ("nobody@example.org", PASSWORD),
                (account.email, "wrong"),
                ("inactive@example.org", PASSWORD),
            ]
        ]

        assert {answer.status_code for answer in answers} == {401}
        assert {answer.json()["code"] for answer in answers} == {"invalid_credentials"}
        assert len({answer.json()["detail"] for answer in answers}) == 1
        assert not Session.objects.exists()

    def test_a_password_replaced_meanwhile_opens_nothing(self, anonymous, account, monkeypatch):
        def replaced_while_it_is_checked(*_args, **_options):
            services.update_user(User.objects.get(pk=account.pk), by=None, password=f"{PASSWORD}, another")
            return True, False

        monkeypatch.setattr("accounts.hashing.check", replaced_while_it_is_checked)

        response = anonymous.post(TOKEN, {"email": account.email, "password": PASSWORD}, format="json")

        assert (response.status_code, response.json()["code"]) == (401, "invalid_credentials")
        assert not Session.objects.exists()

    def test_accounts_are_found_by_their_index(self):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")

        assert "accounts_user_one_identity" in User.objects.addressed("a@example.org").explain()

    @pytest.mark.parametrize(
        ("sent", "missing"),
        [
            ({}, ["email", "password"]),
            ({"device": ""}, ["email", "password"]),
            ({"password": PASSWORD}, ["email"]),
            ({"username": "ada@example.org"}, ["password"]),
            ({"email": "ada@example.org"}, ["password"]),
        ],
    )
    def test_names_everything_that_is_missing_at_once(self, anonymous, sent, missing):
        response = anonymous.post(TOKEN, sent, format="json")

        assert response.status_code == 400
        assert [(error["field"], error["code"]) for error in response.json()["errors"]] == [
            (name, "required") for name in missing
        ]

    def test_needs_a_name_and_a_password(self, anonymous):
        response = anonymous.post(TOKEN, {"password": ""}, format="json")

        assert response.status_code == 400
        assert {"password"} <= {error["field"] for error in response.json()["errors"]}

    @pytest.mark.checklist(36)
    def test_stores_no_token(self, pair):
        session = Session.objects.get()

        assert bytes(session.current_refresh_hash) == tokens.hash_of(pair["refresh"])
        assert pair["refresh"].encode() not in bytes(session.current_refresh_hash)

    def test_an_older_hash_is_replaced_by_argon2(self, anonymous, account, settings):
        settings.PASSWORD_HASHERS = [
            "accounts.hashers.Argon2idHasher",
            "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
        ]
        old = BCryptSHA256PasswordHasher().encode(PASSWORD, BCryptSHA256PasswordHasher().salt())
        User.objects.filter(pk=account.pk).update(password=old)

        response = anonymous.post(TOKEN, {"email": account.email, "password": PASSWORD}, format="json")

        assert response.status_code == 200
        stored = User.objects.get().password
        assert identify_hasher(stored).algorithm == "argon2"
        assert "m=19456,t=2,p=1" in stored


class TestStayingLoggedIn:
    def test_a_refresh_token_is_exchanged_for_a_new_pair(self, anonymous, pair):
        data = anonymous.post(REFRESH, {"refresh": pair["refresh"]}, format="json").json()["data"]

        assert data["refresh"] != pair["refresh"]
        assert bearing(anonymous, data["access"]).get(ME).status_code == 200

    def test_two_tabs_receive_the_same_successor(self, anonymous, pair):
        first, second = (
            anonymous.post(REFRESH, {"refresh": pair["refresh"]}, format="json").json()["data"]["refresh"] for _ in "12"
        )

        assert first == second

    @pytest.mark.checklist(34)
    def test_reuse_of_an_old_token_ends_the_session(self, anonymous, pair):
        newer = anonymous.post(REFRESH, {"refresh": pair["refresh"]}, format="json").json()["data"]
        Session.objects.update(rotated_at=timezone.now() - timedelta(minutes=1))

        reused = anonymous.post(REFRESH, {"refresh": pair["refresh"]}, format="json")

        assert (reused.status_code, reused.json()["code"]) == (401, "invalid_refresh_token")
        assert anonymous.post(REFRESH, {"refresh": newer["refresh"]}, format="json").status_code == 401
        assert bearing(anonymous, newer["access"]).get(ME).json()["code"] == "session_ended"

    def test_an_expired_session_is_not_continued(self, anonymous, pair):
        Session.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

        assert anonymous.post(REFRESH, {"refresh": pair["refresh"]}, format="json").status_code == 401

    @pytest.mark.checklist(35)
    def test_a_deactivated_account_is_out_at_once(self, anonymous, pair, account):
        services.deactivate_user(User.objects.get(), by=None)

        assert bearing(anonymous, pair["access"]).get(ME).status_code == 401
        assert anonymous.post(REFRESH, {"refresh": pair["refresh"]}, format="json").status_code == 401

    @pytest.mark.checklist(35)
    def test_a_changed_password_ends_every_session(self, anonymous, pair, account):
        services.update_user(User.objects.get(), by=None, password="another long password")

        assert bearing(anonymous, pair["access"]).get(ME).status_code == 401

    @pytest.mark.checklist(35)
    def test_logging_out_ends_the_session(self, anonymous, pair):
        client = bearing(anonymous, pair["access"])
        assert client.post(VERIFY, {"token": pair["access"]}, format="json").status_code == 200

        assert client.post(LOGOUT).status_code == 204

        assert client.get(ME).status_code == 401
        client.credentials()
        assert client.post(VERIFY, {"token": pair["access"]}, format="json").status_code == 401

    @pytest.mark.parametrize(
        "header", ["Bearer", "Bearer a b", "Bearer x.y.z", "Bearer \xff", "Basic abc", "Bearer " + "e" * 5000]
    )
    def test_a_token_that_is_none_of_ours_is_refused(self, anonymous, header):
        response = anonymous.get(ME, HTTP_AUTHORIZATION=header)

        assert response.status_code == 401

    def test_a_refresh_token_is_no_access_token(self, anonymous, pair):
        assert bearing(anonymous, pair["refresh"]).get(ME).json()["code"] == "invalid_token"

    def test_authentication_costs_one_query(self, anonymous, pair, django_assert_num_queries):
        client = bearing(anonymous, pair["access"])

        with django_assert_num_queries(1):
            client.get(ME)


class TestRoles:
    def test_everybody_learns_what_they_may_do(self, user_with, client_for):
        data = client_for(user_with(Role.FACILITIES_MANAGER)).get(ME).json()["data"]

        assert data["roles"] == [{"role": "facilities_manager", "scope_kind": "institution", "scope_id": None}]
        assert "departments.add_room" in data["permissions"]
        assert "students.view_student" not in data["permissions"]

    @pytest.mark.checklist(12, 35)
    def test_an_administrator_gives_a_role_that_takes_effect_at_once(
        self, anonymous, account, pair, user_with, client_for
    ):
        assert bearing(anonymous, pair["access"]).get("/api/v1/rooms/").status_code == 403

        given = client_for(user_with(Role.SYSTEM_ADMIN)).post(
            "/api/v1/role-assignments/", {"user": account.pk, "role": "student", "scope_kind": "self"}, format="json"
        )

        assert given.status_code == 201, given.json()
        assert anonymous.get("/api/v1/rooms/").json()["code"] == "invalid_token"
        assert bearing(anonymous, refreshed(anonymous, pair)["access"]).get("/api/v1/rooms/").status_code == 200

    @pytest.mark.checklist(12, 35)
    def test_a_role_that_is_taken_away_is_gone_at_once(self, anonymous, account, user_with, client_for):
        held = services.assign_role(user=account, role=Role.STUDENT, by=None)
        pair = logged_in(anonymous, account)
        assert bearing(anonymous, pair["access"]).get("/api/v1/rooms/").status_code == 200

        services.end_assignment(held, by=UserFactory())

        assert anonymous.get("/api/v1/rooms/").json()["code"] == "invalid_token"
        assert bearing(anonymous, refreshed(anonymous, pair)["access"]).get("/api/v1/rooms/").status_code == 403

    def test_an_assignment_that_stays_as_it_was_outdates_no_token(self, account):
        held = services.assign_role(user=account, role=Role.STUDENT, by=None)

        services.update_assignment(held, by=None, role=Role.STUDENT)

        assert User.objects.get(pk=account.pk).token_version == account.token_version

    @pytest.mark.checklist(12)
    def test_a_role_ends_when_its_time_does(self, user_with, client_for):
        user = user_with(Role.STUDENT)
        client = client_for(user)
        now = timezone.now()
        RoleAssignment.objects.filter(user=user).update(valid=DateTimeTZRange(now - timedelta(days=1), now, "[)"))

        assert client.get("/api/v1/rooms/").status_code == 403

    @pytest.mark.checklist(13)
    def test_nobody_gives_a_role_to_themselves(self, user_with, client_for):
        admin = user_with(Role.SYSTEM_ADMIN)

        response = client_for(admin).post(
            "/api/v1/role-assignments/", {"user": admin.pk, "role": "auditor"}, format="json"
        )

        assert (response.status_code, response.json()["code"]) == (403, "self_approval")
        assert RoleAssignment.objects.count() == 1

    def test_nobody_holds_the_same_role_twice_at_a_time(self, user_with, client_for):
        user = user_with(Role.AUDITOR)

        response = client_for(user_with(Role.SYSTEM_ADMIN)).post(
            "/api/v1/role-assignments/", {"user": user.pk, "role": "auditor"}, format="json"
        )

        assert (response.status_code, response.json()["code"]) == (409, "overlapping_appointment")

    def test_a_scope_names_its_unit(self, user_with, client_for):
        response = client_for(user_with(Role.SYSTEM_ADMIN)).post(
            "/api/v1/role-assignments/",
            {"user": UserFactory().pk, "role": "department_head", "scope_kind": "department"},
            format="json",
        )

        assert (response.status_code, response.json()["code"]) == (400, "scope_mismatch")

    def test_every_role_is_listed_with_what_it_permits(self, registrar_client):
        roles = {role["code"]: role for role in registrar_client.get("/api/v1/roles/").json()["data"]}

        assert set(roles) == set(Role.values)
        assert roles["department_head"]["scopes"] == ["department", "program", "section"]
        assert not [code for code in roles["auditor"]["permissions"] if ".view_" not in code]


class TestUsers:
    def test_a_change_that_changes_nothing_leaves_a_closed_account_as_it_was(self, account):
        services.deactivate_user(account, by=None)

        services.update_user(account, by=None, must_change_password=False)

        before, after = account.version, User.objects.get(pk=account.pk)
        assert (after.version, after.token_version) == (before, 2)

    def test_a_user_sees_only_themselves(self, user_with, client_for):
        user, other = user_with(Role.STUDENT, ScopeKind.SELF), UserFactory()
        client = client_for(user)

        assert client.get("/api/v1/users/").status_code == 403
        assert client.get(f"/api/v1/users/{other.pk}/").status_code == 403

    def test_an_administrator_opens_finds_and_closes_accounts(self, user_with, client_for):
        client = client_for(user_with(Role.SYSTEM_ADMIN))
        person = PersonFactory()
        created = client.post(
            "/api/v1/users/", {"email": "new@example.org", "person": person.pk, "password": PASSWORD}, format="json"
        )
        assert created.status_code == 201, created.json()
        assert PASSWORD not in created.content.decode()
        assert "argon2" not in created.content.decode()
        url = f"/api/v1/users/{created.json()['data']['id']}/"

        assert client.delete(url).status_code == 204

        assert client.get(url).json()["data"]["is_active"] is False
        found = client.get("/api/v1/users/?email=NEW@example.org").json()["data"]
        assert [row["email"] for row in found] == ["new@example.org"]

    @pytest.mark.checklist(13)
    @pytest.mark.parametrize("change", ["is_staff", "person"])
    def test_nobody_makes_themselves_staff_or_somebody_else(self, user_with, client_for, change):
        admin = user_with(Role.SYSTEM_ADMIN)
        values = {"is_staff": True, "person": str(PersonFactory().pk)}

        answer = client_for(admin).patch(f"/api/v1/users/{admin.pk}/", {change: values[change]})

        assert (answer.status_code, answer.json()["code"]) == (403, "self_approval")
        assert User.objects.get(pk=admin.pk).is_staff is False

    def test_an_address_opens_one_account(self, user_with, client_for):
        UserFactory(email="taken@example.org")

        response = client_for(user_with(Role.SYSTEM_ADMIN)).post(
            "/api/v1/users/", {"email": "TAKEN@example.org"}, format="json"
        )

        assert (response.status_code, response.json()["code"]) == (409, "email_taken")

    def test_a_short_password_is_refused(self, user_with, client_for):
        response = client_for(user_with(Role.SYSTEM_ADMIN)).post(
            "/api/v1/users/", {"email": "new@example.org", "password": "short"}, format="json"
        )

        assert (response.status_code, response.json()["code"]) == (400, "password_too_short")

    @pytest.mark.parametrize("path", ["users", "role-assignments"])
    def test_a_list_costs_at_most_three_queries(self, user_with, client_for, django_assert_max_num_queries, path):
        for _ in range(8):
            user_with(Role.STUDENT)
        client = client_for(user_with(Role.SYSTEM_ADMIN))

        with django_assert_max_num_queries(3):
            body = client.get(f"/api/v1/{path}/?page_size=5").json()

        assert len(body["data"]) == 5


class TestPlainViews:
    def test_an_unchanged_answer_is_not_sent_again(self, registrar_client):
        for path in (ME, "/api/v1/roles/"):
            seen = registrar_client.get(path)["ETag"]

            assert registrar_client.get(path, HTTP_IF_NONE_MATCH=seen).status_code == 304

    def test_a_parameter_they_do_not_take_is_refused(self, registrar_client):
        response = registrar_client.get(f"{ME}?colour=red")

        assert (response.status_code, response.json()["code"]) == (400, "unknown_parameter")


def test_a_person_has_one_account(user_with, client_for):
    admin = client_for(user_with(Role.SYSTEM_ADMIN))
    person = UserFactory(person=PersonFactory()).person

    response = admin.post("/api/v1/users/", {"email": "b@example.org", "person": person.pk}, format="json")

    assert (response.status_code, response.json()["code"]) == (409, "unique")
    assert response.json()["errors"][0]["field"] == "person"
