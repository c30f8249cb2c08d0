"""How nginx is laid out before several servers: as many requests for each as it weighs, brotli where there is some."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from campushub360.local.packages import find_program
from campushub360.local.stack import StackError
from campushub360.local.stack import nginx as laid
from campushub360.local.stack.addresses import Addresses
from campushub360.local.stack.topology import weights_from
from tests.local.proxying import nginx

pytestmark = [pytest.mark.slow, pytest.mark.needs("nginx")]

PORTS = {"edge": 20443, "edge-plain": 20080, "edge-alive": 20081, "edge-metrics": 20145}


TEXT = b'{"data": "%s"}' % (b"sheep " * 500)


class Says(BaseHTTPRequestHandler):
    """Says on which port it was asked, and more than is sent uncompressed."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("X-Port", str(self.server.server_address[1]))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(TEXT)))
        self.end_headers()
        self.wfile.write(TEXT)

    def log_message(self, *arguments: object) -> None:
        """Say nothing else."""


@pytest.fixture
def servers() -> Iterator[tuple[int, ...]]:
    """Provide the ports of two servers."""
    with ExitStack() as ends:
        both = [ends.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Says)) for _ in range(2)]
        for server in both:
            ends.callback(server.shutdown)
            Thread(target=server.serve_forever, daemon=True).start()
        yield tuple(server.server_port for server in both)


@pytest.mark.parametrize(("weights", "first"), [((), 20), ((3, 1), 30), ((1, 4), 8)])
def test_each_server_gets_as_many_requests_as_it_weighs(
    servers: tuple[int, ...], tmp_path: Path, weights: tuple[int, ...], first: int
) -> None:
    with nginx(tmp_path, application=servers, weights=weights, with_edge=False) as proxy:
        answered = [proxy.ask("/livez").headers["X-Port"] for _ in range(40)]

    assert abs(answered.count(str(servers[0])) - first) <= 1  # one was asked whether it is up


@pytest.mark.parametrize(("text", "weights"), [("", ()), ("3 1", (3, 1))])
def test_weights_are_said_for_each_replica(text: str, weights: tuple[int, ...]) -> None:
    assert weights_from({"APP_WEIGHTS": text}, 2) == weights


@pytest.mark.parametrize("text", ["1", "1 2 3", "1 0", "1 x", "1 -1"])
def test_weights_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(StackError, match="APP_WEIGHTS"):
        weights_from({"APP_WEIGHTS": text}, 2)


@pytest.mark.parametrize("is_there", [True, False])
def test_brotli_is_configured_where_the_module_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    modules = tmp_path / "its"
    modules.mkdir()
    if is_there:
        (modules / laid.BROTLI).touch()
    (tmp_path / "brotli.conf").touch()  # from the last time
    monkeypatch.setattr(laid, "MODULES", modules)

    text = laid.lay_out(tmp_path, Addresses(PORTS, (20000,)), with_edge=False).read_text()

    assert f"include {tmp_path}/brotli*.conf;" in text
    assert (tmp_path / "brotli.conf").exists() is is_there
    assert not is_there or "brotli on;" in (tmp_path / "brotli.conf").read_text()


@pytest.mark.needs("libnginx-mod-http-brotli-filter")
@pytest.mark.parametrize(("accepted", "encoding"), [("gzip, br", "br"), ("gzip", "gzip"), ("identity", None)])
def test_answers_are_compressed_in_the_best_way_that_is_accepted(
    servers: tuple[int, ...], tmp_path: Path, accepted: str, encoding: str | None
) -> None:
    with nginx(tmp_path, application=servers, with_edge=False) as proxy:
        answer = proxy.ask("/api/v1/students/", headers={"Accept-Encoding": accepted})

    assert (answer.status, answer.getheader("Content-Encoding")) == (200, encoding)


@pytest.mark.parametrize("weights", [(), (3, 1)])
def test_nginx_takes_what_is_laid_out_with_whatever_modules_are_there(tmp_path: Path, weights: tuple[int, ...]) -> None:
    file = laid.lay_out(tmp_path, Addresses(PORTS, (20000, 20001), weights), with_edge=False)
    (tmp_path / "collected").mkdir()
    user = ["-g", "user root;"] if os.geteuid() == 0 else []

    done = subprocess.run(
        [str(find_program("nginx")), "-t", "-c", str(file), "-p", str(tmp_path), *user],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
