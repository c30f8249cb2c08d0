"""Answers made before anybody asks: those that a request would keep, for whom it would keep them, and no others."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import call_command
from redis import Redis

from accounts.roles import Role
from accounts.warming import representatives, warm_caches
from core.api import remembered
from core.cache.answers import Answers
from core.cache.generations import generations
from core.cache.keeper import GenerationKeeper
from departments.models import Campus
from tests.accounts.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
CAMPUSES = "/api/v1/campuses/"


@pytest.fixture(autouse=True)
def nothing_is_remembered(monkeypatch):
    """Begin as a process does after a release, whatever the time of day."""
    monkeypatch.setattr(remembered, "AROUND_MIDNIGHT", timedelta(0))
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.delete(f"{settings.GENERATIONS_PREFIX}:lease", *redis.scan_iter(f"{settings.ANSWERS_PREFIX}:*"))
    begin_anew(monkeypatch)


@pytest.fixture
def lease():
    assert GenerationKeeper(generations(), lease_seconds=600).tick()


@pytest.fixture
def campus():
    return Campus.objects.create(code="NORTH", name="North", time_zone="Europe/Vienna")


def begin_anew(monkeypatch):
    """Begin as another process does: with what all of them share."""
    fresh = Answers(settings.REDIS_URL, prefix=settings.ANSWERS_PREFIX)
    monkeypatch.setattr(remembered, "answers", lambda: fresh)


def test_the_first_request_of_whoever_holds_such_a_role_is_a_hit(lease, campus, user_with, client_for, monkeypatch):
    user_with(Role.STUDENT)
    other = user_with(Role.STUDENT)

    assert warm_caches() > 0
    begin_anew(monkeypatch)
    warm = client_for(other).get(CAMPUSES)
    campus.delete()
    anew = client_for(other).get(CAMPUSES)

    assert (warm["X-Cache"], [row["name"] for row in warm.json()["data"]]) == ("HIT", ["North"])
    assert (anew["X-Cache"], anew.json()["data"]) == ("MISS", [])


@pytest.mark.checklist(69)
def test_nobody_who_may_not_ask_is_told_what_was_made(lease, campus, user_with, client_for):
    student, registrar = user_with(Role.STUDENT), user_with(Role.REGISTRAR)
    assert warm_caches(most=1) > 0

    found = [client_for(user).get(CAMPUSES)["X-Cache"] for user in (student, registrar)]
    refused = client_for(UserFactory()).get(CAMPUSES)

    # One of the two roles was chosen; whoever may ask is shown the same.
    assert found == ["HIT", "HIT"]
    assert (refused.status_code, "X-Cache" in refused) == (403, False)


def test_what_is_remembered_is_not_made_again(lease, campus, user_with, capsys):
    user_with(Role.STUDENT)

    call_command("warm_caches")
    call_command("warm_caches")

    first, again = capsys.readouterr().out.splitlines()
    assert not first.startswith("0 ")
    assert again.startswith("0 answers made")


def test_nothing_is_made_while_nothing_can_be_remembered(campus, user_with):
    user_with(Role.STUDENT)

    assert warm_caches() == 0
    with Redis.from_url(settings.REDIS_URL) as redis:
        assert list(redis.scan_iter(f"{settings.ANSWERS_PREFIX}:*")) == []


def test_the_commonest_roles_come_first_and_closed_accounts_stand_for_none(user_with):
    user_with(Role.REGISTRAR)
    students = [user_with(Role.STUDENT) for _ in range(2)]
    closed = user_with(Role.AUDITOR)
    type(closed).objects.filter(pk=closed.pk).update(is_active=False)

    assert [user.pk for user in representatives(1)] == [min(student.pk for student in students)]
    assert closed.pk not in {user.pk for user in representatives(100)}
