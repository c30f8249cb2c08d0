"""Requests of one route leave connections to those of the others."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from core.api import bulkhead
from core.api.bulkhead import BulkheadMiddleware
from core.streams import EventStream
from tests.local.conftest import eventually


class Server:
    """Answers requests of any route, each when it is let go."""

    def __init__(self):
        self.running, self.go_on = [], threading.Event()
        self.middleware = BulkheadMiddleware(self.answer)

    def answer(self, request):
        refused = self.middleware.process_view(request, None, (), {})
        if refused is not None:
            return refused
        self.running.append(request.path)
        self.go_on.wait(20)
        if request.path == "/fails/":
            raise LookupError(request.path)
        if request.path == "/streams/":
            return StreamingHttpResponse(iter([b"a", b"b"]))
        if request.path == "/events/":
            return EventStream(iter([b"a", b"b"]), at_end=lambda: None)
        return HttpResponse("done")

    def ask(self, path):
        request = RequestFactory().get(path)
        request.resolver_match = SimpleNamespace(route=path)
        return self.middleware(request)


@pytest.fixture
def server(settings):
    """Provide a server of which one route may run a single request at once."""
    settings.DATABASE_POOL_SIZE = 2
    bulkhead.room_of.cache_clear()
    yield Server()
    bulkhead.room_of.cache_clear()


@pytest.fixture
def ask(server):
    """Return a function that asks in a thread of its own."""
    with ThreadPoolExecutor(8) as threads:

        def ask(path) -> Future[HttpResponse]:
            return threads.submit(server.ask, path)

        yield ask
        server.go_on.set()


def test_another_route_runs_while_one_waits_for_itself(server, ask):
    slow = [ask("/slow/") for _ in range(3)]
    other = ask("/other/")

    assert eventually(lambda: sorted(server.running) == ["/other/", "/slow/"])
    server.go_on.set()

    assert {each.result().status_code for each in [*slow, other]} == {200}


def test_who_waits_for_too_long_or_finds_a_crowd_is_told_to_come_back(server, ask, settings, monkeypatch):
    settings.DATABASE_POOL_TIMEOUT = 0.05
    ask("/slow/")
    assert eventually(lambda: server.running == ["/slow/"])
    late = server.ask("/slow/")

    monkeypatch.setattr(bulkhead, "CROWD", 1)
    settings.DATABASE_POOL_TIMEOUT = 600
    ask("/crowded/")
    assert eventually(lambda: "/crowded/" in server.running)
    crowded = server.ask("/crowded/")

    assert [(each.status_code, each["Retry-After"]) for each in (late, crowded)] == [(503, "2")] * 2


def test_a_request_that_fails_leaves_its_place(server):
    server.go_on.set()
    for _ in range(3):
        with pytest.raises(LookupError, match="/fails/"):
            server.ask("/fails/")


@pytest.mark.django_db
def test_a_streamed_answer_keeps_its_place_until_it_is_closed(server, settings):
    settings.DATABASE_POOL_TIMEOUT = 0.05
    server.go_on.set()
    slow = server.ask("/streams/")
    assert next(iter(slow)) == b"a"

    assert server.ask("/streams/").status_code == 503
    slow.close()
    slow.close()

    for _ in range(3):
        server.ask("/streams/").close()
    assert server.running == ["/streams/"] * 4


def test_a_streamed_answer_that_nobody_closes_leaves_its_place_when_it_is_gone(server):
    server.go_on.set()

    assert [server.ask("/streams/").status_code for _ in range(3)] == [200] * 3


def test_a_stream_of_events_keeps_no_place(server, settings):
    settings.DATABASE_POOL_TIMEOUT = 0.05
    server.go_on.set()

    streams = [server.ask("/events/") for _ in range(3)]

    assert [next(iter(each)) for each in streams] == [b"a"] * 3
