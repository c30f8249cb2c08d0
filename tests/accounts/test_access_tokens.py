"""Access tokens: whose signature is believed, and what is refused however well it is made up."""

import base64
import hmac
import json
import socket
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives import serialization as encoding
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.conf import settings
from django.utils import timezone

from accounts import services, tokens
from accounts.keyring import PATIENCE_SECONDS, KeyRing
from accounts.models import KeyState, Session, SigningKey
from core.security.encryption import decrypt
from tests.accounts.factories import UserFactory

pytestmark = pytest.mark.django_db
ME, VERIFY = "/api/v1/auth/me/", "/api/v1/auth/token/verify/"


@pytest.fixture
def genuine(client_for):
    """Return a token that is good."""
    header = client_for(UserFactory())._credentials["HTTP_AUTHORIZATION"]
    return header.partition(" ")[2]


@pytest.fixture
def anonymous(client_for):
    return client_for(None)


@pytest.fixture
def ours(genuine):
    """Return our own active key: what is refused here is refused in spite of a good signature."""
    row = SigningKey.objects.get(state=KeyState.ACTIVE)
    return encoding.load_der_private_key(decrypt(bytes(row.private_key), context=row.context), password=None)


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def parts_of(token):
    return jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})


def signed(header, payload, key):
    """Sign whatever header and payload with ES256, as no library would."""
    message = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(payload).encode())}"
    signer = jwt.get_algorithm_by_name("ES256")
    return f"{message}.{b64(signer.sign(message.encode(), key))}"


def answer(client, token):
    return client.get(ME, HTTP_AUTHORIZATION=f"Bearer {token}")


def assert_refused(client, token):
    response = answer(client, token)
    assert (response.status_code, response.json()["code"]) == (401, "invalid_token")
    assert client.post(VERIFY, {"token": token}).status_code == 401


def test_a_token_says_whose_it_is_and_how_they_logged_in(anonymous, genuine):
    header, payload = parts_of(genuine)
    session = Session.objects.get()

    assert header == {"alg": "ES256", "typ": "at+jwt", "kid": SigningKey.objects.get(state=KeyState.ACTIVE).kid}
    assert payload.keys() == {"iss", "aud", "typ", "sub", "sid", "ver", "amr", "iat", "exp", "jti"}
    assert (payload["typ"], payload["sub"], payload["sid"]) == ("access", str(session.user_id), str(session.pk))
    assert payload["exp"] - payload["iat"] == 600
    assert answer(anonymous, genuine).status_code == 200


def test_a_log_in_by_password_says_so(anonymous):
    services.create_user(by=None, email="ada@example.org", password="correct horse battery staple")

    pair = anonymous.post(
        "/api/v1/auth/token/", {"email": "ada@example.org", "password": "correct horse battery staple"}
    )

    assert parts_of(pair.json()["data"]["access"])[1]["amr"] == ["pwd"]


def unsigned(header, payload, _):
    return f"{b64(json.dumps({**header, 'alg': 'none'}).encode())}.{b64(json.dumps(payload).encode())}."


def hmac_with_the_public_key(header, payload, _):
    # What anybody can do who has read the key set: the classic confusion of algorithms.
    pem = SigningKey.objects.get(state=KeyState.ACTIVE).public_key.encode()
    message = f"{b64(json.dumps({**header, 'alg': 'HS256'}).encode())}.{b64(json.dumps(payload).encode())}"
    return f"{message}.{b64(hmac.digest(pem, message.encode(), 'sha256'))}"


def another_curve(header, payload, _):
    return jwt.encode(
        payload, ec.generate_private_key(ec.SECP384R1()), algorithm="ES384", headers={**header, "alg": "ES384"}
    )


def another_curve_under_the_right_name(header, payload, _):
    message = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(payload).encode())}"
    wide = jwt.get_algorithm_by_name("ES384").sign(message.encode(), ec.generate_private_key(ec.SECP384R1()))
    return f"{message}.{b64(wide)}"


def rsa_instead(header, payload, _):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(payload, key, algorithm="RS256", headers={**header, "alg": "RS256"})


FORGERIES = {
    "no signature": unsigned,
    "no signature, spelled otherwise": lambda h, p, _: unsigned(h, p, _).replace(b64(b"none"), b64(b"NoNe")),
    "the algorithm none with our signature": lambda h, p, key: signed({**h, "alg": "none"}, p, key),
    "HS256 with the public key": hmac_with_the_public_key,
    "another curve": another_curve,
    "another curve under the right name": another_curve_under_the_right_name,
    "RSA": rsa_instead,
    "another key of the right curve": lambda h, p, _: signed(h, p, ec.generate_private_key(ec.SECP256R1())),
    "another algorithm's name with our signature": lambda h, p, key: signed({**h, "alg": "ES512"}, p, key),
    "no algorithm": lambda h, p, key: signed({k: v for k, v in h.items() if k != "alg"}, p, key),
    "a list of algorithms": lambda h, p, key: signed({**h, "alg": ["ES256"]}, p, key),
}


@pytest.mark.checklist(29)
@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_one_algorithm_and_our_key_alone_are_believed(anonymous, genuine, ours, forge):
    assert_refused(anonymous, forge(*parts_of(genuine), ours))


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b"\xff", b"1" * 5000, b"NaN", b"", b"null", b'"text"'])
def test_a_header_that_is_no_header_is_refused(anonymous, genuine, opening):
    deep = opening * (2400 // max(len(opening), 1))

    for header in (opening[:2400], deep):
        assert_refused(anonymous, ".".join([b64(header), *genuine.split(".")[1:]]))


@pytest.mark.checklist(29)
@pytest.mark.parametrize("cut", [0, 1, 2])
def test_each_part_of_a_token_is_needed_as_it_was(anonymous, genuine, cut):
    parts = genuine.split(".")
    without = [part if place != cut else "" for place, part in enumerate(parts)]
    changed = [part if place != cut else part[:-4] + part[-4:].swapcase()[::-1] for place, part in enumerate(parts)]

    for forged in (without, changed, parts[:cut], [*parts, "x"]):
        assert_refused(anonymous, ".".join(forged) or "x")


FOREIGN = ec.generate_private_key(ec.SECP256R1())
FOREIGN_JWK = jwt.get_algorithm_by_name("ES256").to_jwk(FOREIGN.public_key(), as_dict=True)
HEADERS = {
    "jku": {"jku": "https://keys.example.net/jwks.json"},
    "x5u": {"x5u": "https://keys.example.net/chain.pem"},
    "x5c": {"x5c": ["MIIB"]},
    "jwk": {"jwk": FOREIGN_JWK},
    "crit": {"crit": ["exp"], "exp": 1},
    "unknown crit": {"crit": ["https://example.net/ext"], "https://example.net/ext": True},
    "empty crit": {"crit": []},
    "b64": {"b64": False, "crit": ["b64"]},
    "zip": {"zip": "DEF"},
    "a path as kid": {"kid": "../../../../dev/null"},
    "a statement as kid": {"kid": "' UNION SELECT public_key FROM accounts_signingkey --"},
    "a URL as kid": {"kid": "https://keys.example.net/"},
    "an unknown kid": {"kid": "x" * 43},
    "an endless kid": {"kid": "x" * 1500},
    "a NUL in kid": {"kid": "\x00"},
    "no kid": {"kid": None},
    "a number as kid": {"kid": 1},
    "a list as kid": {"kid": ["a"]},
    "another type": {"typ": "JWT"},
    "no type": {"typ": None},
}


@pytest.mark.checklist(30)
@pytest.mark.parametrize("extra", HEADERS.values(), ids=HEADERS)
def test_a_token_cannot_bring_its_key_or_rules_of_its_own(anonymous, genuine, ours, extra, monkeypatch):
    ask = socket.getaddrinfo

    def only_our_servers_are_asked(host, *args, **options):
        assert host in ("127.0.0.1", "localhost"), "a token made us open a connection"
        return ask(host, *args, **options)

    header, payload = parts_of(genuine)
    monkeypatch.setattr(socket, "getaddrinfo", only_our_servers_are_asked)

    for key in (ours, FOREIGN):
        assert_refused(anonymous, signed({**header, **extra}, payload, key))


def claims_without(name):
    return lambda payload: {key: value for key, value in payload.items() if key != name}


def claims_with(**values):
    return lambda payload: {**payload, **values}


CONFUSIONS = {
    "a refresh token's type": claims_with(typ="refresh"),
    "a token that waits for a second factor": claims_with(typ="mfa"),
    "a token to reset a password": claims_with(typ="reset"),
    "no type": claims_without("typ"),
    "another audience": claims_with(aud="campushub360-mail"),
    "another audience among several": claims_with(aud=["a", "b"]),
    "no audience": claims_without("aud"),
    "another issuer": claims_with(iss="https://issuer.example.net"),
    "no issuer": claims_without("iss"),
    "no subject": claims_without("sub"),
    "a subject that is no id": claims_with(sub="admin"),
    "no session": claims_without("sid"),
    "a session that is no id": claims_with(sid="1"),
    "no version": claims_without("ver"),
    "a version that is no number": claims_with(ver="newest"),
    "no means of logging in": claims_without("amr"),
    "no end": claims_without("exp"),
    "an end that is no time": claims_with(exp="never"),
    "no beginning": claims_without("iat"),
}


@pytest.mark.checklist(31, 32)
@pytest.mark.parametrize("change", CONFUSIONS.values(), ids=CONFUSIONS)
def test_a_token_of_another_kind_opens_nothing(anonymous, genuine, ours, change):
    header, payload = parts_of(genuine)

    assert_refused(anonymous, signed(header, change(payload), ours))


@pytest.mark.checklist(31)
@pytest.mark.parametrize(
    "text", [[], {}, "text", 1, None, True], ids=["list", "empty", "text", "number", "nothing", "truth"]
)
def test_what_is_no_set_of_claims_opens_nothing(anonymous, genuine, ours, text):
    assert_refused(anonymous, signed(parts_of(genuine)[0], text, ours))


@pytest.mark.checklist(31)
def test_a_refresh_token_opens_nothing(anonymous):
    assert_refused(anonymous, tokens.new_refresh(uuid4()))


def seconds_from_now(seconds):
    return int((datetime.now(UTC) + timedelta(seconds=seconds)).timestamp())


@pytest.mark.checklist(32)
@pytest.mark.parametrize(
    "case",
    [
        ("exp", -31, 401), ("exp", -3600, 401), ("exp", -3, 200), ("exp", 60, 200),
        ("nbf", 31, 401), ("nbf", 3600, 401), ("nbf", 3, 200), ("nbf", -60, 200),
        ("iat", 31, 401), ("iat", 3600, 401), ("iat", 3, 200), ("iat", -60, 200),
    ],
)  # fmt: skip
def test_a_token_holds_from_when_until_when_it_says(anonymous, genuine, ours, case):
    (name, seconds, status), (header, payload) = case, parts_of(genuine)

    token = signed(header, {**payload, name: seconds_from_now(seconds)}, ours)

    assert answer(anonymous, token).status_code == status
    assert timedelta(0) < tokens.LEEWAY <= timedelta(seconds=30)


@pytest.mark.checklist(32)
def test_a_token_that_was_believed_is_not_once_it_has_expired(anonymous, genuine, monkeypatch):
    assert answer(anonymous, genuine).status_code == 200
    later = datetime.now(UTC) + settings.ACCESS_TOKEN_LIFETIME + tokens.LEEWAY + timedelta(seconds=1)

    monkeypatch.setattr(tokens.verified, "_clock", later.timestamp)

    assert tokens.verified.get(tokens.name_of(genuine)) is None


class TestRemembering:
    def test_a_signature_is_checked_once(self, anonymous, genuine, monkeypatch):
        assert answer(anonymous, genuine).status_code == 200
        checked = []
        monkeypatch.setattr("accounts.tokens._codec", lambda *_: checked.append(1))

        assert answer(anonymous, genuine).status_code == 200

        assert checked == []

    def test_the_account_and_the_session_are_asked_each_time(self, anonymous, genuine, django_assert_num_queries):
        answer(anonymous, genuine)

        with django_assert_num_queries(1):
            assert answer(anonymous, genuine).status_code == 200
        Session.objects.update(revoked_at=timezone.now())
        assert answer(anonymous, genuine).json()["code"] == "session_ended"

    def test_keeps_no_token(self, genuine, anonymous):
        answer(anonymous, genuine)

        assert genuine not in repr(vars(tokens.verified))


class TestTheRing:
    def test_made_up_ids_make_the_database_work_at_most_once_a_second(self, django_assert_num_queries):
        now = [0.0]
        ring = KeyRing(clock=lambda: now[0])

        with django_assert_num_queries(2):
            assert [ring.find(f"made up {number}") for number in range(50)] == [None] * 50
            now[0] = PATIENCE_SECONDS
            assert [ring.find(f"made up {number}") for number in range(50)] == [None] * 50

    def test_a_known_key_is_never_asked_for_again(self, genuine, django_assert_num_queries):
        row = SigningKey.objects.get(state=KeyState.ACTIVE)
        ring = KeyRing()

        with django_assert_num_queries(1):
            assert {ring.find(row.kid) for _ in range(50)} == {row.public_key}
