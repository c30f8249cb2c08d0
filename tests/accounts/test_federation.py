"""Logging in at another institution: by a real provider over HTTP, honest and otherwise."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

import jwt
import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import oidc, services
from accounts.models import FederatedIdentity, FederatedLogIn, Session, User
from accounts.roles import Role
from audit.models import Event as AuditEvent
from campushub360.settings.faults import faults
from campushub360.settings.federation import read_providers
from core.errors import ForbiddenError
from tests.accounts.factories import RoleAssignmentFactory, UserFactory
from tests.accounts.oidc_provider import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, RunningProvider, running
from tests.accounts.second_factors import ME, PASSWORD, Owner, later
from tests.local.test_production_settings import SAFE
from tests.racing import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(28)]
ADA = "ada@example.org"
UNKNOWN = "01890000-0000-7000-8000-000000000000"
OIDC, IDENTITIES = "/api/v1/auth/oidc/", "/api/v1/auth/identities/"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningProvider]:
    with running({}) as provider:
        yield provider


@pytest.fixture
def provider(server: RunningProvider, settings: Any) -> RunningProvider:
    """A provider that has verified Ada's address, and that this institution trusts with addresses."""
    server.person.clear()
    server.person.update(sub="ada-at-the-library", email="Ada@Example.org", email_verified=True)
    for said in (server.claims, server.metadata, server.info, server.asked):
        said.clear()
    server.algorithm = "RS256"
    server.key = server.published[0]
    del server.published[1:]
    settings.OIDC_PLAIN_HTTP_ALLOWED = True
    settings.OIDC_PROVIDERS = [configured(server.issuer)]
    oidc._kept.forget()
    return server


@pytest.fixture
def user() -> User:
    account = services.create_user(by=None, email=ADA, password=PASSWORD)
    RoleAssignmentFactory(user=account, role=Role.REGISTRAR)
    return account


def configured(issuer: str, **others: Any) -> dict[str, Any]:
    usual = {
        "name": "library", "title": "The library", "issuer": issuer, "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET, "redirect_uris": (REDIRECT_URI,), "links_by_email": True,
    }  # fmt: skip
    return {**usual, **others}


class Stay(HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any) -> None:
        return None


class Browser:
    """A client and its browser."""

    def __init__(self) -> None:
        self.client = APIClient()
        self.binding = ""

    def depart(self, redirect_uri: str = REDIRECT_URI) -> str:
        """Begin and return where the browser is sent."""
        answer = self.client.post(f"{OIDC}start/", {"provider": "library", "redirect_uri": redirect_uri})
        assert answer.status_code == 200, answer.json()
        self.binding = answer.json()["data"]["binding"]
        url: str = answer.json()["data"]["authorization_url"]
        return url

    def visit(self, url: str) -> dict[str, str]:
        """Follow the provider's word and return what the browser brings back."""
        try:
            build_opener(Stay).open(url, timeout=10)
        except HTTPError as answer:
            with answer:
                target = answer.headers["Location"]
        assert target.startswith(REDIRECT_URI)
        return {name: value for name, [value] in parse_qs(urlsplit(target).query).items()}

    def come_back(self, brought: dict[str, str], **others: str) -> Any:
        body = {"provider": "library", **brought, "binding": self.binding, **others}
        return self.client.post(f"{OIDC}callback/", body)

    def log_in(self) -> Any:
        return self.come_back(self.visit(self.depart()))


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class TestLogIn:
    def test_opens_a_session_of_the_account_with_the_verified_address(
        self, provider: RunningProvider, user: User
    ) -> None:
        browser = Browser()
        data = browser.log_in().json()["data"]

        browser.client.credentials(HTTP_AUTHORIZATION=f"Bearer {data['access']}")
        assert browser.client.get(ME).json()["data"]["email"] == ADA
        assert Session.objects.get().amr == ["fed"]
        identity = FederatedIdentity.objects.get()
        assert (identity.issuer, identity.subject, identity.user_id) == (provider.issuer, "ada-at-the-library", user.pk)
        assert AuditEvent.objects.get(action="identity.linked").detail == {"issuer": provider.issuer}

    def test_is_offered_by_name_and_asked_for_with_pkce_and_nonce(self, provider: RunningProvider) -> None:
        listed = APIClient().get(OIDC).json()["data"]
        asked = parse_qs(urlsplit(Browser().depart()).query)

        assert listed == [{"name": "library", "title": "The library"}]
        assert asked["code_challenge_method"] == ["S256"]
        assert all(len(asked[name][0]) == 43 for name in ("state", "nonce", "code_challenge"))
        assert asked["scope"] == ["openid email"]

    def test_knows_the_identity_again_whatever_becomes_of_the_addresses(
        self, provider: RunningProvider, user: User
    ) -> None:
        Browser().log_in()
        provider.person.update(email="another@example.org", email_verified=False)
        UserFactory(email="another@example.org")

        assert Browser().log_in().json()["data"]["user"]["id"] == str(user.pk)
        assert FederatedIdentity.objects.count() == 1

    def test_reads_the_address_where_the_provider_tells_it_apart(self, provider: RunningProvider, user: User) -> None:
        provider.metadata["userinfo_endpoint"] = f"{provider.issuer}/userinfo"
        provider.info.update(email=provider.person.pop("email"), email_verified=provider.person.pop("email_verified"))

        assert Browser().log_in().status_code == 200

    def test_follows_the_provider_to_another_key_and_algorithm(self, provider: RunningProvider, user: User) -> None:
        Browser().log_in()
        oidc._kept.forget()
        provider.rotate("second", curve="P-256")
        provider.algorithm = "ES256"

        assert Browser().log_in().status_code == 200


class TestWhoIsNotLetIn:
    @pytest.mark.parametrize("verified", [False, None, "true", 1])
    def test_is_who_has_an_address_that_nobody_verified(
        self, provider: RunningProvider, user: User, verified: Any
    ) -> None:
        provider.person["email_verified"] = verified

        assert code_of(Browser().log_in()) == (403, "email_not_verified")
        assert not FederatedIdentity.objects.exists()
        assert not Session.objects.exists()

    def test_is_who_has_no_account_and_none_is_made(self, provider: RunningProvider) -> None:
        assert code_of(Browser().log_in()) == (403, "identity_not_linked")
        assert not User.objects.exists()

    def test_is_who_comes_by_an_issuer_that_is_not_trusted_with_addresses(
        self, provider: RunningProvider, user: User, settings: Any
    ) -> None:
        settings.OIDC_PROVIDERS = [configured(provider.issuer, links_by_email=False)]

        assert code_of(Browser().log_in()) == (403, "identity_not_linked")

    def test_is_a_second_identity_of_the_issuer_with_the_same_address(
        self, provider: RunningProvider, user: User
    ) -> None:
        Browser().log_in()
        provider.person["sub"] = "somebody-who-got-her-address"

        assert code_of(Browser().log_in()) == (403, "identity_not_linked")

    def test_is_whose_account_was_closed(self, provider: RunningProvider, user: User) -> None:
        Browser().log_in()
        User.objects.filter(pk=user.pk).update(is_active=False)

        assert code_of(Browser().log_in()) == (401, "invalid_credentials")


class TestState:
    def test_is_good_once(self, provider: RunningProvider, user: User) -> None:
        browser = Browser()
        brought = browser.visit(browser.depart())
        assert browser.come_back(brought).status_code == 200

        assert code_of(browser.come_back(brought)) == (401, "invalid_state")

    @pytest.mark.parametrize("state", ["made up", ""])
    def test_is_none_that_somebody_made_up(self, provider: RunningProvider, state: str) -> None:
        browser = Browser()
        brought = browser.visit(browser.depart())

        assert browser.come_back(brought, state=state).status_code in (400, 401)
        assert not Session.objects.exists()

    def test_is_good_for_the_client_that_began_alone(self, provider: RunningProvider, user: User) -> None:
        attacker, victim = Browser(), Browser()
        brought = attacker.visit(attacker.depart())
        victim.depart()

        assert code_of(victim.come_back(brought)) == (401, "invalid_state")
        assert code_of(attacker.come_back(brought)) == (401, "invalid_state")

    def test_ends_after_ten_minutes(self, provider: RunningProvider, user: User) -> None:
        browser = Browser()
        brought = browser.visit(browser.depart())

        with pytest.raises(services.InvalidStateError):
            services.complete_federated(provider="library", **brought, binding=browser.binding, at=later(10.1))

    @pytest.mark.django_db(transaction=True)
    def test_that_comes_twice_at_one_moment_opens_one_session(self, provider: RunningProvider, user: User) -> None:
        browser = Browser()
        brought = browser.visit(browser.depart())

        def come_back() -> str:
            try:
                services.complete_federated(provider="library", **brought, binding=browser.binding, at=timezone.now())
            except services.InvalidStateError:
                return "refused"
            return "open"

        assert sorted(at_once(*[come_back] * 4)) == ["open", "refused", "refused", "refused"]

    def test_is_kept_as_hashes_and_forgotten_after_a_day(self, provider: RunningProvider) -> None:
        browser = Browser()
        state = parse_qs(urlsplit(browser.depart()).query)["state"][0]
        kept = FederatedLogIn.objects.get()
        stored = bytes(kept.state_hash) + bytes(kept.binding_hash)

        assert state.encode() not in stored
        assert browser.binding.encode() not in stored
        services.purge_sessions(at=later(11 + 24 * 60))
        assert not FederatedLogIn.objects.exists()


class TestWhatTheProviderSays:
    """It does not count unless it is said to us, now, about this log-in, by who was configured."""

    @pytest.mark.parametrize(
        "claims",
        [
            {"nonce": "of-another-log-in"},
            {"nonce": None},
            {"aud": "another-client"},
            {"aud": [CLIENT_ID, "another-client"]},
            {"iss": "https://elsewhere.example.org"},
            {"exp": 1_700_000_000},
            {"iat": 4_000_000_000},
            {"sub": ""},
            {"sub": 42},
            {"sub": "x" * 256},
        ],
        ids=str,
    )
    def test_of_something_else_is_refused(self, provider: RunningProvider, user: User, claims: dict[str, Any]) -> None:
        provider.claims.update(claims)

        assert code_of(Browser().log_in()) == (401, "provider_refused")
        assert not Session.objects.exists()

    def test_with_a_key_it_does_not_publish_is_refused(self, provider: RunningProvider, user: User) -> None:
        provider.rotate("unpublished", publish=False)

        assert code_of(Browser().log_in()) == (401, "provider_refused")

    def test_with_a_key_of_a_published_name_is_refused(self, provider: RunningProvider, user: User) -> None:
        provider.rotate("first", publish=False)

        assert code_of(Browser().log_in()) == (401, "provider_refused")

    @pytest.mark.checklist(29)
    @pytest.mark.parametrize("algorithm", ["none", "HS256"])
    def test_with_an_algorithm_that_anybody_can_sign_with_is_refused(
        self, provider: RunningProvider, algorithm: str
    ) -> None:
        said = {"sub": "ada", "nonce": oidc.nonce_of("state")}
        forged = jwt.encode(
            said, "x" * 32 if algorithm == "HS256" else "", algorithm=algorithm, headers={"kid": "first"}
        )

        with pytest.raises(oidc.ProviderRefusedError, match="algorithm"):
            oidc._verified(oidc.providers()["library"], forged, nonce=oidc.nonce_of("state"))

    def test_under_the_name_of_another_issuer_is_no_answer(self, provider: RunningProvider) -> None:
        provider.metadata["issuer"] = "https://elsewhere.example.org"

        answer = APIClient().post(f"{OIDC}start/", {"provider": "library", "redirect_uri": REDIRECT_URI})

        assert code_of(answer) == (503, "provider_unavailable")
        assert answer.headers["Retry-After"]

    def test_is_read_at_the_address_it_names_and_nowhere_else(self, provider: RunningProvider, user: User) -> None:
        provider.metadata["jwks_uri"] = f"{provider.issuer}/elsewhere"

        assert code_of(Browser().log_in()) == (503, "provider_unavailable")
        assert "/keys" not in provider.asked

    def test_is_not_waited_for_again_by_everybody_while_it_is_silent(
        self, provider: RunningProvider, settings: Any
    ) -> None:
        said = {"provider": "library", "redirect_uri": REDIRECT_URI}
        with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(1) as pool:
            gone = f"http://127.0.0.1:{silent.getsockname()[1]}"
            settings.OIDC_PROVIDERS = [configured(gone), configured(provider.issuer, name="other")]
            asked = pool.submit(oidc._metadata, oidc.providers()["library"])
            silent.accept()[0].close()
            assert isinstance(asked.exception(), oidc.ProviderUnavailableError)

            answer = APIClient().post(f"{OIDC}start/", said)

            assert code_of(answer) == (503, "provider_unavailable")
            silent.setblocking(False)
            with pytest.raises(BlockingIOError):
                silent.accept()
        assert APIClient().post(f"{OIDC}start/", {**said, "provider": "other"}).status_code == 200

    def test_without_encryption_is_not_asked_for_in_production(self, provider: RunningProvider, settings: Any) -> None:
        settings.OIDC_PLAIN_HTTP_ALLOWED = False

        answer = APIClient().post(f"{OIDC}start/", {"provider": "library", "redirect_uri": REDIRECT_URI})

        assert code_of(answer) == (503, "provider_unavailable")


class TestCode:
    def test_is_exchanged_by_who_asked_for_it_alone(
        self, provider: RunningProvider, user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        browser = Browser()
        brought = browser.visit(browser.depart())
        for verifier in ("", "x" * 43):
            with monkeypatch.context() as other:
                other.setattr(oidc, "verifier_of", lambda state, said=verifier: said)
                with pytest.raises(oidc.ProviderRefusedError):
                    oidc.exchange(
                        oidc.providers()["library"], code=brought["code"], state=brought["state"],
                        redirect_uri=REDIRECT_URI,
                    )  # fmt: skip

        assert browser.come_back(brought).status_code == 200

    def test_is_good_once_at_the_provider_as_well(self, provider: RunningProvider, user: User) -> None:
        first, second = Browser(), Browser()
        used = first.visit(first.depart())
        assert first.come_back(used).status_code == 200

        again = second.visit(second.depart())
        assert code_of(second.come_back({**again, "code": used["code"]})) == (401, "provider_refused")

    def test_of_another_log_in_is_refused(self, provider: RunningProvider, user: User) -> None:
        attacker, victim = Browser(), Browser()
        stolen = victim.visit(victim.depart())
        own = attacker.visit(attacker.depart())

        assert code_of(attacker.come_back({**own, "code": stolen["code"]})) == (401, "provider_refused")

    @pytest.mark.parametrize("uri", ["https://evil.example/", f"{REDIRECT_URI}/", REDIRECT_URI.upper(), "x"])
    def test_is_sent_to_named_addresses_alone(self, provider: RunningProvider, uri: str) -> None:
        answer = APIClient().post(f"{OIDC}start/", {"provider": "library", "redirect_uri": uri})

        assert code_of(answer) == (400, "redirect_not_allowed")


@pytest.mark.checklist(26)
class TestSecondFactor:
    @pytest.fixture
    def ada(self, user: User) -> Owner:
        owner = Owner(ADA)
        owner.log_in()
        owner.enrol()
        return owner

    def test_is_asked_for_all_the_same(self, provider: RunningProvider, ada: Owner) -> None:
        provider.claims["amr"] = ["pwd", "mfa"]

        data = Browser().log_in().json()["data"]

        assert data["mfa_required"] is True
        opened = ada.second_step(data["mfa_token"], ada.code())
        assert opened.status_code == 200
        assert Session.objects.latest("created_at").amr == ["fed", "otp"]

    def test_is_the_providers_where_that_is_trusted_and_says_so(
        self, provider: RunningProvider, ada: Owner, settings: Any
    ) -> None:
        settings.OIDC_PROVIDERS = [configured(provider.issuer, trusts_mfa=True)]
        settings.MFA_REQUIRED_ROLES = ["staff"]
        assert Browser().log_in().json()["data"]["mfa_required"] is True

        provider.claims["amr"] = ["pwd", "mfa"]

        browser = Browser()
        data = browser.log_in().json()["data"]
        browser.client.credentials(HTTP_AUTHORIZATION=f"Bearer {data['access']}")
        assert browser.client.get("/api/v1/students/").status_code == 200

    def test_is_demanded_of_roles_that_need_one(self, provider: RunningProvider, user: User, settings: Any) -> None:
        settings.MFA_REQUIRED_ROLES = ["staff"]
        browser = Browser()
        data = browser.log_in().json()["data"]
        browser.client.credentials(HTTP_AUTHORIZATION=f"Bearer {data['access']}")

        assert code_of(browser.client.get("/api/v1/students/")) == (403, "mfa_enrollment_required")


class TestIdentities:
    def test_are_listed_and_unlinked_by_their_owner(self, provider: RunningProvider, user: User) -> None:
        browser = Browser()
        data = browser.log_in().json()["data"]
        browser.client.credentials(HTTP_AUTHORIZATION=f"Bearer {data['access']}")
        [identity] = browser.client.get(IDENTITIES).json()["data"]
        assert (identity["issuer"], identity["email"]) == (provider.issuer, ADA)

        assert browser.client.post(f"{IDENTITIES}unlink/", {"identity": str(user.pk)}).status_code == 404
        assert browser.client.post(f"{IDENTITIES}unlink/", {"identity": identity["id"]}).status_code == 204

        assert browser.client.get(IDENTITIES).json()["data"] == []
        assert AuditEvent.objects.filter(action="identity.unlinked").count() == 1


class TestConfiguration:
    GOOD = (
        '[{"name": "library", "issuer": "https://login.example.org", "client_id": "campus",'
        ' "redirect_uris": ["https://campus.example.org/back"]}]'
    )
    SECRETS = '{"library": "a long secret"}'

    def test_is_read_with_the_secrets_of_a_variable_of_their_own(self) -> None:
        [provider] = read_providers({"OIDC_PROVIDERS": self.GOOD, "OIDC_SECRETS": self.SECRETS})

        assert oidc.Provider(**provider).title == "Library"
        assert provider["client_secret"] == "a long secret"
        assert read_providers({}) == []

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("{", "is no JSON"),
            ('["x"]', "is no list of providers in JSON"),
            ('[{"name": "Not a name"}]', "name"),
            (GOOD.replace('"campus"', "7"), "client_id"),
            (GOOD.replace("https://login", "http://login"), "issuer"),
            (GOOD.replace('["https://campus', '["http://campus'), "redirect_uris"),
            (GOOD.replace('"name"', '"colour": 1, "name"'), "colour"),
        ],
    )
    def test_that_is_wrong_keeps_production_from_starting(self, text: str, fault: str) -> None:
        [found] = faults({**SAFE, "OIDC_PROVIDERS": text, "OIDC_SECRETS": self.SECRETS})

        assert found.startswith("OIDC_PROVIDERS")
        assert fault in found

    def test_needs_the_secret(self) -> None:
        [found] = faults({**SAFE, "OIDC_PROVIDERS": self.GOOD})

        assert "OIDC_SECRETS has no secret" in found


@pytest.mark.checklist(37)
class TestAccountsWithoutPassword:
    """Whoever logs in elsewhere alone has no password to say, and has logged in just now instead."""

    @pytest.fixture
    def ada(self, provider: RunningProvider) -> Owner:
        account = services.create_user(by=None, email=ADA)
        RoleAssignmentFactory(user=account, role=Role.REGISTRAR)
        return self.logged_in()

    def logged_in(self) -> Owner:
        browser = Browser()
        owner = Owner(ADA, client=browser.client)
        owner.carry(browser.log_in())
        return owner

    def grow_old(self, settings: Any) -> None:
        Session.objects.update(created_at=timezone.now() - settings.FRESH_LOG_IN)

    def test_set_up_their_second_factor_which_they_then_show_beside_the_log_in(self, ada: Owner, settings: Any) -> None:
        settings.MFA_REQUIRED_ROLES = ["staff"]
        assert code_of(ada.client.get("/api/v1/students/")) == (403, "mfa_enrollment_required")

        ada.enrol(password="")

        assert ada.client.get("/api/v1/students/").status_code == 200
        waiting = Browser().log_in().json()["data"]
        assert waiting["mfa_required"] is True
        assert ada.second_step(waiting["mfa_token"], ada.code()).status_code == 200

    def test_change_nothing_in_a_session_that_was_opened_a_while_ago_however_often_it_is_refreshed(
        self, ada: Owner, settings: Any
    ) -> None:
        self.grow_old(settings)
        ada.carry(ada.client.post("/api/v1/auth/token/refresh/", {"refresh": ada.refresh}))
        asked = {
            "mfa/totp/": {}, "mfa/webauthn/": {}, "mfa/recovery-codes/": {}, "mfa/factors/remove/": {"factor": UNKNOWN},
            "email/change/": {"new_email": "another@example.org"}, "password/change/": {"new_password": PASSWORD},
        }  # fmt: skip

        answers = {path: ada.client.post(f"/api/v1/auth/{path}", body) for path, body in asked.items()}

        assert {path: code_of(answer) for path, answer in answers.items()} == dict.fromkeys(
            asked, (403, "fresh_login_required")
        )
        assert answers["mfa/totp/"].json()["errors"][0]["meta"] == {"within_seconds": 600}
        assert self.logged_in().client.post("/api/v1/auth/mfa/totp/", {}).status_code == 200

    def test_are_not_those_with_one_who_say_it_wherever_they_log_in(
        self, provider: RunningProvider, user: User
    ) -> None:
        ada = self.logged_in()

        assert code_of(ada.client.post("/api/v1/auth/mfa/totp/", {})) == (400, "required")
        assert code_of(ada.client.post("/api/v1/auth/mfa/totp/", {"password": "x"})) == (400, "wrong_password")
        assert ada.client.post("/api/v1/auth/mfa/totp/", {"password": PASSWORD}).status_code == 200

    def test_do_not_take_the_session_of_somebody_else_or_one_that_was_opened_otherwise(self, ada: Owner) -> None:
        mine = Session.objects.get()
        other = services.create_user(by=None, email="eve@example.org")
        now = timezone.now()
        opened = services.open_session(User.objects.get(email=ADA), amr=["pwd"], at=now).session

        for user, session in ((other, mine), (mine.user, opened), (mine.user, None)):
            with pytest.raises(ForbiddenError) as refused:
                services.reauthenticate(user, "", session_id=session and session.pk, at=now)
            assert refused.value.error_code == "fresh_login_required"
