"""What the edge keeps, before an application that says of its answers whatever a test wants it to."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from django.conf import settings
from redis import Redis

from core.ids import new_id
from tests.local.conftest import eventually
from tests.local.proxying import Proxy, nginx

pytestmark = [pytest.mark.slow, pytest.mark.needs("nginx", "libnginx-mod-http-lua")]

PLACE = "/api/v1/campuses/"
STAMP, SHARED, OWN = "release/2026-11-01", "shared-sight", "own-sight"
KEEP = f"{STAMP} {SHARED} departments.campus"


@dataclass
class Application:
    """What it says of whoever asks, and of its answers."""

    refusal: int = 0
    keep: str = ""
    asked: list[str] = field(default_factory=list)

    def headers(self, path: str) -> dict[str, str]:
        if path == "/edge/":
            caller = f"{STAMP} 30 {SHARED} {OWN} accounts.session"
            return {"X-Edge-Caller": caller, "X-Edge-Resources": f"{PLACE} all departments.campus"}
        return {"Cache-Control": "private, no-store"} | ({"X-Edge-Keep": self.keep} if self.keep else {})


@dataclass
class Place:
    """The edge before that application, and the lease in the cache that it listens to."""

    application: Application
    proxy: Proxy
    redis: Redis
    lease: str
    number: int = 0

    def path(self) -> str:
        """Return a question that nobody has asked yet."""
        self.number += 1
        return f"{PLACE}?page_size={self.number}"

    def ask(self, path: str, token: str = "somebody") -> tuple[int, str]:  # noqa: S107 # nosec B107 - opens nothing
        answer = self.proxy.ask(path, {"Authorization": f"Bearer {token}"})
        return answer.status, answer.headers.get("X-Cache", "")

    def trusted_seconds(self) -> float:
        """Return for how much longer the edge serves what it keeps."""
        [line] = [line for line in self.proxy.metrics() if line.startswith("campushub360_edge_trusted_seconds ")]
        return float(line.split()[1])


def serving(application: Application) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            application.asked.append(self.path)
            is_question = self.path == "/edge/"
            body = b"" if is_question else b"{}"
            self.send_response(application.refusal or 204 if is_question else 200)
            for name, value in application.headers(self.path).items():
                self.send_header(name, value)
            if not is_question or application.refusal != HTTPStatus.NOT_MODIFIED:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    application, prefix = Application(), f"test-{new_id()}"
    with (
        serving(application) as server,
        Redis.from_url(settings.REDIS_URL) as redis,
        nginx(
            tmp_path_factory.mktemp("nginx"),
            application=server.server_port,
            with_edge=True,
            EDGE_REDIS_URL=settings.REDIS_URL,
            EDGE_GENERATIONS_PREFIX=prefix,
        ) as proxy,
    ):
        yield Place(application, proxy, redis, f"{prefix}:lease")
        redis.delete(f"{prefix}:lease")
        server.shutdown()


@pytest.fixture
def place(running: Place) -> Place:
    """Begin with an application that lets its answers be kept, and an edge that keeps them."""
    running.redis.set(running.lease, "an-epoch", px=600_000)
    running.application.refusal, running.application.keep = 0, KEEP
    path = running.path()
    assert eventually(lambda: running.ask(path) == (200, "EDGE-HIT"))
    return running


@pytest.mark.checklist(70)
@pytest.mark.parametrize(
    "keep",
    ["", f"another/day {SHARED} departments.campus", f"{STAMP} {OWN} departments.campus",
     f"{STAMP} {SHARED}", f"{STAMP} {SHARED} departments.campus students.student"],
    ids=["nothing", "another release", "another sight", "fewer tags", "more tags"],
)  # fmt: skip
def test_an_answer_of_which_the_application_says_anything_else_is_not_kept(place: Place, keep: str) -> None:
    """It may have been made for another sight than its asker was known by: a role changes while it is made."""
    place.application.keep = keep
    path = place.path()

    assert [place.ask(path) for _ in range(3)] == [(200, "")] * 3

    place.application.keep = KEEP
    assert [place.ask(path) for _ in range(3)] == [(200, ""), (200, "EDGE-HIT"), (200, "EDGE-HIT")]


@pytest.mark.parametrize("refusal", [status for status in HTTPStatus if status >= 300 and status != 408])
def test_whoever_the_application_does_not_name_is_passed_on_to_it_however_it_says_that(
    place: Place, refusal: HTTPStatus
) -> None:
    place.application.refusal = refusal
    path = place.path()

    assert place.ask(path, token=f"nobody-{refusal}") == (200, "")
    assert place.application.asked[-2:] == ["/edge/", path]


def test_a_lease_that_lasts_for_long_is_believed_for_a_second(place: Place) -> None:
    """Such as one that was granted before the clock of the cache was set back."""
    path = place.path()
    assert [place.ask(path)[1] for _ in range(2)] == ["", "EDGE-HIT"]
    assert 0 < place.trusted_seconds() <= 1

    place.redis.delete(place.lease)
    time.sleep(1.2)

    assert place.trusted_seconds() == 0
    assert place.ask(path) == (200, "")
