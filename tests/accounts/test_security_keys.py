"""Security keys as second factors: what they sign, for whom, and what is refused of them."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.models import SecondFactor, Session, User
from accounts.services.security_keys import MOST_KEYS
from tests.accounts.second_factors import MFA, PASSWORD, SECOND_STEP, TOKEN, Owner
from tests.accounts.soft_key import SoftKey
from tests.racing import while_uncommitted

pytestmark = pytest.mark.django_db
ADA, ORIGIN = "ada@example.org", "https://campus.example.org"


@pytest.fixture(autouse=True)
def site(settings: Any) -> None:
    settings.WEBAUTHN_RP_ID, settings.WEBAUTHN_ORIGINS = "campus.example.org", [ORIGIN]


@pytest.fixture
def user() -> User:
    return services.create_user(by=None, email=ADA, password=PASSWORD)


@pytest.fixture
def ada(user: User) -> Owner:
    owner = Owner(ADA)
    owner.log_in()
    return owner


@pytest.fixture
def key(ada: Owner) -> SoftKey:
    """A key that Ada has set up."""
    made = SoftKey(ORIGIN)
    answer = confirm(ada, made.create(begin(ada)))
    assert answer.status_code == 200, answer.json()
    ada.recovery_codes = ada.carry(answer)["recovery_codes"]
    return made


def begin(owner: Owner) -> Any:
    return owner.client.post(f"{MFA}webauthn/", {"password": PASSWORD}).json()["data"]["options"]


def confirm(owner: Owner, credential: Any) -> Any:
    return owner.client.post(f"{MFA}webauthn/confirm/", {"credential": credential, "name": "Blue key"})


def asked(owner: Owner, token: str) -> Any:
    return owner.client.post(f"{SECOND_STEP}webauthn/", {"mfa_token": token}).json()["data"]["options"]


def shown(owner: Owner, token: str, credential: Any) -> Any:
    return owner.client.post(SECOND_STEP, {"mfa_token": token, "credential": credential})


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class TestSettingUp:
    def test_takes_a_key_made_for_this_site(self, ada: Owner, key: SoftKey) -> None:
        [factor] = ada.client.get(MFA).json()["data"]["factors"]

        assert (factor["kind"], factor["name"]) == ("webauthn", "Blue key")
        assert len(ada.recovery_codes) == 10
        assert Session.objects.get(revoked_at=None).amr == ["pwd", "pop"]

    def test_asks_for_the_password(self, ada: Owner) -> None:
        answer = ada.client.post(f"{MFA}webauthn/", {"password": "a wrong one"})

        assert code_of(answer) == (400, "wrong_password")

    @pytest.mark.parametrize(
        "others",
        [
            {"origin": "https://evil.example.org"},
            {"origin": "http://campus.example.org"},
            {"rp_id": "evil.example.org"},
            {"challenge": "bWFkZS11cC1jaGFsbGVuZ2U"},
        ],
        ids=str,
    )
    def test_takes_none_made_elsewhere_or_for_something_else(self, ada: Owner, others: dict[str, str]) -> None:
        credential = SoftKey(ORIGIN).create(begin(ada), **others)

        assert code_of(confirm(ada, credential)) == (400, "wrong_credential")
        assert not SecondFactor.objects.confirmed().exists()

    @pytest.mark.parametrize(
        "response",
        [
            {},
            {"clientDataJSON": "", "attestationObject": ""},
            {"clientDataJSON": "e30", "attestationObject": "oA"},
            {"clientDataJSON": "bnVsbA", "attestationObject": "_w"},
            {"clientDataJSON": 1, "attestationObject": []},
            {"clientDataJSON": "ü", "attestationObject": "ü"},
        ],
        ids=str,
    )
    def test_takes_nothing_that_is_no_credential(self, ada: Owner, response: Any) -> None:
        begin(ada)

        for credential in ({"id": "AA", "rawId": "AA", "type": "public-key", "response": response}, response):
            assert confirm(ada, credential).status_code == 400

    def test_names_the_keys_that_are_there_and_ends_at_some_number(self, ada: Owner, key: SoftKey) -> None:
        assert len(begin(ada)["publicKey"]["excludeCredentials"]) == 1
        for _ in range(MOST_KEYS - 1):
            ada.carry(confirm(ada, SoftKey(ORIGIN).create(begin(ada))))

        answer = ada.client.post(f"{MFA}webauthn/", {"password": PASSWORD})

        assert code_of(answer) == (409, "too_many_factors")

    @pytest.mark.checklist(51)
    def test_is_for_the_configured_site_whatever_host_a_request_names(self, ada: Owner, settings: Any) -> None:
        settings.ALLOWED_HOSTS = ["*"]
        answer = ada.client.post(f"{MFA}webauthn/", {"password": PASSWORD}, HTTP_HOST="evil.example.org")

        assert answer.json()["data"]["options"]["publicKey"]["rp"]["id"] == "campus.example.org"


@pytest.mark.django_db(transaction=True)
def test_what_is_confirmed_while_another_one_is_begun_counts_for_nothing(ada: Owner, user: User) -> None:
    session, now = Session.objects.get(user=user).pk, timezone.now()
    credential = SoftKey(ORIGIN).create(begin(ada))

    confirmed = while_uncommitted(
        lambda: services.begin_key(user, password=PASSWORD, session_id=session, at=now),
        lambda: services.confirm_key(user, credential=credential, session_id=session, at=now),
    )

    assert confirmed == "no_enrollment"
    assert not SecondFactor.objects.confirmed().exists()


@pytest.mark.checklist(26)
class TestLogIn:
    def test_asks_the_key_to_sign_and_opens_a_session(self, ada: Owner, key: SoftKey) -> None:
        ada.client.credentials()
        waiting = ada.first_step().json()["data"]
        assert waiting["kinds"] == ["webauthn", "recovery"]

        opened = shown(ada, waiting["mfa_token"], key.get(asked(ada, waiting["mfa_token"])))

        assert set(opened.json()["data"]) == {"access", "refresh", "expires_in", "user", "device"}
        assert Session.objects.latest("created_at").amr == ["pwd", "pop"]

    def test_takes_a_recovery_code_instead(self, ada: Owner, key: SoftKey) -> None:
        assert ada.second_step(ada.mfa_token(), ada.recovery_codes[0]).status_code == 200

    def test_takes_no_signature_of_another_log_in(self, ada: Owner, key: SoftKey) -> None:
        first, second = ada.mfa_token(), ada.mfa_token()
        signed = key.get(asked(ada, first))
        asked(ada, second)

        assert code_of(shown(ada, second, signed)) == (401, "wrong_code")
        assert shown(ada, first, signed).status_code == 200
        assert code_of(shown(ada, first, signed)) == (401, "invalid_mfa_token")

    @pytest.mark.parametrize(
        "others", [{"origin": "https://evil.example.org"}, {"rp_id": "evil.example.org"}, {"flags": 0}], ids=str
    )
    def test_takes_no_signature_for_another_site_or_without_somebody_there(
        self, ada: Owner, key: SoftKey, others: Any
    ) -> None:
        token = ada.mfa_token()

        assert code_of(shown(ada, token, key.get(asked(ada, token), **others))) == (401, "wrong_code")

    def test_takes_no_signature_of_a_copy(self, ada: Owner, key: SoftKey) -> None:
        copy = SoftKey(ORIGIN, key.count, key.private, key.credential_id)
        token = ada.mfa_token()
        assert shown(ada, token, key.get(asked(ada, token))).status_code == 200

        token = ada.mfa_token()
        assert code_of(shown(ada, token, copy.get(asked(ada, token)))) == (401, "wrong_code")

    def test_takes_keys_that_count_nothing(self, ada: Owner, key: SoftKey) -> None:
        for _ in range(2):
            token, key.count = ada.mfa_token(), -1
            assert shown(ada, token, key.get(asked(ada, token))).status_code == 200

    def test_takes_no_key_of_somebody_else(self, ada: Owner, key: SoftKey) -> None:
        token = ada.mfa_token()
        other = SoftKey(ORIGIN)

        for stranger in (other, SoftKey(ORIGIN, 0, other.private, key.credential_id)):
            assert code_of(shown(ada, token, stranger.get(asked(ada, token)))) == (401, "wrong_code")

    def test_takes_nothing_that_is_no_credential_or_both_a_code_and_one(self, ada: Owner, key: SoftKey) -> None:
        token = ada.mfa_token()
        asked(ada, token)

        assert shown(ada, token, {"id": "x", "rawId": "", "response": {}}).status_code == 401
        assert shown(ada, token, "text").status_code == 400
        assert ada.client.post(SECOND_STEP, {"mfa_token": token}).status_code == 400
        both = {"mfa_token": token, "code": "1", "credential": {}}
        assert ada.client.post(SECOND_STEP, both).status_code == 400

    def test_asks_no_key_for_a_log_in_that_does_not_wait(self, ada: Owner, key: SoftKey) -> None:
        answer = ada.client.post(f"{SECOND_STEP}webauthn/", {"mfa_token": "made up"})

        assert code_of(answer) == (401, "invalid_mfa_token")

    @pytest.mark.checklist(14)
    def test_at_the_administration_pages_takes_a_recovery_code(self, client: Client, ada: Owner, key: SoftKey) -> None:
        User.objects.update(is_staff=True)
        fields = {"username": ADA, "password": PASSWORD}

        assert client.post("/admin/login/", fields).status_code == 200
        assert client.post("/admin/login/", {**fields, "code": ada.recovery_codes[0]}).status_code == 302

    def test_with_the_key_removed_asks_for_nothing_more(self, ada: Owner, key: SoftKey) -> None:
        [factor] = ada.client.get(MFA).json()["data"]["factors"]
        ada.client.post(f"{MFA}factors/remove/", {"factor": factor["id"], "password": PASSWORD})

        ada.client.credentials()
        assert "access" in ada.client.post(TOKEN, {"email": ADA, "password": PASSWORD}).json()["data"]
