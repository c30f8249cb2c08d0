"""The edge as it is deployed: quick for those who are shown the same, and blind to nothing that was written."""

import gzip
import json
import subprocess
import threading
from collections.abc import Callable
from functools import partial
from itertools import count, permutations

import pytest
from django.db.models import F

from accounts.models import RoleAssignment, Session, User
from accounts.roles import Role
from courses.models import Section
from departments.models import Campus
from tests.courses.factories import SectionFactory
from tests.edge.conftest import CAMPUSES
from tests.edge.running import Stack
from tests.local.conftest import eventually
from tests.local.test_gunicorn import HOST

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("nginx", "libnginx-mod-http-lua"),
    pytest.mark.django_db(transaction=True),
]

OWN = {"Date", "X-Request-ID", "X-Cache", "RateLimit", "RateLimit-Policy"}
SECTIONS = "/api/v1/sections/"
NOBODYS = ("X-Edge-Keep", "X-Edge-Raised", "X-Edge-Caller", "X-Edge-Resources")


def rename(stack: Stack, token: str, campus: Campus, name: str, *, past: bool = False) -> None:
    """Give a campus another name, through the edge or past it."""
    ask = stack.ask_past if past else stack.ask
    answer = ask(f"{CAMPUSES}{campus.pk}/", token, method="PATCH", body={"name": name}, If_Match="*")
    assert answer.status == 200, answer.body


def names(stack: Stack, token: str) -> list[str]:
    return [row["name"] for row in stack.ask(CAMPUSES, token).data]


class TestAKeptAnswer:
    def test_is_what_the_application_says_without_what_was_said_to_whoever_asked_first(
        self, stack: Stack, token: str
    ) -> None:
        kept = stack.ask(CAMPUSES, token)
        named = stack.ask(CAMPUSES, token, X_Request_ID="mine-1")
        made = stack.ask_past(CAMPUSES, token)

        assert (kept.status, kept.cache, kept.data) == (200, "EDGE-HIT", made.data)
        assert (kept.headers["ETag"], kept.headers["Cache-Control"]) == (made.headers["ETag"], "private, no-store")
        assert kept.headers["RateLimit"] is None
        assert kept.headers["X-Request-ID"] != stack.ask(CAMPUSES, token).headers["X-Request-ID"]
        assert named.headers["X-Request-ID"] == "mine-1"
        assert not [name for name in NOBODYS if name in kept.headers]

    def test_has_the_applications_headers_each_once_wherever_it_is_found(self, stack: Stack, token: str) -> None:
        anew = stack.ask(CAMPUSES, token, Cache_Control="no-cache")

        kept = [stack.ask(CAMPUSES, token) for _ in range(8)]

        told = [sorted(pair for pair in answer.headers.items() if pair[0] not in OWN) for answer in [anew, *kept]]
        assert anew.cache != "EDGE-HIT"
        assert [each for each in told if each != told[0]] == []

    def test_is_logged_under_the_name_that_its_answer_tells(self, stack: Stack, token: str) -> None:
        told = [stack.ask(CAMPUSES, token).headers["X-Request-ID"] or "" for _ in range(8)]

        log = stack.certificate.parent / "access.log"
        assert {len(name) for name in told} == {32}
        assert len(set(told)) == len(told)
        assert eventually(lambda: all(f" {name}\n" in log.read_text() for name in told))

    def test_is_whole_however_long_it_is(self, stack: Stack, token: str) -> None:
        Campus.objects.bulk_create(
            Campus(code=f"C{number}", name=f"Campus {number} " * 6, time_zone="UTC") for number in range(190)
        )
        path = f"{CAMPUSES}?page_size=200"

        assert eventually(lambda: stack.is_keeping(path, token))
        kept = [stack.ask(path, token) for _ in range(4)]

        made = stack.ask_past(path, token)
        assert len(made.body) > 32768
        assert [(answer.cache, answer.data) for answer in kept] == [("EDGE-HIT", made.data)] * 4

    def test_is_there_from_the_first_time_it_was_asked_for(self, stack: Stack, token: str, campus: Campus) -> None:
        path = f"{CAMPUSES}{campus.pk}/"

        assert [stack.ask(path, token).cache for _ in range(4)] == ["MISS", *["EDGE-HIT"] * 3]

    def test_is_for_whoever_is_shown_the_same(self, stack: Stack, token: str, token_of: Callable[[Role], str]) -> None:
        other = token_of(Role.REGISTRAR)

        assert eventually(lambda: stack.is_keeping(CAMPUSES, token))
        assert stack.ask(CAMPUSES, other).cache == "EDGE-HIT"

    def test_is_not_sent_to_whoever_has_it(self, stack: Stack, token: str) -> None:
        tag = stack.ask(CAMPUSES, token).headers["ETag"]

        again = stack.ask(CAMPUSES, token, If_None_Match=tag)
        packed = stack.ask(CAMPUSES, token, If_None_Match=f"W/{tag}", Accept_Encoding="gzip")

        assert (again.status, again.cache, again.body, again.headers["ETag"]) == (304, "EDGE-HIT", b"", tag)
        assert (packed.status, packed.body) == (304, b"")

    def test_is_compressed_for_whoever_reads_that(self, stack: Stack, token: str) -> None:
        Campus.objects.bulk_create(
            Campus(code=f"C{number}", name=f"Campus {number}", time_zone="UTC") for number in range(20)
        )
        assert eventually(lambda: stack.is_keeping(CAMPUSES, token) and len(names(stack, token)) > 20)

        packed = stack.ask(CAMPUSES, token, Accept_Encoding="gzip")

        assert (packed.cache, packed.headers["Content-Encoding"]) == ("EDGE-HIT", "gzip")
        assert gzip.decompress(packed.body) == stack.ask(CAMPUSES, token).body

    def test_is_served_over_http2_as_well(
        self, stack: Stack, token: str, campus: Campus, token_of: Callable[[Role], str]
    ) -> None:
        command = ["curl", "-sS", "--http2", "--cacert", str(stack.certificate), "-o", "-", "-D", "-"]
        url = f"https://localhost:{stack.tls_port}{CAMPUSES}"

        for asker in (token_of(Role.REGISTRAR), token):
            said = ["-H", f"Host: {HOST}", "-H", f"Authorization: Bearer {asker}"]
            answer = subprocess.run([*command, *said, url], capture_output=True, text=True, check=True).stdout

            assert answer.startswith("HTTP/2 200")
            assert "x-cache: EDGE-HIT" in answer
            assert campus.name in answer


class TestWhatIsNotServedFromTheEdge:
    @pytest.mark.checklist(69)
    def test_anything_to_somebody_who_is_shown_something_else(
        self, stack: Stack, token: str, token_of: Callable[[Role], str]
    ) -> None:
        student = token_of(Role.STUDENT)
        including = f"{CAMPUSES}?include=buildings"

        first = [stack.ask(CAMPUSES, asker) for asker in (student, "", token[:-4] + "AAAA")]
        for asker in (token, student):
            stack.ask(including, asker)

        assert [(answer.status, answer.cache == "EDGE-HIT") for answer in first] == [
            (200, False), (401, False), (401, False),
        ]  # fmt: skip
        assert b"invalid_token" in first[2].body

    def test_an_answer_to_who_asks_for_the_exact_one(self, stack: Stack, token: str) -> None:
        assert stack.ask(CAMPUSES, token, Cache_Control="no-cache").cache in ("HIT", "MISS")
        assert stack.ask(CAMPUSES, token, Pragma="no-cache").cache in ("HIT", "MISS")
        assert stack.ask(CAMPUSES, token).cache == "EDGE-HIT"

    def test_what_is_no_question(self, stack: Stack, token: str) -> None:
        for method in ("HEAD", "OPTIONS", "POST", "PUT", "DELETE"):
            answers = [stack.ask(CAMPUSES, token, method=method) for _ in range(2)]
            assert "EDGE-HIT" not in {answer.cache for answer in answers}, method
            assert (answers[0].status, answers[0].body == b"") != (200, False), method
        for condition in ("If_Unmodified_Since", "If_Match"):
            answer = stack.ask(CAMPUSES, token, **{condition: "Sun, 01 Nov 2026 08:00:00 GMT"})
            assert (answer.status, answer.cache) == (200, "HIT"), condition

    def test_what_the_application_does_not_offer(self, stack: Stack, token: str) -> None:
        for path in ("/api/v1/students/", "/api/v1/auth/me/", "/livez", f"{CAMPUSES}?nonsense=1"):
            assert "EDGE-HIT" not in {stack.ask(path, token).cache for _ in range(3)}, path

    @pytest.mark.checklist(70)
    def test_anything_under_another_spelling(self, stack: Stack, token: str) -> None:
        spelt = [
            "/api/v1/%63ampuses/",
            "/api/v1//campuses/",
            "/api/v1/x/../campuses/",
            f"{CAMPUSES}me.css",
            "/api/v1/campuses",
        ]

        answers = [stack.ask(path, token) for path in spelt for _ in range(2)]

        assert "EDGE-HIT" not in {answer.cache for answer in answers}

    @pytest.mark.checklist(70)
    def test_the_answer_to_another_question(self, stack: Stack, token: str) -> None:
        Campus.objects.create(code="SOUTH", name="South", time_zone="UTC")
        Campus.objects.create(code="WEST", name="West", time_zone="UTC")
        assert eventually(lambda: len(names(stack, token)) == 3)
        parts = ["ordering=code", "ordering=-code", "page_size=1", "page%5Fsize=2", "fields=name", "fields=na%6De,code"]
        queries = ["&".join(each) for each in permutations(parts, 2) if each[0][:4].lower() != each[1][:4].lower()]

        for path in [f"{CAMPUSES}?{query}" for query in [*queries, *reversed(queries)]]:
            told, exact = stack.ask(path, token), stack.ask_past(path, token)
            assert told.status == 200
            assert (told.status, told.body.partition(b'"timestamp"')[0]) == (
                exact.status, exact.body.partition(b'"timestamp"')[0],
            ), path  # fmt: skip

    def test_the_order_of_names_makes_no_other_question(self, stack: Stack, token: str) -> None:
        stack.ask(f"{CAMPUSES}?page_size=5&ordering=code", token)

        assert stack.ask(f"{CAMPUSES}?ordering=code&page_size=5", token).cache == "EDGE-HIT"

    @pytest.mark.checklist(51)
    def test_anything_under_another_host(self, stack: Stack, token: str) -> None:
        answer = stack.ask(CAMPUSES, token, Host="evil.example")

        assert (answer.status, answer.cache) == (400, "")

    def test_the_question_of_somebody_who_is_refused_before_being_known(
        self, stack: Stack, token: str, token_of: Callable[[Role], str]
    ) -> None:
        many = {f"X_Many_{number}": "x" for number in range(62)}

        through = [stack.ask(CAMPUSES, each, **many) for each in (token_of(Role.STUDENT), "nonsense")]
        past = stack.ask_past(CAMPUSES, token, **many)

        assert past.status == 431
        assert {answer.status for answer in through} == {431}


class TestAfterAWrite:
    def test_through_the_edge_whoever_asks_is_shown_it(self, stack: Stack, token: str, campus: Campus) -> None:
        for number in range(20):
            assert stack.is_keeping(CAMPUSES, token)
            rename(stack, token, campus, f"North {number}")
            assert names(stack, token) == [f"North {number}"]
            stack.ask(CAMPUSES, token)

    def test_past_the_edge_whoever_asks_is_shown_it_soon_and_the_exact_answer_at_once(
        self, stack: Stack, token: str, campus: Campus
    ) -> None:
        rename(stack, token, campus, "Far North", past=True)

        exact = stack.ask(CAMPUSES, token, Cache_Control="no-cache")
        assert [row["name"] for row in exact.data] == ["Far North"]
        assert eventually(lambda: names(stack, token) == ["Far North"])

    def test_nobody_who_asks_while_many_write_is_shown_less_than_was_acknowledged(
        self, stack: Stack, token: str, campus: Campus
    ) -> None:
        acknowledged, ended, seen = [0], threading.Event(), []

        def read() -> None:
            while not ended.is_set():
                least = acknowledged[0]
                answer = stack.ask(CAMPUSES, token)
                seen.append((answer.cache, least, int(answer.data[0]["name"])))

        rename(stack, token, campus, "0")
        readers = [threading.Thread(target=read) for _ in range(4)]
        for reader in readers:
            reader.start()
        try:
            for number in count(1):
                rename(stack, token, campus, str(number))
                acknowledged[0] = number
                if number >= 30 and len(seen) >= 200:
                    break
        finally:
            ended.set()
            for reader in readers:
                reader.join()

        assert [each for each in seen if each[2] < each[1]] == []
        assert any(cache == "EDGE-HIT" for cache, _, _ in seen)


class TestAfterAWriteToOneSection:
    @pytest.fixture
    def path(self, stack: Stack, token: str) -> str:
        """The path of a section that the edge keeps."""
        path = f"{SECTIONS}{SectionFactory(pk='019aa000-0000-7000-8000-000000000aaa').pk}/"
        assert eventually(lambda: stack.is_keeping(path, token))
        return path

    def test_another_one_is_kept(self, stack: Stack, token: str, path: str) -> None:
        other = SectionFactory(pk="019aa000-0000-7000-8000-000000000bbb")
        assert eventually(lambda: stack.ask(SECTIONS, token).data[0]["id"] == str(other.pk))
        assert eventually(lambda: stack.is_keeping(path, token))

        for capacity in (40, 41):
            answer = stack.ask(
                f"{SECTIONS}{other.pk}/", token, method="PATCH", body={"capacity": capacity}, If_Match="*"
            )
            assert answer.status == 200
            assert stack.ask(f"{SECTIONS}{other.pk}/", token).data["capacity"] == capacity
            assert {row["capacity"] for row in stack.ask(SECTIONS, token).data} == {30, capacity}
            assert stack.ask(path, token).cache == "EDGE-HIT"

    def test_it_is_shown_as_it_is_whoever_wrote_it_and_how(self, stack: Stack, token: str, path: str) -> None:
        for capacity in (40, 41):
            assert stack.ask(path, token, method="PATCH", body={"capacity": capacity}, If_Match="*").status == 200
            assert stack.ask(path, token).data["capacity"] == capacity
        for capacity, rows in ((42, Section.objects.filter(code__gte="")), (43, Section.objects.all())):
            rows.update(capacity=capacity)
            assert eventually(lambda: stack.ask(path, token).data["capacity"] == capacity)  # noqa: B023 - called at once
        SectionFactory.create_batch(110, course=Section.objects.get().course, term=Section.objects.get().term)
        Section.objects.update(capacity=44)
        assert eventually(lambda: stack.ask(path, token).data["capacity"] == 44)
        assert stack.ask(path, token, method="DELETE", If_Match="*").status == 204
        assert [stack.ask(path, token).status for _ in range(2)] == [404, 404]


class TestWhoCalls:
    def test_counts_no_longer_from_the_moment_of_a_log_out(self, stack: Stack, token: str) -> None:
        assert stack.ask("/api/v1/auth/logout/", token, method="POST", body={}).status in (200, 204)

        assert stack.ask(CAMPUSES, token).status == 401

    def test_counts_no_longer_soon_after_it_was_taken_back_elsewhere(
        self, stack: Stack, token: str, token_of: Callable[[Role], str]
    ) -> None:
        def take_role(user: User) -> None:
            RoleAssignment.objects.filter(user=user).delete()

        def close(user: User) -> None:
            User.objects.filter(pk=user.pk).update(is_active=False)

        def end(user: User) -> None:
            Session.objects.filter(user=user).update(revoked_at=F("created_at"))

        for take_back, refused in ((take_role, 403), (close, 401), (end, 401)):
            token = token_of(Role.REGISTRAR)
            assert eventually(partial(stack.is_keeping, CAMPUSES, token))
            take_back(Session.objects.latest("created_at").user)

            assert eventually(lambda: stack.ask(CAMPUSES, token).status == refused)  # noqa: B023 - called at once
            assert {stack.ask(CAMPUSES, token).status for _ in range(5)} == {refused}


class TestWhatOperatorsWatch:
    def test_where_reads_were_answered_and_how_well_the_edge_hears(
        self, stack: Stack, token: str, campus: Campus
    ) -> None:
        kept, made = (
            'campushub360_edge_answers_total{found="edge"}',
            'campushub360_edge_answers_total{found="application"}',
        )
        before = stack.metrics()
        rename(stack, token, campus, "Far North")

        found = [stack.ask(CAMPUSES, token).cache for _ in range(4)]

        assert eventually(lambda: stack.metrics()[kept] - before[kept] >= found.count("EDGE-HIT") >= 1)
        after = stack.metrics()
        assert after[made] - before[made] >= 1
        assert after["campushub360_edge_moves_total"] > before["campushub360_edge_moves_total"]
        assert after["campushub360_edge_lives_total"] >= 1
        assert 0 < after["campushub360_edge_trusted_seconds"] <= 1
        delays = [
            value for name, value in after.items() if name.startswith("campushub360_edge_feed_delay_seconds_bucket")
        ]
        assert delays == sorted(delays)
        assert delays[-1] == after["campushub360_edge_feed_delay_seconds_count"] > 0

    def test_is_told_on_a_port_of_its_own_alone(self, stack: Stack, token: str) -> None:
        assert stack.ask("/metrics", token).status == 404
        assert b"campushub360_edge" not in stack.ask("/edge/metrics", token).body


class TestWhatAClientClaims:
    @pytest.mark.checklist(70)
    def test_to_have_been_said_by_the_application_moves_and_keeps_nothing(self, stack: Stack, token: str) -> None:
        claims = {name.replace("-", "_"): "*" for name in ("X-Edge", *NOBODYS)}

        answers = [stack.ask("/api/v1/students/", token, **claims) for _ in range(2)]

        assert {(answer.status, answer.cache) for answer in answers} == {(200, "")}
        assert not [each for answer in answers for each in NOBODYS if each in answer.headers]
        assert stack.ask(CAMPUSES, token, **claims).cache == "EDGE-HIT"

    def test_to_be_the_edge_is_not_answered(self, stack: Stack, token: str) -> None:
        for path in ("/edge/", "/edge/ask", "/edge/ask?x", "/edge", "/problem"):
            answer = stack.ask(path, token)

            assert (answer.status, json.loads(answer.body)["code"]) == (404, "not_found"), path
            assert not [name for name in NOBODYS if name in answer.headers]


def test_the_address_of_a_calendar_is_in_no_log_and_its_calendar_kept_by_nobody(stack: Stack, token: str) -> None:
    made = stack.ask("/api/v1/attendance/calendar-feed/", token, method="POST", body={})
    path = "/calendars/" + json.loads(made.body)["data"]["url"].rpartition("/")[2]

    read = [
        stack.ask(each)
        for each in (
            path,
            path,
            f"{path}?x=1",
            f"/.{path}",
            path.replace("calendars/", "calendars%2F"),
            path.replace("cal", "%63al"),
        )
    ]

    assert [answer.status for answer in read] == [200, 200, 200, 404, 200, 200]
    assert {answer.cache for answer in read} <= {"", "EDGE-BYPASS"}
    assert read[0].headers["Cache-Control"] == "private, max-age=300"
    log = stack.certificate.parent / "access.log"
    told = read[-1].headers["X-Request-ID"]
    assert eventually(lambda: f" {told}\n" in log.read_text())
    assert "/calendars/[masked]" in log.read_text()
    assert not any(path[11:-4] in each.read_text(errors="replace") for each in log.parent.glob("*.log"))


def test_nothing_went_wrong_in_the_edge(stack: Stack) -> None:
    """Last: an error in one of its parts would have cost speed alone, and been seen by nobody."""
    log = (stack.certificate.parent / "error.log").read_text()

    assert [line for line in log.splitlines() if "lua" in line.lower() and "keeps nothing until" not in line] == []
