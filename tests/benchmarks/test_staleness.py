"""What the checker of stale reads insists on, before a server that lies."""

import asyncio
from contextlib import suppress

import pytest

from benchmarks.staleness.book import Row, versions_in
from benchmarks.staleness.reader import EDGE, EXACT, SERVER, Account, Course, Question, Reader
from benchmarks.staleness.wire import Door, Wire, now
from tests.racing import PATIENCE

ROW = "north-student"
ASKED = Question("/students/1/", ROW)


def answer(status: str = "200 OK", headers: str = 'ETag: "7"', body: str = "stale.north-student.7") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def found(*answers: bytes, way: str = SERVER, is_refused: bool = False, ago: float = 0.0) -> dict[str, int]:
    """Return what a reader counts of a server that gives these answers, when version 7 was acknowledged a while ago."""
    row = Row(ROW, "/students/1/", "cohort", tried=8)
    row.acknowledge(6, at=now() - 100)
    row.acknowledge(7, at=now() - ago)
    course = Course({ROW: row}, past=frozenset({ROW}))
    account = Account("somebody", "token", frozenset() if is_refused else frozenset({ROW}), is_refused)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for each in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(each)
        writer.close()

    async def ask() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            wire = Wire(Door(server.sockets[0].getsockname()[1]))
            reader = Reader(course, account, way, wire)
            for _ in answers:
                await reader.ask(ASKED)
            wire.close()
            await asyncio.sleep(0)

    asyncio.run(ask())
    return dict(course.verdict.counted)


def test_a_read_that_shows_what_was_acknowledged_or_what_is_being_written_is_in_order() -> None:
    counted = found(
        answer(), answer(headers='ETag: "8"', body="stale.north-student.8"), answer("304 Not Modified", 'ETag: "8"', "")
    )

    assert (counted["reads"], counted["304"]) == (3, 1)
    assert not counted.keys() & {"stale", "crossed", "broken", "false tag"}


@pytest.mark.parametrize(
    ("lie", "kind"),
    [
        (answer(body="stale.north-student.6"), "stale"),
        (answer(body="stale.north-student.7 stale.north-student.6"), "stale"),
        (answer(body="stale.north-student.9"), "stale"),
        (answer(body="nothing"), "stale"),
        (answer(body="stale.north-student.7 stale.south-student.1"), "crossed"),
        (answer("404 Not Found"), "broken"),
        (answer("500 Oh"), "broken"),
        (answer("503 Wait"), "broken"),
    ],
    ids=["older", "partly older", "written by nobody", "gone", "somebody else's", "not there", "an error", "no hint"],
)  # fmt: skip
def test_an_answer_is_found_out_that_is(lie: bytes, kind: str) -> None:
    assert found(lie)[kind] == 1


def test_a_tag_that_names_two_answers_is_false() -> None:
    assert found(answer(), answer(body="stale.north-student.8"))["false tag"] == 1


def test_who_says_when_to_come_back_is_in_order() -> None:
    counted = found(answer("503 Wait", "Retry-After: 2"))

    assert counted == {"refused for now": 1}


def test_an_answer_to_somebody_who_may_see_nothing_is_found_out_whatever_it_says() -> None:
    assert found(answer(body=""), is_refused=True)["crossed"] == 1
    assert found(answer("401 No", body=""), is_refused=True) == {"reads": 1}


def test_the_edge_has_a_second_for_what_was_written_past_it_and_nobody_else_has() -> None:
    def old(way: str, ago: float) -> int:
        return found(answer(body="stale.north-student.6"), way=way, ago=ago).get("stale", 0)

    assert [old(EDGE, 0.0), old(EDGE, 1.5), old(EXACT, 0.0), old(SERVER, 0.0)] == [0, 1, 1, 1]


def test_a_body_is_as_old_as_the_oldest_it_shows() -> None:
    assert versions_in(b"stale.campus.12, stale.campus.9, stale.north-program.1") == {"campus": 9, "north-program": 1}


def test_who_is_stopped_just_as_an_answer_comes_stops() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(EOFError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(answer())
        writer.close()

    async def ask_on(wire: Wire) -> None:
        while True:
            await wire.ask("GET", "/students/1/", "token")

    async def is_stopped_after(steps: int, door: Door) -> bool:
        wire = Wire(door)
        await wire.ask("GET", "/students/1/", "token")
        asking = asyncio.create_task(ask_on(wire))
        for _ in range(steps):
            await asyncio.sleep(0)
        asking.cancel()
        ended, _ = await asyncio.wait({asking}, timeout=PATIENCE)
        wire.close()
        return bool(ended)

    async def outcomes() -> list[bool]:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            door = Door(server.sockets[0].getsockname()[1])
            found = [await is_stopped_after(steps, door) for steps in range(50)]
            await asyncio.sleep(0.1)  # for the connections to be gone
        return found

    assert all(asyncio.run(outcomes()))
