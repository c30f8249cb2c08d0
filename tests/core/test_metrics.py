"""What operators watch: counted where it happens, told to those inside, with no label that a client makes up."""

import re
import time
from datetime import timedelta

import pytest
from redis import Redis

from core.api import remembered
from core.cache.generations import Generations, generations
from core.cache.keeper import GenerationKeeper
from core.models import Touch
from departments.models import Campus

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/metrics"


@pytest.fixture
def lease(monkeypatch):
    """Let readers trust the generations, whatever the time of day."""
    monkeypatch.setattr(remembered, "AROUND_MIDNIGHT", timedelta(0))
    assert GenerationKeeper(generations(), lease_seconds=600).tick()


def told(client, **headers):
    answer = client.get(URL, **headers)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"].startswith("text/plain")
    lines = [line.rsplit(" ", 1) for line in answer.content.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}


def test_a_request_is_counted_by_its_route_and_status(client, registrar_client):
    counted = 'campushub360_request_seconds_count{method="GET",route="%s",status="%s"}'
    found = counted % ("api/v1/departments/", 200)
    before = told(client).get(found, 0)

    registrar_client.get("/api/v1/departments/?page_size=1")
    client.get("/nowhere/made-up-by-a-client/")
    client.generic("MADEUP", "/livez")

    after = told(client)
    assert after[found] == before + 1
    assert not [name for name in after if re.search("made-up|MADEUP|page_size", name)]
    assert after[counted % ("none", 404)] >= 1


def test_it_says_where_answers_were_found(client, registrar_client, lease):
    found = 'campushub360_answers_total{found="%s"}'
    before = told(client)

    for _ in range(2):
        registrar_client.get(f"/api/v1/campuses/?code=metrics-{time.monotonic_ns()}")
    registrar_client.get("/api/v1/campuses/?code=metrics")
    registrar_client.get("/api/v1/campuses/?code=metrics")

    after = told(client)
    grown = {where: after.get(found % where, 0) - before.get(found % where, 0) for where in ("nowhere", "process")}
    assert grown["process"] >= 1
    assert grown["nowhere"] >= 2


def test_it_says_for_how_long_what_is_remembered_may_be_trusted_and_what_waits(client, lease, settings):
    Campus.objects.create(code="NORTH", name="North", time_zone="Europe/Vienna")
    Touch.objects.create(tags=["departments.campus"])

    told_now = told(client)

    assert 500 < told_now["campushub360_lease_seconds"] <= 600
    assert told_now["campushub360_touches_waiting"] >= 1
    assert told_now["campushub360_oldest_touch_seconds"] > 0
    assert told_now["campushub360_outbox_dead"] == 0
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.delete(f"{settings.GENERATIONS_PREFIX}:lease")
    assert told(client)["campushub360_lease_seconds"] == 0


def test_a_server_that_fails_is_counted_and_left_alone(client):
    away = Generations("redis://127.0.0.1:1/0", prefix="nobody")
    failures = 'campushub360_server_failures_total{server="cache"}'
    before = told(client).get(failures, 0)
    began = time.time()

    assert away.read(["departments.campus"]) is None

    after = told(client)
    assert after[failures] == before + 1
    assert after['campushub360_server_left_alone_until_seconds{server="cache"}'] > began


def test_only_machines_inside_are_told(client):
    assert client.get(URL, REMOTE_ADDR="198.51.100.7").status_code == 403
    assert client.get(URL, REMOTE_ADDR="10.1.2.3").status_code == 200
    assert client.post(URL).status_code == 405
