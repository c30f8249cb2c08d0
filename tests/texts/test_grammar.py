"""Grammar is asked of the server that the operator names, and nothing else; whatever it does, nobody gets an error."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import pytest

from texts import grammar as module
from texts.grammar import LONGEST, Grammar, Remark, grammar

Server = SimpleNamespace
TEXT = "🙂 He go home."
# LanguageTool counts in UTF-16: the first character is two.
MATCH = {"offset": 6, "length": 2, "message": "Agreement", "replacements": [{"value": v} for v in "abcdefg"],
         "rule": {"id": "HE_VERB_AGR"}}  # fmt: skip


@pytest.fixture
def server(settings: Any) -> Iterator[Server]:
    """Run a server on this machine that answers with what a test says."""
    state = SimpleNamespace(asked=[], status=200, body=b"", headers={}, wait=0.0)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            state.asked.append((self.path, parse_qs(content.decode(), keep_blank_values=True)))
            time.sleep(state.wait)
            self.send_response(state.status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(state.body)

        do_GET = do_POST  # noqa: N815 - the name is the server's

        def log_message(self, *arguments: object) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    settings.LANGUAGETOOL_URL = f"http://127.0.0.1:{running.server_port}/"
    module._silent.clear()
    try:
        yield state
    finally:
        running.shutdown()
        thread.join()
        running.server_close()
        module._silent.clear()


def answer(*matches: Any, language: str = "en-GB") -> bytes:
    return json.dumps({"language": {"code": language}, "matches": matches}).encode()


def test_remarks_are_shown_where_they_stand_in_the_text(server: Server) -> None:
    server.body = answer(MATCH)

    found = grammar(TEXT, language="en-GB")

    assert found == Grammar("en-GB", (Remark((5, 7), "Agreement", tuple("abcde"), "HE_VERB_AGR"),))
    assert TEXT[slice(*found.remarks[0].span)] == "go"
    assert server.asked == [("/v2/check", {"text": [TEXT], "language": ["en-GB"]})]


def test_without_a_server_nothing_is_sent_anywhere(settings: Any) -> None:
    settings.LANGUAGETOOL_URL = ""

    assert grammar(TEXT) is None


def test_a_text_that_is_too_long_is_not_sent(server: Server) -> None:
    assert grammar("a" * (LONGEST + 1)) is None
    assert server.asked == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"no JSON", b"[]", b"null", b"{}", b'{"language": {"code": "en"}}', b"\xff",
        answer({}), answer(MATCH | {"offset": -1}), answer(MATCH | {"length": 99}), answer(MATCH | {"offset": "x"}),
        answer(MATCH | {"replacements": None}), answer(MATCH | {"rule": []}),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_makes_it_not_available(server: Server, body: bytes) -> None:
    server.body = body

    assert grammar(TEXT) is None


@pytest.mark.parametrize("status", [301, 302, 400, 404, 429, 500, 503])
def test_a_failure_makes_it_not_available_and_no_redirect_is_followed(server: Server, status: int) -> None:
    server.status, server.body, server.headers = status, answer(), {"Location": "/elsewhere"}

    assert grammar(TEXT) is None
    assert [path for path, _ in server.asked] == ["/v2/check"]


def test_an_answer_without_end_is_not_read_to_its_end(server: Server, monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    server.body = answer(MATCH | {"message": "a" * 200})

    assert grammar(TEXT) is None


def test_a_slow_server_is_not_waited_for_and_left_alone_for_a_while(server: Server, monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", 0.2)
    server.body, server.wait = answer(MATCH), 1.0

    assert grammar(TEXT) is None
    server.wait = 0.0
    assert grammar(TEXT) is None
    assert len(server.asked) == 1

    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0)
    assert grammar(TEXT) is not None


def test_a_server_that_is_away_makes_it_not_available(settings: Any) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    settings.LANGUAGETOOL_URL = f"http://127.0.0.1:{port}"

    assert grammar(TEXT) is None


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "nonsense"])
def test_nothing_but_http_is_spoken(settings: Any, url: str) -> None:
    settings.LANGUAGETOOL_URL = url

    assert grammar(TEXT) is None


def test_what_is_no_text_for_a_form_is_sent_as_one_all_the_same(server: Server) -> None:
    server.body = answer()

    assert grammar("a\ud800b\0") == Grammar("en-GB", ())
    assert server.asked[0][1]["text"] == ["a?b\0"]
