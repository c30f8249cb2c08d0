"""The keys that sign access tokens: their life, what is published of them, and changing them under load."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO

import jwt
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts import services, tokens
from accounts.keyring import KeyRing
from accounts.models import KeyState, SigningKey
from core.security.encryption import decrypt
from core.security.rotation import encrypted_columns
from tests.accounts.factories import UserFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db
ME, JWKS = "/api/v1/auth/me/", "/api/v1/auth/jwks.json"


@pytest.fixture
def logged_in(client_for):
    return client_for(UserFactory())


def states():
    return dict(SigningKey.objects.values_list("kid", "state"))


def key(state):
    return SigningKey.objects.get(state=state)


def later(**span):
    return timezone.now() + timedelta(**span)


def manage(*arguments):
    out = StringIO()
    call_command("signing_keys", *arguments, stdout=out)
    return out.getvalue()


class TestTheLifeOfAKey:
    def test_the_first_is_made_when_it_is_needed_and_the_next_with_it(self, logged_in):
        assert logged_in.get(ME).status_code == 200

        assert sorted(states().values()) == ["active", "next"]

    def test_a_rotation_moves_each_one_on(self, logged_in):
        first, second = key(KeyState.ACTIVE).kid, key(KeyState.NEXT).kid

        services.rotate_signing_key(at=later(minutes=5))

        moved = states()
        assert (moved.pop(first), moved.pop(second)) == ("retiring", "active")
        assert list(moved.values()) == ["next"]

    def test_what_a_retiring_key_has_signed_is_believed_until_it_expires(self, logged_in):
        services.rotate_signing_key(at=later(minutes=5))
        services.rotate_signing_key(at=later(minutes=10))

        assert logged_in.get(ME).status_code == 200

    def test_a_key_goes_when_nothing_that_it_signed_can_still_be_good(self, logged_in):
        first = key(KeyState.ACTIVE).kid
        services.rotate_signing_key(at=later(minutes=5))
        longest = settings.ACCESS_TOKEN_LIFETIME + tokens.LEEWAY

        services.rotate_signing_key(at=later(minutes=5) + longest)
        assert states()[first] == "retiring"
        services.rotate_signing_key(at=later(minutes=12) + longest)

        assert states()[first] == "gone"
        assert logged_in.get(ME).status_code == 401

    def test_a_key_that_was_just_published_does_not_sign_yet(self, logged_in):
        before = states()

        with pytest.raises(services.NextKeyTooYoungError):
            services.rotate_signing_key(at=later(minutes=4))

        assert states() == before

    def test_a_key_that_signs_no_more_has_lost_its_private_half(self, logged_in):
        services.rotate_signing_key(at=later(minutes=5))

        kept = dict(SigningKey.objects.values_list("state", "private_key"))
        assert kept["retiring"] is None
        assert kept["active"]
        assert kept["next"]

    def test_the_private_half_is_stored_encrypted_and_bound_to_its_row(self, logged_in):
        active, upcoming = key(KeyState.ACTIVE), key(KeyState.NEXT)

        assert decrypt(bytes(active.private_key), context=active.context)
        assert b"PRIVATE" not in bytes(active.private_key)
        assert ("accounts_signingkey.private_key") in map(str, encrypted_columns())
        with pytest.raises(Exception, match="belongs elsewhere"):
            decrypt(bytes(upcoming.private_key), context=active.context)


class TestRevoking:
    @pytest.mark.checklist(39)
    def test_refuses_at_once_what_the_key_has_signed_and_lets_the_next_one_sign(self, client_for, logged_in):
        stolen, upcoming = key(KeyState.ACTIVE).kid, key(KeyState.NEXT).kid
        assert logged_in.get(ME).status_code == 200

        manage("revoke", stolen)

        assert logged_in.get(ME).status_code == 401
        assert states()[stolen] == "gone"
        assert states()[upcoming] == "active"
        assert client_for(UserFactory()).get(ME).status_code == 200

    @pytest.mark.parametrize("state", [KeyState.NEXT, KeyState.RETIRING])
    def test_any_other_key_leaves_the_active_one(self, logged_in, state):
        services.rotate_signing_key(at=later(minutes=5))
        active, revoked = key(KeyState.ACTIVE).kid, key(state).kid

        services.revoke_signing_key(kid=revoked, at=timezone.now())

        assert states()[active] == "active"
        assert states()[revoked] == "gone"
        assert SigningKey.objects.filter(state=KeyState.NEXT).count() == 1

    @pytest.mark.parametrize("kid", ["nonsense", "", "\u00e4"])
    def test_an_unknown_key_says_so(self, logged_in, kid):
        before = states()

        with pytest.raises(CommandError, match="No key"):
            manage("revoke", kid)

        assert states() == before

    def test_twice_says_so(self, logged_in):
        kid = key(KeyState.NEXT).kid
        manage("revoke", kid)

        with pytest.raises(CommandError, match="No key"):
            manage("revoke", kid)


class TestTheCommand:
    def test_lists_what_is_trusted_and_no_secret(self, logged_in):
        assert manage() == manage("list")
        lines = manage("list").splitlines()

        assert sorted(line.split()[1] for line in lines) == ["active", "next"]
        assert {line.split()[0] for line in lines} == set(states())

    def test_rotates(self, logged_in, settings):
        settings.JWKS_MAX_AGE = timedelta(0)

        lines = manage("rotate").splitlines()

        assert sorted(line.split()[1] for line in lines) == ["active", "next", "retiring"]

    def test_says_when_the_next_key_is_too_young(self, logged_in):
        with pytest.raises(CommandError, match="wait"):
            manage("rotate")

    def test_makes_the_first_keys_where_there_are_none(self):
        assert len(manage("rotate").splitlines()) == 2


class TestThePublishedKeys:
    def test_are_a_key_set_that_any_library_reads(self, client_for, logged_in):
        token = logged_in._credentials["HTTP_AUTHORIZATION"].partition(" ")[2]

        answer = client_for(None).get(JWKS)

        keys = jwt.PyJWKSet.from_dict(answer.json())
        found = keys[jwt.get_unverified_header(token)["kid"]]
        claims = jwt.decode(token, found, algorithms=["ES256"], audience="campushub360-api", issuer="campushub360")
        assert claims["typ"] == "access"
        assert answer["Content-Type"] == "application/json"

    def test_hold_no_private_part(self, client_for, logged_in):
        for published in client_for(None).get(JWKS).json()["keys"]:
            assert published.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
            assert (published["kty"], published["crv"], published["use"]) == ("EC", "P-256", "sig")

    def test_hold_the_next_key_before_it_signs_and_the_last_one_after(self, client_for, logged_in):
        services.rotate_signing_key(at=later(minutes=5))
        services.revoke_signing_key(kid=key(KeyState.ACTIVE).kid, at=timezone.now())

        published = [each["kid"] for each in client_for(None).get(JWKS).json()["keys"]]

        assert set(published) == {kid for kid, state in states().items() if state != "gone"}
        assert len(published) == 3

    def test_may_be_kept_for_as_long_as_a_key_waits_before_it_signs(self, client_for, logged_in):
        answer = client_for(None).get(JWKS)
        again = client_for(None).get(JWKS, headers={"If-None-Match": answer["ETag"]})

        assert again.status_code == 304
        assert answer["Cache-Control"] == again["Cache-Control"] == "public, max-age=300"

    def test_are_not_kept_with_a_refusal(self, client_for):
        refused = client_for(None).get(f"{JWKS}?page=1")

        assert (refused.status_code, refused.json()["code"]) == (400, "unknown_parameter")
        assert refused["Cache-Control"] == "private, no-store"

    def test_take_one_query(self, client_for, logged_in, django_assert_num_queries):
        with django_assert_num_queries(1):
            client_for(None).get(JWKS)


def test_the_id_of_a_key_is_never_taken_for_an_option_of_the_command(monkeypatch):
    thumbprints = iter(["-begins", "--worse", "good", "next"])
    monkeypatch.setattr("accounts.services.signing_keys._thumbprint", lambda _key: next(thumbprints))

    services.rotate_signing_key(at=timezone.now())

    assert set(states()) == {"good", "next"}


@pytest.mark.django_db(transaction=True)
class TestUnderLoad:
    def test_the_first_key_is_made_once_however_many_ask(self):
        start = threading.Barrier(12)
        claims = tokens.AccessClaims(user_id=UserFactory().pk, session_id=UserFactory().pk, token_version=1)

        def ask():
            try:
                start.wait(timeout=60)
                return services.issue_access(claims, at=timezone.now())
            finally:
                connection.close()

        with ThreadPoolExecutor(12) as pool:
            issued = [each.result() for each in [pool.submit(ask) for _ in range(12)]]

        assert len({jwt.get_unverified_header(token)["kid"] for token in issued}) == 1
        assert sorted(states().values()) == ["active", "next"]

    def test_a_process_that_has_just_started_turns_nobody_away(self):
        services.issue_access(
            tokens.AccessClaims(user_id=UserFactory().pk, session_id=UserFactory().pk, token_version=1),
            at=timezone.now(),
        )
        row = SigningKey.objects.get(state="active")
        ring = KeyRing()

        assert at_once(*[lambda: ring.find(row.kid)] * 12) == [row.public_key] * 12

    @pytest.mark.checklist(39)
    def test_keys_change_while_everybody_works_and_nobody_is_turned_away(self, client_for, settings, monkeypatch):
        """Eight clients work and refresh while keys rotate; verifiers learn of keys from the database alone."""
        settings.JWKS_MAX_AGE = timedelta(0)
        monkeypatch.setattr("accounts.services.signing_keys.ring", KeyRing())
        monkeypatch.setattr(tokens, "ring", KeyRing(clock=itertools.count(step=2).__next__))
        user = services.create_user(by=None, email="ada@example.org", password="correct horse battery staple")
        pairs = [services.open_session(user, amr=["pwd"], at=timezone.now()) for _ in range(8)]
        over, done = threading.Event(), threading.Semaphore(0)

        def work(pair):
            client, seen = client_for(None), []
            refresh, access = pair.refresh, pair.access
            try:
                while not over.is_set():
                    answer = client.get(ME, HTTP_AUTHORIZATION=f"Bearer {access}")
                    renewed = client.post("/api/v1/auth/token/refresh/", {"refresh": refresh})
                    seen += [answer.status_code, renewed.status_code]
                    refresh, access = (renewed.json()["data"][name] for name in ("refresh", "access"))
                    done.release()
                return seen
            finally:
                done.release(100)  # nobody waits for a client that has failed
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            workers = [pool.submit(work, pair) for pair in pairs]
            for _ in range(6):
                for _ in range(len(pairs)):
                    done.acquire(timeout=60)
                services.rotate_signing_key(at=timezone.now())
            over.set()
            seen = [status for worker in workers for status in worker.result()]

        assert set(seen) == {200}
        assert len(seen) >= 6 * len(pairs) * 2
        assert sorted(states().values()) == ["active", "next", *["retiring"] * 6]
