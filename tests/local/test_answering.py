"""How many packets an answer leaves in."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from gunicorn.config import Config
from gunicorn.http import get_parser
from gunicorn.http.wsgi import FileWrapper

from campushub360.answering import AtOnceResponse

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two ends between which each write stays a packet of its own."""
    client, server = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with closing(client), closing(server):
        yield client, server


def response_on(pair: Pair, method: str = "GET") -> AtOnceResponse:
    client, server = pair
    client.send(f"{method} / HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    configuration = Config()
    return AtOnceResponse(next(get_parser(configuration, server, ("127.0.0.1", 1))), server, configuration)


def packets(client: socket.socket) -> list[bytes]:
    client.setblocking(False)
    found = []
    while True:
        try:
            found.append(client.recv(1 << 16))
        except BlockingIOError:
            return found


def test_head_and_body_are_one(pair: Pair) -> None:
    response = response_on(pair)
    response.start_response("200 OK", [("Content-Length", "4")])
    response.write(b"body")
    response.close()

    (answer,) = packets(pair[0])
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nbody")


@pytest.mark.parametrize(("method", "status"), [("HEAD", "200 OK"), ("GET", "304 Not Modified")])
def test_a_head_without_a_body_leaves_when_the_answer_ends(pair: Pair, method: str, status: str) -> None:
    response = response_on(pair, method)
    response.start_response(status, [("Content-Length", "0")])
    response.close()

    (answer,) = packets(pair[0])
    assert answer.endswith(b"\r\n\r\n")


def test_an_answer_of_unknown_length_leaves_part_by_part(pair: Pair) -> None:
    response = response_on(pair)
    response.start_response("200 OK", [])
    response.write(b"one")
    response.write(b"other")
    response.close()

    head, *parts = packets(pair[0])
    assert b"Transfer-Encoding: chunked\r\n" in head
    assert b"".join(parts) == b"3\r\none\r\n5\r\nother\r\n0\r\n\r\n"


def test_a_file_follows_its_head(pair: Pair, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content")
    response = response_on(pair)
    response.start_response("200 OK", [("Content-Length", "7")])
    with file.open("rb") as source:
        response.write_file(FileWrapper(source))
    response.close()

    head, content = packets(pair[0])
    assert (head[-4:], content) == (b"\r\n\r\n", b"content")
