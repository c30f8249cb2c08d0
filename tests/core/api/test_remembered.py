"""Answers that are remembered: quick while nothing changes, and never old, somebody else's or half an answer."""

import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from redis import Redis
from redis.connection import HiredisRespSerializer

from accounts.roles import Role, ScopeKind
from core.api import remembered
from core.cache.answers import Answer, Answers, answers
from core.cache.generations import Generations, generations
from core.cache.keeper import GenerationKeeper
from core.redis import Line
from departments.api.views import CampusViewSet, DepartmentViewSet
from departments.models import Campus
from tests.accounts.factories import RoleAssignmentFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
CAMPUSES, DEPARTMENTS, FACULTY = "/api/v1/campuses/", "/api/v1/departments/", "/api/v1/faculty/"


@pytest.fixture(autouse=True)
def lease(monkeypatch):
    """Let readers trust the generations for longer than the test, whatever the time of day."""
    monkeypatch.setattr(remembered, "AROUND_MIDNIGHT", timedelta(0))
    with Redis.from_url(settings.REDIS_URL) as redis:
        for key in redis.scan_iter(f"{settings.ANSWERS_PREFIX}:*"):
            redis.delete(key)
    assert GenerationKeeper(generations(), lease_seconds=600).tick()


@pytest.fixture
def campus():
    return Campus.objects.create(code="NORTH", name="North", time_zone="Europe/Vienna")


@pytest.fixture
def student(client_for, user_with):
    """Return a function that makes a client of one more student."""
    return lambda: client_for(user_with(Role.STUDENT))


@pytest.fixture
def reader(student):
    return student()


@pytest.fixture
def told_to_redis(monkeypatch):
    """Return the commands that are sent to any server of Redis, by their names."""
    sent, send, pack = [], Line.send, HiredisRespSerializer.pack

    def asked_quickly(self, commands):
        sent.extend(command[0] for command in commands)
        return send(self, commands)

    def asked_by_the_library(self, *command):
        sent.append(command[0])
        return pack(self, *command)

    monkeypatch.setattr(Line, "send", asked_quickly)
    monkeypatch.setattr(HiredisRespSerializer, "pack", asked_by_the_library)
    return sent


def asked(client, url=CAMPUSES, question=None, **headers):
    """Return an answer, and how many statements it took."""
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(url, question, headers=headers)
    return answer, len(captured)


def names(answer):
    return [row["name"] for row in answer.json()["data"]]


def forget_here(monkeypatch):
    """Begin as another process would: with nothing remembered but what all of them share."""
    fresh = Answers(settings.REDIS_URL, prefix=settings.ANSWERS_PREFIX)
    monkeypatch.setattr(remembered, "answers", lambda: fresh)


class TestWhileNothingChanges:
    def test_an_answer_is_made_once_and_told_as_it_was(self, campus, reader):
        first, statements = asked(reader)
        again, none = asked(reader)

        assert (first["X-Cache"], again["X-Cache"]) == ("MISS", "HIT")
        assert (first.content, first["ETag"], first["Content-Type"]) == (
            again.content, again["ETag"], again["Content-Type"],
        )  # fmt: skip
        assert statements > 0
        assert none == 0

    @pytest.mark.parametrize("url", [CAMPUSES, FACULTY], ids=["remembered", "asked anew"])
    def test_a_request_asks_each_server_of_redis_once(self, campus, reader, told_to_redis, url):
        asked(reader, url)
        told_to_redis.clear()

        asked(reader, url)

        assert told_to_redis == ["MGET", "EVALSHA"]

    def test_another_process_has_it_from_redis(self, campus, reader, monkeypatch):
        first, _ = asked(reader)
        forget_here(monkeypatch)

        again, statements = asked(reader)

        assert (again["X-Cache"], again.content, statements) == ("HIT", first.content, 0)

    def test_who_has_it_already_is_told_so_without_a_statement(self, campus, reader):
        first, _ = asked(reader)

        again, statements = asked(reader, **{"If-None-Match": first["ETag"]})

        assert (again.status_code, again.content, statements) == (304, b"", 0)

    def test_the_order_of_parameters_makes_no_other_question(self, campus, reader):
        reader.get(f"{CAMPUSES}?page_size=5&ordering=code")

        assert reader.get(f"{CAMPUSES}?ordering=code&page_size=5")["X-Cache"] == "HIT"
        assert reader.get(f"{CAMPUSES}?ordering=-code&page_size=5")["X-Cache"] == "MISS"

    def test_a_row_is_remembered_with_the_tag_that_its_change_asks_for(self, campus, reader, registrar_client):
        url = f"{CAMPUSES}{campus.pk}/"
        reader.get(url)

        tag = reader.get(url)["ETag"]
        changed = registrar_client.patch(url, {"name": "Far North"}, HTTP_IF_MATCH=tag)

        assert changed.status_code == 200
        assert reader.get(url).json()["data"]["name"] == "Far North"

    def test_many_who_ask_at_once_wait_for_one_answer(self, campus, reader, monkeypatch):
        made, began, go_on = [], threading.Event(), threading.Event()
        whole = remembered.RememberedReadMixin._made

        def slowly(self, key, make):
            made.append(key)
            began.set()
            go_on.wait(10)
            return whole(self, key, make)

        monkeypatch.setattr(remembered.RememberedReadMixin, "_made", slowly)
        statuses = []

        def ask():
            statuses.append(reader.get(CAMPUSES).status_code)
            connection.close()

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        assert began.wait(10)
        go_on.set()
        for thread in threads:
            thread.join()

        assert statuses == [200] * 6
        assert len(made) == 1


class TestOnceSomethingChanges:
    def test_the_next_answer_shows_it_whoever_changed_it(self, campus, reader, registrar_client):
        assert names(asked(reader)[0]) == ["North"]

        registrar_client.patch(f"{CAMPUSES}{campus.pk}/", {"name": "Far North"})
        assert names(asked(reader)[0]) == ["Far North"]
        Campus.objects.filter(pk=campus.pk).update(name="South")
        assert names(asked(reader)[0]) == ["South"]
        with connection.cursor() as cursor:
            cursor.execute("UPDATE departments_campus SET name = 'By hand'")
        assert names(asked(reader)[0]) == ["By hand"]
        Campus.objects.all().delete()
        assert names(asked(reader)[0]) == []

    def test_what_it_was_not_made_of_leaves_it(self, campus, reader, registrar_client):
        asked(reader)

        created = registrar_client.post(DEPARTMENTS, {"code": "AST", "name": "Astronomy"})

        assert created.status_code == 201
        assert asked(reader)[0]["X-Cache"] == "HIT"


class TestWhoseItIs:
    def test_what_is_not_everybodys_is_made_for_each_alone(self, campus, student, monkeypatch):
        monkeypatch.setattr(DepartmentViewSet, "is_everybodys", False)
        one, other = student(), student()

        first = [asked(client, DEPARTMENTS)[0]["X-Cache"] for client in (one, other)]
        again = [asked(client, DEPARTMENTS)[0]["X-Cache"] for client in (one, other)]

        assert (first, again) == (["MISS", "MISS"], ["HIT", "HIT"])

    def test_another_role_is_another_sight_of_what_is_not_everybodys(self, campus, user_with, client_for, monkeypatch):
        monkeypatch.setattr(CampusViewSet, "is_everybodys", False)
        user = user_with(Role.STUDENT)
        asked(client_for(user))
        RoleAssignmentFactory(user=user, role=Role.REGISTRAR, scope_kind=ScopeKind.INSTITUTION)

        assert asked(client_for(user))[0]["X-Cache"] == "MISS"

    def test_what_is_everybodys_is_made_once_for_all_who_may_ask(self, campus, student, user_with, client_for):
        asked(student())

        for client in (student(), client_for(user_with(Role.REGISTRAR))):
            assert asked(client)[0]["X-Cache"] == "HIT"

    def test_what_is_everybodys_is_not_for_those_who_may_not_ask(self, campus, student, client_for):
        asked(student())
        somebody = client_for(UserFactory())

        assert [asked(somebody)[0].status_code for _ in range(2)] == [403, 403]

    def test_the_cursor_of_everybodys_page_is_good_for_everybody(self, campus, student):
        Campus.objects.create(code="SOUTH", name="South", time_zone="Europe/Vienna")
        first, _ = asked(student(), question={"page_size": 1})

        second, _ = asked(student(), first.json()["meta"]["pagination"]["next"])

        assert names(second) == ["South"]

    def test_nobody_without_a_token_gets_a_remembered_answer(self, campus, reader, client_for):
        asked(reader)

        assert asked(client_for(None))[0].status_code == 401

    def test_what_is_included_is_shown_by_its_own_rules(self, campus, student):
        url, question = "/api/v1/programs/", {"include": "department"}
        asked(student(), url, question)

        assert asked(student(), url, question)[0]["X-Cache"] == "MISS"


@pytest.mark.checklist(70)
class TestWhatAClientSendsBeside:
    def test_headers_change_nothing_in_what_is_remembered(self, campus, reader):
        claims = {
            "X-Forwarded-Host": "evil.example", "X-Original-URL": "/admin/", "X-HTTP-Method-Override": "DELETE",
            "Accept": "text/html", "Accept-Language": "de", "Range": "bytes=0-1", "Cache-Control": "no-store",
        }  # fmt: skip
        first, _ = asked(reader, question={"page_size": 1}, **claims)

        again, _ = asked(reader, question={"page_size": 1})

        assert (again["X-Cache"], again.content) == ("HIT", first.content)
        assert b"evil" not in again.content
        assert again["Content-Type"] == "application/json"

    @pytest.mark.parametrize(
        "path", [f"{CAMPUSES}me.css", f"{CAMPUSES}..%2fcampuses/", f"{CAMPUSES};x.css", f"{CAMPUSES}/"]
    )
    def test_another_spelling_of_the_path_finds_nothing(self, campus, reader, path):
        asked(reader)

        answer, _ = asked(reader, path)

        assert answer.status_code in {301, 404}
        assert "X-Cache" not in answer

    def test_unknown_parameters_are_refused_before_anything_is_looked_up(self, campus, reader):
        asked(reader)

        answer, _ = asked(reader, question={"utm_source": "x"})

        assert (answer.status_code, "X-Cache" in answer) == (400, False)

    def test_who_asked_first_is_named_in_no_answer(self, campus, student):
        one, other = student(), student()
        first, _ = asked(one, question={"page_size": 1}, **{"X-Request-ID": "asked-first"})

        again, _ = asked(other, question={"page_size": 1})

        assert (again["X-Cache"], again["X-Request-ID"]) != ("HIT", first["X-Request-ID"])
        assert b"asked-first" not in again.content


class TestWhatIsNotRemembered:
    def test_a_refusal(self, campus, reader):
        for _ in range(2):
            assert asked(reader, f"{CAMPUSES}{uuid4()}/")[0].status_code == 404
            assert asked(reader, question={"nonsense": "1"})[0].status_code == 400

    def test_anything_without_a_lease(self, campus, reader, monkeypatch):
        nowhere = Generations("redis://127.0.0.1:1/0", prefix="nowhere")
        monkeypatch.setattr(remembered, "generations", lambda: nowhere)

        for _ in range(2):
            answer, statements = asked(reader)
            assert "X-Cache" not in answer
            assert names(answer) == ["North"]
            assert statements > 0

    def test_anything_while_the_day_turns(self, campus, reader, monkeypatch):
        class Clock(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime(2026, 11, 21, 23, 59, 30, tzinfo=UTC)

        monkeypatch.setattr(remembered, "datetime", Clock)
        monkeypatch.setattr(remembered, "AROUND_MIDNIGHT", timedelta(minutes=1))

        assert "X-Cache" not in asked(reader)[0]

    def test_an_answer_that_redis_cannot_keep_is_told_all_the_same(self, campus, reader, monkeypatch):
        nowhere = Answers("redis://127.0.0.1:1/0", prefix="nowhere")
        monkeypatch.setattr(remembered, "answers", lambda: nowhere)

        assert [asked(reader)[0]["X-Cache"] for _ in range(2)] == ["MISS", "HIT"]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"a": "\n"}' * 1000])
def test_an_answer_comes_back_from_redis_as_it_went(body):
    answer = Answer('"1-abc"', body)

    assert Answer.unpacked(answer.packed()) == answer
    assert answers() is answers()


@pytest.mark.parametrize("packed", [b"garbage", b"", b"z\n1\nno zlib", b"p\n\xff\nbody", b"?\n1\nbody", b"\n\n"])
def test_what_somebody_else_wrote_under_the_name_of_an_answer_is_none(packed):
    known = Answers(settings.REDIS_URL, prefix=settings.ANSWERS_PREFIX)
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.set(f"{settings.ANSWERS_PREFIX}:key", packed)

    assert known.far(b"key") is None


def test_what_somebody_else_wrote_is_made_anew_and_nobodys_error(campus, reader, monkeypatch):
    first, _ = asked(reader)
    with Redis.from_url(settings.REDIS_URL) as redis:
        for key in redis.scan_iter(f"{settings.ANSWERS_PREFIX}:*"):
            redis.set(key, b"garbage")
        redis.set(f"{settings.GENERATIONS_PREFIX}:tag:departments.campus", b"\xff")
    forget_here(monkeypatch)

    again, _ = asked(reader)

    assert (again.status_code, again.json()["data"]) == (200, first.json()["data"])
