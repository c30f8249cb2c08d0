"""What was asked before is answered without Django: the same answer by the same rules, until something changes."""

import logging
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import services, tokens
from accounts.models import RoleAssignment, Session
from accounts.roles import Role
from core.api import precedents, remembered
from core.redis import Line
from core.security.limiter import Limit
from departments.models import Campus
from tests.core.api.wire import EACH_ITS_OWN, Wire, lease, viewed

__all__ = ["lease", "viewed"]

pytestmark = pytest.mark.django_db(transaction=True)
CAMPUSES, PROGRAMS_OF = "/api/v1/campuses/", "/api/v1/program-enrollments/"


@pytest.fixture
def campus():
    return Campus.objects.create(code="NORTH", name="North", time_zone="Europe/Vienna")


@pytest.fixture
def user(user_with):
    return user_with(Role.STUDENT)


@pytest.fixture
def client(campus, user, client_for):
    """Return a client whose question has been answered before."""
    client = Wire(client_for(user))
    assert client.get(CAMPUSES).status_code == 200
    return client


def told(answer):
    headers = {name: value for name, value in answer.headers.items() if name not in EACH_ITS_OWN}
    return answer.status_code, answer.content, headers


def by_both(client, viewed, **headers):
    """Return an answer from memory without the view, and by the view."""
    client.get(CAMPUSES, headers=headers)
    viewed.clear()
    without = client.get(CAMPUSES, headers=headers)
    assert viewed == []
    precedents._precedents.clear()
    with_view = client.get(CAMPUSES, headers=headers)
    assert viewed == [CAMPUSES]
    return without, with_view


class TestTheAnswer:
    def test_is_the_view_s_with_all_its_headers(self, client, viewed):
        without, with_view = by_both(client, viewed)

        assert without["X-Cache"] == "HIT"
        assert told(without) == told(with_view)
        assert without["RateLimit-Policy"]

    def test_to_who_has_it_already_is_the_view_s_too(self, client, viewed):
        tag = client.get(CAMPUSES)["ETag"]

        without, with_view = by_both(client, viewed, **{"If-None-Match": f'"other", W/{tag}'})

        assert without.status_code == 304
        assert told(without) == told(with_view)

    def test_goes_to_another_origin_as_the_view_s_does(self, client, viewed, settings):
        settings.CORS_ALLOWED_ORIGINS = ["https://app.example.edu"]

        without, with_view = by_both(client, viewed, Origin="https://app.example.edu")

        assert without["Access-Control-Allow-Origin"] == "https://app.example.edu"
        assert told(without) == told(with_view)

    def test_tells_the_edge_what_the_view_tells_it(self, client, viewed, settings):
        settings.NUM_PROXIES = 1

        without, with_view = by_both(client, viewed, **{"X-Edge": "1"})

        assert without["X-Edge-Keep"]
        assert told(without) == told(with_view)

    def test_goes_by_the_name_that_the_request_brings_or_by_one_of_its_own(self, client):
        assert client.get(CAMPUSES, headers={"X-Request-ID": "mine-1"})["X-Request-ID"] == "mine-1"
        assert len({client.get(CAMPUSES, headers={"X-Request-ID": "no name!"})["X-Request-ID"] for _ in range(3)}) == 3

    def test_is_logged_as_the_view_s_is(self, client, user, viewed, caplog):
        with caplog.at_level(logging.INFO, "core.access"):
            by_both(client, viewed)

        facts = ("method", "route", "status", "user_id", "key_id", "query")
        without, with_view = ({name: getattr(line, name) for name in facts} for line in caplog.records[1:])
        assert without == with_view
        assert without["user_id"] == user.pk


class TestTheRules:
    def test_count_every_request(self, campus, user, client_for, settings):
        settings.RATE_LIMITS = {"account": Limit("account", 3, 10**6, 3, 3)}
        client = Wire(client_for(user))

        answers = [client.get(CAMPUSES) for _ in range(4)]

        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert [answer["RateLimit"].partition(";t")[0] for answer in answers[:3]] == [
            f'"account";r={left}' for left in (2, 1, 0)
        ]
        assert int(answers[3]["Retry-After"]) > 0

    def test_count_a_request_once_whatever_has_changed_meanwhile(self, campus, user, client_for, settings, viewed):
        settings.RATE_LIMITS = {"account": Limit("account", 9, 10**6, 9, 9)}
        client = Wire(client_for(user))
        left = []
        for name in ("One", "Two", "Three"):
            left += [client.get(CAMPUSES)["RateLimit"].partition(";t")[0].partition("r=")[2] for _ in range(2)]
            Campus.objects.get().delete()
            Campus.objects.create(code="NORTH", name=name, time_zone="Europe/Vienna")

        assert left == ["8", "7", "6", "5", "4", "3"]
        assert len(viewed) == 3

    @pytest.mark.parametrize("is_one", [True, False], ids=["one server", "a server for each"])
    def test_take_one_round_where_one_server_knows_both(self, client, settings, monkeypatch, is_one):
        if not is_one:
            settings.REDIS_STATE_URL = f"{settings.REDIS_STATE_URL}?health_check_interval=0"
            client.get(CAMPUSES)
        client.get(CAMPUSES)
        rounds, send = [], Line.send
        monkeypatch.setattr(Line, "send", lambda line, commands: rounds.append(1) or send(line, commands))

        answer = client.get(CAMPUSES)

        assert (answer.status_code, answer["X-Cache"], len(rounds)) == (200, "HIT", 1 if is_one else 2)

    @pytest.mark.checklist(35)
    @pytest.mark.parametrize(
        ("take_back", "status", "code"),
        [
            (lambda user: Session.objects.filter(user=user).delete(), 401, "session_ended"),
            (services.outdate_tokens, 401, "invalid_token"),
            (lambda user: type(user).objects.filter(pk=user.pk).update(is_active=False), 401, "session_ended"),
            (lambda user: RoleAssignment.objects.filter(user=user).delete(), 403, "permission_denied"),
            (
                lambda user: type(user).objects.filter(pk=user.pk).update(must_change_password=True),
                403,
                "password_change_required",
            ),
        ],
        ids=["log out", "outdate tokens", "disable", "take the role", "outdate the password"],
    )  # fmt: skip
    def test_that_have_changed_decide_about_the_next_request(self, client, user, take_back, status, code):
        take_back(user)

        answer = client.get(CAMPUSES)

        assert (answer.status_code, answer.json()["code"]) == (status, code)

    def test_of_settings_are_those_of_the_present(self, client, settings):
        settings.MFA_REQUIRED_ROLES = [Role.STUDENT]

        assert client.get(CAMPUSES).json()["code"] == "mfa_enrollment_required"

    def test_refuse_a_host_that_is_none_of_ours(self, client):
        assert client.get(CAMPUSES, headers={"Host": "evil.example"}).status_code == 400

    def test_hold_for_the_token_alone_that_they_were_applied_to(self, client, user, client_for, viewed):
        Wire(client_for(user)).get(CAMPUSES)
        Wire(client_for(None)).get(CAMPUSES)

        assert viewed == [CAMPUSES, CAMPUSES]


class TestAPrecedent:
    def test_ends_with_the_token(self, campus, user, client_for):
        client, now = Wire(client_for(user)), timezone.now()
        claims = tokens.read_access(client.credentials["HTTP_AUTHORIZATION"].partition(" ")[2])
        issued = now - tokens.settings.ACCESS_TOKEN_LIFETIME + timedelta(seconds=20)
        token = services.issue_access(claims, at=issued)
        client.credentials = {"HTTP_AUTHORIZATION": f"Bearer {token}"}

        client.get(CAMPUSES)

        ((name, (_, until)),) = precedents._precedents._kept.items()
        assert 0 < until - time.monotonic() <= 20
        assert len(name) == 20

    def test_is_of_one_request_alone(self, client, viewed):
        for headers in ({"Accept": "application/json"}, {"X-Edge": "1"}, {"Cookie": "a=b"}, {"Host": "testserver:80"}):
            client.get(CAMPUSES, headers=headers)
        client.ask(CAMPUSES, "HEAD")

        assert viewed == [CAMPUSES] * 5
        viewed.clear()

        for headers in ({"X-Request-ID": "mine"}, {"User-Agent": "other"}):
            client.get(CAMPUSES, headers=headers)

        assert viewed == []

    def test_is_of_no_use_on_another_day(self, client, viewed, monkeypatch):
        monkeypatch.setattr(remembered, "stamp", lambda: "another release/another day")

        assert client.get(CAMPUSES)["X-Cache"] == "MISS"
        assert viewed == [CAMPUSES]

    def test_comes_from_no_refusal_and_from_nothing_that_is_put_on_record(self, campus, registrar_client):
        client = Wire(registrar_client)
        for url in (PROGRAMS_OF, f"{CAMPUSES}?nonsense=1"):
            client.get(url)
        client.ask(CAMPUSES, "HEAD")

        assert len(precedents._precedents) == 0


@pytest.mark.parametrize("path", ["/livez", CAMPUSES])
def test_a_head_is_answered_with_the_headers_of_its_get_and_no_body(client, path):
    whole, head = (client.ask(path, method) for method in ("GET", "HEAD"))

    assert (head.status_code, head.content) == (200, b"")
    assert head["Content-Length"] == str(len(whole.content)) != "0"
