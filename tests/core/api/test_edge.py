"""What the application tells the edge: what may be kept and for whom, and what a write has moved. Nobody else hears."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from redis import Redis

from accounts.models import Session
from accounts.roles import Role
from core.api import edge, remembered
from core.cache.commits import Raise
from core.cache.generations import generations
from core.cache.keeper import GenerationKeeper
from departments.models import Campus

pytestmark = pytest.mark.django_db(transaction=True)

CAMPUSES, BUILDINGS = "/api/v1/campuses/", "/api/v1/buildings/"
THROUGH = {"X-Edge": "1"}


@pytest.fixture(autouse=True)
def trusted(settings, monkeypatch):
    """Trust the address that the tests ask from as the proxy's, and the generations, whatever the time of day."""
    settings.NUM_PROXIES = 1
    monkeypatch.setattr(remembered, "AROUND_MIDNIGHT", timedelta(0))
    assert GenerationKeeper(generations(), lease_seconds=600).tick()


@pytest.fixture
def campus():
    return Campus.objects.create(code="NORTH", name="North", time_zone="Europe/Vienna")


def internal(answer):
    return {name for name in answer.headers if name.startswith("X-Edge")}


class TestAnAnswer:
    def test_says_for_whom_it_is_and_what_it_depends_on_to_the_edge_alone(self, campus, registrar_client, settings):
        shared, own = registrar_client.get("/edge/", headers=THROUGH)["X-Edge-Caller"].split(" ")[2:4]
        told = registrar_client.get(CAMPUSES, headers=THROUGH)
        included = registrar_client.get(f"{BUILDINGS}?include=campus", headers=THROUGH)
        untold = registrar_client.get(CAMPUSES)
        settings.NUM_PROXIES = 0
        claimed = registrar_client.get(CAMPUSES, headers=THROUGH)

        assert told["X-Edge-Keep"] == f"{remembered.stamp()} {shared} departments.campus"
        assert included["X-Edge-Keep"].split(" ")[1] == own
        assert (internal(untold), internal(claimed)) == (set(), set())

    def test_that_is_not_remembered_is_not_to_be_kept(self, registrar_client):
        assert internal(registrar_client.get("/api/v1/students/", headers=THROUGH)) == set()
        assert internal(registrar_client.get(f"{CAMPUSES}?nonsense=1", headers=THROUGH)) == set()


class TestAWrite:
    def test_says_what_it_moved_as_everybody_who_listens_is_told(self, campus, registrar_client):
        with Redis.from_url(settings.REDIS_URL) as redis, redis.pubsub(ignore_subscribe_messages=True) as listener:
            listener.subscribe(f"{settings.GENERATIONS_PREFIX}:raised")
            listener.get_message(timeout=5)

            answer = registrar_client.patch(
                f"{CAMPUSES}{campus.pk}/", {"name": "Far North"}, headers={**THROUGH, "If-Match": "*"}
            )

            message = listener.get_message(timeout=5)
        assert answer["X-Edge-Raised"] == message["data"].decode()
        assert answer["X-Edge-Raised"].split(" ")[1:] == ["departments.campus"]

    def test_says_what_it_moved_where_the_keeper_has_raised_it_first(self, campus, registrar_client, monkeypatch):
        def keeper_first(raising):
            monkeypatch.setattr(Raise, "__call__", raise_it)
            assert GenerationKeeper(generations(), lease_seconds=600).tick()
            raise_it(raising)

        raise_it = Raise.__call__
        monkeypatch.setattr(Raise, "__call__", keeper_first)

        answer = registrar_client.patch(
            f"{CAMPUSES}{campus.pk}/", {"name": "Far North"}, headers={**THROUGH, "If-Match": "*"}
        )

        assert "departments.campus" in answer["X-Edge-Raised"]

    def test_that_moved_too_much_for_a_header_says_everything(self, campus, registrar_client, monkeypatch):
        monkeypatch.setattr(edge, "LONGEST_RAISED", 10)

        answer = registrar_client.patch(
            f"{CAMPUSES}{campus.pk}/", {"name": "Far North"}, headers={**THROUGH, "If-Match": "*"}
        )

        assert answer["X-Edge-Raised"] == "*"

    def test_that_could_not_be_raised_says_everything(self, campus, registrar_client, monkeypatch):
        def away(*args, **options):
            raise ConnectionError

        monkeypatch.setattr("core.cache.commits.LONGEST_WAIT", 0)
        monkeypatch.setattr(generations(), "raise_to", away)

        answer = registrar_client.patch(
            f"{CAMPUSES}{campus.pk}/", {"name": "Far North"}, headers={**THROUGH, "If-Match": "*"}
        )

        assert answer["X-Edge-Raised"].split(", ")[-1] == "*"

    def test_that_was_refused_moved_nothing(self, campus, registrar_client):
        assert internal(registrar_client.patch(f"{CAMPUSES}{campus.pk}/", {"name": ""}, headers=THROUGH)) == set()


class TestTheQuestionWhoCalls:
    def ask(self, client, **headers):
        return client.get("/edge/", headers={**THROUGH, **headers})

    def test_is_answered_with_the_sights_and_what_takes_them_away(self, registrar, registrar_client):
        answer = self.ask(registrar_client)

        stamp, seconds, shared, own, *tags = answer["X-Edge-Caller"].split(" ")
        assert answer.status_code == 204
        assert (stamp, shared != own) == (remembered.stamp(), True)
        assert 1 <= int(seconds) <= 30
        assert tags == ["account:*", f"account:{registrar.pk}", "signing-keys"]
        assert f"{CAMPUSES} all departments.campus" in answer["X-Edge-Resources"].split(";")
        assert "/students/" not in answer["X-Edge-Resources"]

    def test_is_answered_alike_for_those_who_are_shown_the_same(self, client_for, user_with):
        one, other = [self.ask(client_for(user_with(Role.STUDENT)))["X-Edge-Caller"].split(" ")[2:4] for _ in range(2)]

        assert one[0] == other[0]
        assert one[1] != other[1]

    @pytest.mark.checklist(69)
    def test_is_answered_to_the_edge_alone(self, registrar_client, settings):
        assert registrar_client.get("/edge/").status_code == 404
        settings.NUM_PROXIES = 0
        assert self.ask(registrar_client).status_code == 404

    def test_is_refused_to_those_whom_every_resource_refuses(self, client_for, user_with, settings):
        ended = client_for(user_with(Role.STUDENT))
        Session.objects.update(revoked_at=datetime.now(UTC))
        settings.MFA_REQUIRED_ROLES = ["staff"]
        refused = {
            401: [client_for(None), ended],
            403: [
                client_for(user_with(Role.STUDENT, must_change_password=True)),
                client_for(user_with(Role.REGISTRAR)),
            ],
        }

        for status, clients in refused.items():
            for client in clients:
                answer = self.ask(client)
                assert (answer.status_code, internal(answer)) == (status, set())

    def test_is_answered_for_no_longer_than_the_log_in_lasts(self, user_with, client_for):
        client = client_for(user_with(Role.STUDENT))
        Session.objects.update(expires_at=datetime.now(UTC) + timedelta(seconds=10))
        soon = self.ask(client)
        Session.objects.update(expires_at=datetime.now(UTC) + timedelta(seconds=0.5))
        at_once = self.ask(client)

        assert int(soon["X-Edge-Caller"].split(" ")[1]) < 10
        assert (at_once.status_code in (204, 401), internal(at_once)) == (True, set())

    def test_is_not_answered_while_the_day_turns(self, registrar_client, monkeypatch):
        monkeypatch.setattr(remembered, "AROUND_MIDNIGHT", timedelta(days=1))

        assert internal(self.ask(registrar_client)) == set()

    def test_names_no_path_that_some_networks_alone_may_ask(self, registrar_client, settings):
        settings.IP_ALLOW_LIST = {CAMPUSES: ("10.0.0.0/8",)}

        assert CAMPUSES not in self.ask(registrar_client)["X-Edge-Resources"]
