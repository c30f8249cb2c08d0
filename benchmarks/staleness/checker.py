"""All who write and read at once on one stack."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from benchmarks.staleness.book import Row
from benchmarks.staleness.reader import EDGE, EXACT, REST_SECONDS, SERVER, Account, Course, Question, Reader
from benchmarks.staleness.wire import Door, LostError, Wire, now

# Longer than any stack takes until each row could be written.
BEGIN_SECONDS = 60.0


@dataclass
class Writer:
    """The one who writes a row, each time the next version, over one connection."""

    course: Course
    row: Row
    account: Account
    wire: Wire
    # Of the row as it was last told; without one the row is asked for first.
    tag: str = ""

    async def write(self, rest: float) -> None:
        """Write until cancelled, resting for `rest` seconds after each success.

        Each version is held to the row as it is: one whose fate is unknown may happen late, and then it is refused.
        """
        while True:
            if not self.tag:
                self.tag = await self._current()
                continue
            tag, self.tag = self.tag, ""
            self.row.tried += 1
            body = json.dumps({self.row.writes: self.row.value(self.row.tried)}).encode()
            try:
                answer = await self.wire.ask("PATCH", self.row.path, self.account.token, body=body, If_Match=tag)
            except LostError:
                self.course.verdict.counted["writes of unknown fate"] += 1
                continue
            if answer.status == HTTPStatus.OK:
                self.row.acknowledge(self.row.tried, at=now())
                self.course.verdict.counted["writes"] += 1
                self.tag = answer.headers["etag"]
                await asyncio.sleep(rest)
            else:
                refused = {HTTPStatus.PRECONDITION_FAILED}
                self.course.judge_refusal(answer, f"PATCH {self.row.path}", allowed=refused)
                await asyncio.sleep(REST_SECONDS)

    async def _current(self) -> str:
        """Return the tag of the row as it is; an empty one where that cannot be told now."""
        try:
            answer = await self.wire.ask("GET", self.row.path, self.account.token, Cache_Control="no-cache")
        except LostError:
            await asyncio.sleep(REST_SECONDS)
            return ""
        if answer.status == HTTPStatus.OK:
            self.row.meet(answer.body)
            return answer.headers["etag"]
        self.course.judge_refusal(answer, f"GET {self.row.path}", allowed=set())
        await asyncio.sleep(REST_SECONDS)
        return ""


@dataclass(frozen=True)
class Checker:
    """One run on one stack."""

    edge: Door
    servers: Sequence[Door]
    course: Course
    questions: Sequence[Question]

    async def run(
        self, accounts: Sequence[Account], author: Account, until: Callable[[], Awaitable[None]], *, rest: float
    ) -> None:
        """Write and read until something is done; writers rest for so many seconds after each write.

        Raises `TimeoutError` if nothing can be written.
        """
        writers, readers = self._writers(author), self._readers(accounts)
        tasks = [asyncio.create_task(each.write(rest)) for each in writers]
        try:
            await asyncio.wait_for(self._begun(), BEGIN_SECONDS)
            tasks += [asyncio.create_task(each.read(self.questions)) for each in readers]
            over = asyncio.ensure_future(until())
            await asyncio.wait([over, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            for wire in [*(each.wire for each in writers), *(each.wire for each in readers)]:
                wire.close()
            await asyncio.sleep(REST_SECONDS)  # for the connections to be gone
        for error in ended:
            if isinstance(error, BaseException) and not isinstance(error, asyncio.CancelledError):
                raise error
        over.result()

    async def _begun(self) -> None:
        while not all(row.is_written for row in self.course.rows.values()):
            await asyncio.sleep(REST_SECONDS)

    def _writers(self, author: Account) -> list[Writer]:
        past = self.course.past
        doors = {row.label: self.servers[0] if row.label in past else self.edge for row in self.course.rows.values()}
        return [Writer(self.course, row, author, Wire(doors[row.label])) for row in self.course.rows.values()]

    def _readers(self, accounts: Sequence[Account]) -> list[Reader]:
        found = []
        for number, account in enumerate(accounts):
            doors = {EDGE: self.edge, EXACT: self.edge, SERVER: self.servers[number % len(self.servers)]}
            found += [Reader(self.course, account, way, Wire(door)) for way, door in doors.items()]
        return found
