"""Logging in with a second factor: what it takes, that nothing of it counts twice, and that nothing goes around it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import means, services, totp
from accounts.models import PendingLogIn, RecoveryCode, SecondFactor, Session, User
from accounts.models.factors import MOST_WRONG_CODES
from accounts.roles import Role
from accounts.services.guesses import FREE
from audit.models import Change
from audit.models import Event as AuditEvent
from campushub360.settings.faults import faults
from tests.accounts.factories import RoleAssignmentFactory
from tests.accounts.mails import last_secret, send_wanted
from tests.accounts.second_factors import ME, MFA, PASSWORD, SECOND_STEP, TOKEN, Owner, later
from tests.local.test_production_settings import SAFE
from tests.racing import at_once

pytestmark = pytest.mark.django_db
ADA = "ada@example.org"
ENROL = "/admin/second_factor/"


@pytest.fixture
def user() -> User:
    account = services.create_user(by=None, email=ADA, password=PASSWORD)
    RoleAssignmentFactory(user=account, role=Role.REGISTRAR)
    return account


@pytest.fixture
def ada(user: User) -> Owner:
    """Somebody who has logged in and set up an app."""
    owner = Owner(ADA)
    owner.log_in()
    owner.enrol()
    return owner


@pytest.fixture
def demanded(settings: Any) -> None:
    settings.MFA_REQUIRED_ROLES = ["staff"]


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def completed(token: str, code: str, at: Any = None) -> str:
    """Return how the second step of a log-in ended."""
    try:
        services.complete_log_in(token=token, code=code, at=at or timezone.now())
    except services.InvalidPendingLogInError:
        return "no such log-in"
    except services.WrongCodeError:
        return "wrong"
    return "open"


def removal(owner: Owner, factor: Any, password: str = PASSWORD) -> Any:
    return owner.client.post(f"{MFA}factors/remove/", {"factor": str(factor), "password": password})


class TestLogIn:
    def test_of_an_account_with_an_app_asks_for_its_code(self, ada: Owner) -> None:
        ada.client.credentials()
        answer = ada.first_step().json()["data"]

        assert set(answer) == {"mfa_required", "mfa_token", "expires_in", "kinds"}
        assert (answer["mfa_required"], answer["kinds"], answer["expires_in"]) == (True, ["totp", "recovery"], 300)

        opened = ada.carry(ada.second_step(answer["mfa_token"], ada.code()))

        assert set(opened) == {"access", "refresh", "expires_in", "user", "device"}
        assert Session.objects.latest("created_at").amr == ["pwd", "otp"]
        assert ada.client.get(ME).status_code == 200

    @pytest.mark.checklist(31)
    def test_that_waits_opens_nothing(self, ada: Owner) -> None:
        token = ada.mfa_token()
        ada.client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")

        assert code_of(ada.client.get(ME)) == (401, "invalid_token")
        ada.client.credentials()
        assert code_of(ada.client.post(f"{TOKEN}refresh/", {"refresh": token})) == (401, "invalid_refresh_token")
        assert code_of(ada.client.post(f"{TOKEN}verify/", {"token": token})) == (401, "invalid_token")

    def test_says_all_that_the_second_step_lacks_at_once(self, ada: Owner) -> None:
        answer = ada.client.post(SECOND_STEP, {})

        assert {error["field"] for error in answer.json()["errors"]} == {"mfa_token", "code"}

    @pytest.mark.checklist(31)
    def test_is_gone_on_with_by_its_own_token_alone(self, ada: Owner) -> None:
        data = ada.log_in()

        for token in (data["access"], data["refresh"], data["device"], "made up", "ü" * 20):
            answer = ada.client.post(SECOND_STEP, {"mfa_token": token[:100], "code": ada.recovery_codes[0]})
            assert code_of(answer) == (401, "invalid_mfa_token")

    def test_that_waits_is_completed_once_and_within_five_minutes(self, ada: Owner) -> None:
        used, late = ada.mfa_token(), ada.mfa_token()
        assert completed(used, ada.code()) == "open"

        assert completed(used, ada.recovery_codes[0]) == "no such log-in"
        assert completed(late, ada.recovery_codes[0], later(5.1)) == "no such log-in"

    @pytest.mark.checklist(26)
    def test_that_waits_ends_with_a_change_of_the_account(self, ada: Owner, user: User) -> None:
        token = ada.mfa_token()
        user.refresh_from_db()
        services.update_user(user, by=None, password="quite another battery staple")

        assert completed(token, ada.recovery_codes[0]) == "no such log-in"
        assert not RecoveryCode.objects.filter(used_at__isnull=False).exists()

    def test_is_on_record_with_its_means_and_failures(self, ada: Owner) -> None:
        token = ada.mfa_token()
        completed(token, "000000")
        completed(token, ada.recovery_codes[0])

        assert AuditEvent.objects.get(action="second_factor.failed").detail == {"of": "second step"}
        assert AuditEvent.objects.filter(action="session.opened").latest("id").detail == {"means": ["pwd", "recovery"]}

    def test_keeps_the_token_and_no_code_in_the_clear(self, ada: Owner) -> None:
        token = ada.mfa_token()
        kept = PendingLogIn.objects.get(completed_at=None)

        assert token.encode() not in bytes(kept.token_hash)
        assert len(bytes(kept.token_hash)) == 32

    def test_that_waits_is_forgotten_with_old_sessions(self, ada: Owner, settings: Any) -> None:
        ada.mfa_token()
        services.purge_sessions(at=timezone.now() + settings.ENDED_SESSIONS_KEPT)
        assert PendingLogIn.objects.exists()

        services.purge_sessions(at=later(6) + settings.ENDED_SESSIONS_KEPT)
        assert not PendingLogIn.objects.exists()


class TestCodes:
    @pytest.mark.checklist(25)
    def test_of_an_app_count_once_in_their_step_and_none_of_before_counts_after(self, ada: Owner) -> None:
        now = timezone.now()
        step = totp.step_at(now) + 1
        earlier, present = totp.code_at(ada.secret, step - 1), totp.code_at(ada.secret, step)

        assert completed(ada.mfa_token(), present, now) == "open"
        assert completed(ada.mfa_token(), present, now) == "wrong"
        assert completed(ada.mfa_token(), earlier, now) == "wrong"

    @pytest.mark.checklist(25)
    def test_of_an_app_confirm_it_and_then_open_nothing(self, user: User) -> None:
        owner = Owner(ADA)
        owner.log_in()
        owner.enrol()
        last = totp.code_at(owner.secret, owner._step)

        assert completed(owner.mfa_token(), last) == "wrong"

    @pytest.mark.checklist(25)
    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("kind", ["app", "recovery"])
    def test_that_come_twice_at_one_moment_open_one_session(self, ada: Owner, kind: str) -> None:
        tokens = [ada.mfa_token() for _ in range(4)]
        code = ada.code() if kind == "app" else ada.recovery_codes[0]
        now = timezone.now()

        outcomes = at_once(*[lambda token=token: completed(token, code, now) for token in tokens])

        assert sorted(outcomes) == ["open", "wrong", "wrong", "wrong"]

    @pytest.mark.django_db(transaction=True)
    def test_of_one_log_in_that_come_together_open_one_session_and_use_up_one(self, ada: Owner) -> None:
        token, now = ada.mfa_token(), timezone.now()

        outcomes = at_once(*[lambda code=code: completed(token, code, now) for code in ada.recovery_codes[:4]])

        assert sorted(outcomes) == ["no such log-in", "no such log-in", "no such log-in", "open"]
        assert RecoveryCode.objects.filter(used_at__isnull=False).count() == 1

    def test_are_read_as_people_write_them(self, ada: Owner) -> None:
        assert completed(ada.mfa_token(), f" {ada.recovery_codes[0].lower().replace('-', ' ')} ") == "open"
        code = ada.code()
        assert completed(ada.mfa_token(), f"{code[:3]} {code[3:]}") == "open"

    @pytest.mark.checklist(25, 36)
    def test_to_recover_by_are_kept_as_hashes_of_their_own(self, ada: Owner) -> None:
        kept = [bytes(row.code_hash) for row in RecoveryCode.objects.all()]
        bare = [code.replace("-", "") for code in ada.recovery_codes]

        assert len(set(kept)) == len(set(bare)) == 10
        assert all(len(code) == 24 for code in bare)
        with connection.cursor() as cursor:
            cursor.execute("SELECT row_to_json(t)::text FROM accounts_recoverycode t")
            assert not any(code in row for (row,) in cursor.fetchall() for code in [*bare, *ada.recovery_codes])

    @pytest.mark.checklist(90)
    def test_of_an_app_come_from_a_secret_that_no_table_tells(self, ada: Owner) -> None:
        factor = SecondFactor.objects.get()
        assert factor.secret == ada.secret

        with connection.cursor() as cursor:
            cursor.execute("SELECT row_to_json(t)::text FROM accounts_secondfactor t")
            rows = [row for (row,) in cursor.fetchall()]
        rows += [str(entry.changes) for entry in Change.objects.filter(table_name="accounts_secondfactor")]
        assert rows
        assert not any(ada.secret in row or ada.secret.encode().hex() in row for row in rows)


class TestGuessing:
    @pytest.mark.checklist(22, 25)
    @pytest.mark.django_db(transaction=True)
    def test_thirty_codes_at_once_are_five_tries(self, ada: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
        token, now, tried = ada.mfa_token(), timezone.now(), []
        monkeypatch.setattr(totp, "step_of", lambda *arguments, **options: tried.append(arguments))

        outcomes = at_once(*[lambda: completed(token, "123456", now)] * 30)

        assert outcomes.count("wrong") == len(tried) == MOST_WRONG_CODES
        assert set(outcomes) == {"wrong", "no such log-in"}

    @pytest.mark.checklist(22, 25)
    def test_gets_no_more_tries_by_asking_for_other_tokens(self, ada: Owner) -> None:
        for _ in range(FREE):
            completed(ada.mfa_token(), "not a code of hers")

        assert completed(ada.mfa_token(), ada.recovery_codes[0]) == "wrong"
        assert completed(ada.mfa_token(), ada.recovery_codes[0], later(1.1)) == "open"
        assert AuditEvent.objects.filter(action="login.locked").count() == 1

    @pytest.mark.checklist(23)
    def test_of_others_leaves_a_known_device_alone(self, ada: Owner) -> None:
        device = ada.log_in()["device"]
        for _ in range(FREE):
            completed(ada.mfa_token(), "not a code of hers")

        token = ada.first_step(device=device).json()["data"]["mfa_token"]

        assert completed(token, ada.recovery_codes[0]) == "open"


class TestEnrolment:
    def test_counts_for_nothing_until_a_code_was_shown(self, user: User) -> None:
        owner = Owner(ADA)
        owner.log_in()
        begun = owner.client.post(f"{MFA}totp/", {"password": PASSWORD}).json()["data"]

        assert begun["otpauth_uri"].startswith("otpauth://totp/CampusHub360:ada%40example.org?")
        assert begun["secret"] in begun["otpauth_uri"]
        assert code_of(owner.client.post(f"{MFA}totp/confirm/", {"code": "000000"})) == (400, "wrong_code")
        assert owner.client.get(MFA).json()["data"]["factors"] == []
        assert "access" in Owner(ADA).log_in()

    @pytest.mark.checklist(37)
    @pytest.mark.parametrize("path", ["totp/", "recovery-codes/"])
    def test_asks_for_the_password(self, ada: Owner, path: str) -> None:
        assert code_of(ada.client.post(MFA + path, {"password": "a wrong one"})) == (400, "wrong_password")

    def test_ends_every_other_session_and_goes_on_with_this_one(self, user: User) -> None:
        here, there = Owner(ADA), Owner(ADA)
        for owner in (here, there):
            owner.log_in()

        here.enrol()

        assert code_of(there.client.get(ME)) == (401, "session_ended")
        assert here.client.get(ME).status_code == 200
        assert Session.objects.get(revoked_at=None).amr == ["pwd", "otp"]
        refreshed = here.client.post(f"{TOKEN}refresh/", {"refresh": here.refresh})
        assert refreshed.status_code == 200
        assert AuditEvent.objects.filter(action="second_factor.added").count() == 1

    def test_of_another_app_waits_until_the_present_one_is_gone(self, ada: Owner) -> None:
        assert code_of(ada.client.post(f"{MFA}totp/", {"password": PASSWORD})) == (409, "factor_exists")
        assert code_of(ada.client.post(f"{MFA}totp/confirm/", {"code": "1"})) == (409, "no_enrollment")

        [factor] = ada.client.get(MFA).json()["data"]["factors"]
        assert code_of(removal(ada, factor["id"], "a wrong one")) == (400, "wrong_password")
        ada.carry(removal(ada, factor["id"]))

        assert not RecoveryCode.objects.exists()
        assert "access" in ada.log_in()
        ada.enrol()

    def test_does_not_let_a_stolen_session_guess_the_first_code(self, user: User) -> None:
        owner = Owner(ADA)
        owner.log_in()
        owner.client.post(f"{MFA}totp/", {"password": PASSWORD})
        answers = [code_of(owner.client.post(f"{MFA}totp/confirm/", {"code": "000000"})) for _ in range(FREE + 1)]

        assert answers == [(400, "wrong_code")] * FREE + [(403, "too_many_guesses")]

    def test_of_one_person_is_nothing_that_another_removes(self, ada: Owner, user_with: Callable[..., User]) -> None:
        services.create_user(by=None, email="eve@example.org", password=PASSWORD)
        eve = Owner("eve@example.org")
        eve.log_in()

        assert code_of(removal(eve, SecondFactor.objects.get().pk)) == (404, "not_found")
        assert SecondFactor.objects.confirmed().count() == 1

    def test_writes_recovery_codes_anew(self, ada: Owner) -> None:
        codes = ada.client.post(f"{MFA}recovery-codes/", {"password": PASSWORD}).json()["data"]["recovery_codes"]

        assert completed(ada.mfa_token(), ada.recovery_codes[0]) == "wrong"
        assert completed(ada.mfa_token(), codes[0]) == "open"


@pytest.mark.usefixtures("demanded")
class TestRolesThatNeedOne:
    @pytest.mark.checklist(25)
    def test_open_nothing_but_the_way_to_it_until_it_is_there(self, user: User) -> None:
        owner = Owner(ADA)
        owner.log_in()

        for path in ("students/", "departments/", "auth/sessions/", "users/"):
            assert code_of(owner.client.get(f"/api/v1/{path}")) == (403, "mfa_enrollment_required")
        assert owner.client.get(ME).status_code == 200
        assert owner.client.get(MFA).json()["data"]["is_required"] is True

        owner.enrol()

        assert owner.client.get("/api/v1/students/").status_code == 200
        owner.log_in()
        assert owner.client.get("/api/v1/students/").status_code == 200

    @pytest.mark.checklist(25)
    def test_that_are_given_later_ask_the_sessions_of_before_for_it(
        self, user_with: Callable[..., User], client_for: Callable[..., Any]
    ) -> None:
        student = user_with(Role.STUDENT)
        assert client_for(student).get("/api/v1/departments/").status_code == 200

        RoleAssignmentFactory(user=student, role=Role.FINANCE_OFFICER)

        answer = client_for(User.objects.get(pk=student.pk)).get("/api/v1/departments/")
        assert code_of(answer) == (403, "mfa_enrollment_required")

    def test_keep_the_last_one_from_being_removed(self, ada: Owner) -> None:
        [factor] = ada.client.get(MFA).json()["data"]["factors"]

        assert code_of(removal(ada, factor["id"])) == (409, "last_factor")
        assert ada.client.get("/api/v1/students/").status_code == 200

    @pytest.mark.checklist(25)
    def test_are_staff_in_production_which_does_not_start_without_system_administrators_among_them(self) -> None:
        assert faults({**SAFE, "MFA_REQUIRED_ROLES": ""}) == []
        assert faults({**SAFE, "MFA_REQUIRED_ROLES": "system_admin,registrar"}) == []

        [fault] = faults({**SAFE, "MFA_REQUIRED_ROLES": "student"})
        assert fault.startswith("MFA_REQUIRED_ROLES names neither staff nor system_admin")

    def test_are_all_but_those_of_people_who_do_not_work_there(self, settings: Any) -> None:
        assert set(Role) - means.demanding_roles() == {Role.STUDENT, Role.GUARDIAN, Role.INTEGRATION}

        settings.MFA_REQUIRED_ROLES = ["system_admin"]
        assert means.demanding_roles() == {Role.SYSTEM_ADMIN}


class TestReset:
    @pytest.fixture
    def admin(self, user_with: Callable[..., User], client_for: Callable[..., Any]) -> Any:
        return client_for(user_with(Role.SYSTEM_ADMIN))

    def test_takes_everything_away_and_ends_the_sessions(self, ada: Owner, user: User, admin: Any) -> None:
        token = ada.mfa_token()
        ada.log_in()

        answer = admin.post(f"/api/v1/users/{user.pk}/factors/reset/", {"reason": "Lost the telephone"})

        assert answer.status_code == 204
        assert code_of(ada.client.get(ME)) == (401, "session_ended")
        assert completed(token, ada.recovery_codes[0]) == "no such log-in"
        assert not SecondFactor.objects.exists()
        assert not RecoveryCode.objects.exists()
        assert AuditEvent.objects.get(action="second_factor.reset").reason == "Lost the telephone"
        assert "access" in Owner(ADA).log_in()

    def test_says_why_and_is_not_for_oneself(
        self, ada: Owner, user: User, admin: Any, user_with: Callable[..., User], client_for: Callable[..., Any]
    ) -> None:
        assert admin.post(f"/api/v1/users/{user.pk}/factors/reset/", {"reason": " "}).status_code == 400
        me = user_with(Role.SYSTEM_ADMIN)
        own = client_for(me).post(f"/api/v1/users/{me.pk}/factors/reset/", {"reason": "Mine"})

        assert code_of(own) == (403, "reauthentication_required")
        assert SecondFactor.objects.confirmed().exists()


@pytest.mark.checklist(37)
class TestNotices:
    def test_tell_the_owner_by_mail_of_whatever_becomes_of_the_factors(
        self, ada: Owner, user: User, user_with: Callable[..., User], client_for: Callable[..., Any]
    ) -> None:
        completed(ada.mfa_token(), ada.recovery_codes[0])
        completed(ada.mfa_token(), ada.recovery_codes[0])
        ada.log_in()
        ada.client.post(f"{MFA}recovery-codes/", {"password": "a wrong one"})
        ada.client.post(f"{MFA}recovery-codes/", {"password": PASSWORD})
        ada.carry(removal(ada, SecondFactor.objects.get().pk))
        path = f"/api/v1/users/{user.pk}/factors/reset/"
        client_for(user_with(Role.SYSTEM_ADMIN)).post(path, {"reason": "Lost the telephone"})

        assert send_wanted() == [ADA] * 5

        assert [message.subject.partition(" (")[0] for message in mail.outbox] == [
            "A second factor was added", "A recovery code was used", "Your recovery codes were replaced",
            "A second factor was removed", "Your second factors were taken away",
        ]  # fmt: skip
        assert all("your account at CampusHub360" in str(message.body) for message in mail.outbox)
        assert all("tell the" in str(message.body) for message in mail.outbox)


@pytest.mark.checklist(14, 26)
class TestAdministrationPages:
    def log_in(self, pages: Client, **fields: str) -> Any:
        return pages.post("/admin/login/", {"username": ADA, "password": PASSWORD, **fields})

    @pytest.fixture(autouse=True)
    def staff(self, user: User) -> None:
        User.objects.filter(pk=user.pk).update(is_staff=True)

    def test_ask_for_the_code_as_well(self, client: Client, ada: Owner) -> None:
        for fields in ({}, {"code": "000000"}, {"code": "x" * 65}):
            assert self.log_in(client, **fields).status_code == 200
            assert client.get("/admin/").status_code == 302

        assert self.log_in(client, code=ada.code()).status_code == 302
        assert client.get("/admin/").status_code == 200
        opened = AuditEvent.objects.filter(action="session.opened").latest("id")
        assert opened.detail == {"of": "administration", "means": ["pwd", "otp"]}

    def test_take_a_code_that_the_api_has_taken_no_more(self, client: Client, ada: Owner) -> None:
        code = ada.code()
        assert completed(ada.mfa_token(), code) == "open"

        assert self.log_in(client, code=code).status_code == 200

    def test_count_wrong_codes_with_those_of_the_api(self, client: Client, ada: Owner) -> None:
        for _ in range(FREE):
            self.log_in(client, code="000000")

        assert self.log_in(client, code=ada.recovery_codes[0]).status_code == 200
        assert completed(ada.mfa_token(), ada.recovery_codes[0]) == "wrong"

    def test_lead_to_setting_one_up_where_a_role_needs_what_is_not_there(self, client: Client, demanded: None) -> None:
        assert self.log_in(client).status_code == 302

        for page in ("/admin/", "/admin/students/student/", "/admin/autocomplete/", "/admin/accounts/user/add/"):
            answer = client.get(page)
            assert (answer.status_code, answer.headers.get("Location")) == (302, ENROL)
        assert b"Your role needs a second factor" in client.get(ENROL).content
        assert client.get("/admin/password_change/").status_code == 200

    def test_set_up_an_app_for_the_password_and_its_first_code(
        self, client: Client, demanded: None, user: User
    ) -> None:
        elsewhere = Owner(ADA)
        elsewhere.log_in()
        self.log_in(client)

        refused = client.post(ENROL, {"password": "a wrong one"})
        assert b"not the present password" in refused.content
        assert not SecondFactor.objects.exists()
        begun = client.post(ENROL, {"password": PASSWORD})
        owner = Owner(ADA, secret=SecondFactor.objects.get().secret)
        assert owner.secret in begun.content.decode().replace(" ", "")
        assert b"otpauth://totp/" in begun.content
        wrong = client.post(ENROL, {"code": "000000"})
        assert b"not the code that the app shows" in wrong.content
        assert owner.secret not in wrong.content.decode().replace(" ", "")
        assert client.get("/admin/").headers["Location"] == ENROL

        done = client.post(ENROL, {"code": owner.code(), "name": "Telephone"})

        shown = done.context["recovery_codes"]
        assert len(shown) == 10
        assert all(code.encode() in done.content for code in shown)
        assert client.get("/admin/").status_code == 200
        assert code_of(elsewhere.client.get(ME)) == (401, "session_ended")
        assert b"You have an authenticator app" in client.get(ENROL).content
        assert b"remove it" in client.post(ENROL, {"password": PASSWORD}).content
        assert SecondFactor.objects.confirmed().get().secret == owner.secret
        assert completed(owner.mfa_token(), shown[0]) == "open"

    def test_end_a_log_in_without_the_factor_that_a_role_has_come_to_need(
        self, client: Client, ada: Owner, settings: Any
    ) -> None:
        client.force_login(User.objects.get(email=ADA))
        assert client.get("/admin/").status_code == 200

        settings.MFA_REQUIRED_ROLES = ["staff"]

        assert client.get("/admin/").headers["Location"] == "/admin/login/"
        assert self.log_in(client, code=ada.code()).status_code == 302
        assert client.get("/admin/").status_code == 200

    def test_log_everybody_out_who_came_in_before_the_factor(self, client: Client, user: User) -> None:
        self.log_in(client)
        assert client.get("/admin/").status_code == 200

        owner = Owner(ADA)
        owner.log_in()
        owner.enrol()

        assert client.get("/admin/").status_code == 302


@pytest.mark.checklist(26)
class TestNoWayAround:
    def test_leads_through_changing_the_password(self, ada: Owner) -> None:
        body = {"current_password": PASSWORD, "new_password": "another long battery staple"}
        ada.carry(ada.client.post("/api/v1/auth/password/change/", body))

        ada.client.credentials()
        answer = ada.client.post(TOKEN, {"email": ADA, "password": body["new_password"]})
        assert answer.json()["data"]["mfa_required"] is True

    def test_leads_through_resetting_a_forgotten_password(self, ada: Owner) -> None:
        services.request_password_reset(email=ADA, at=timezone.now())
        assert ADA in send_wanted()
        services.reset_password(token=last_secret(), new_password="another long battery staple", at=timezone.now())

        ada.client.credentials()
        answer = ada.client.post(TOKEN, {"email": ADA, "password": "another long battery staple"})
        assert answer.json()["data"]["mfa_required"] is True

    def test_leads_through_a_password_that_an_administrator_gives(self, ada: Owner, user: User) -> None:
        user.refresh_from_db()
        services.update_user(user, by=None, password="another long battery staple")

        answer = ada.client.post(TOKEN, {"email": ADA, "password": "another long battery staple"})
        assert answer.json()["data"]["mfa_required"] is True

    @pytest.mark.usefixtures("demanded")
    def test_leads_through_refreshing(self, user: User) -> None:
        owner = Owner(ADA)
        owner.log_in()

        owner.carry(owner.client.post(f"{TOKEN}refresh/", {"refresh": owner.refresh}))

        assert code_of(owner.client.get("/api/v1/students/")) == (403, "mfa_enrollment_required")
