"""Somebody who asks all the time, and what they insist on."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from benchmarks.staleness.book import Row, Verdict, versions_in
from benchmarks.staleness.wire import Answer, LostError, Wire, now

# What is written past an edge is seen there so many seconds later at most.
EDGE_SECONDS = 1.0
REST_SECONDS = 0.05
# So often in a row at most the application is asked what the edge is asked more often.
ELSEWHERE = 5
SHOWN, REFUSED = {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}, {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
# Ways to an answer: what the edge may have kept, what it may not, and past it.
EDGE, EXACT, SERVER = "edge", "exact", "server"


@dataclass
class Account:
    """Somebody who reads, or writes, by a token that is renewed in time: what they are to be shown of what is written.

    That is nothing at all, where they are refused.
    """

    name: str
    token: str
    sees: frozenset[str]
    is_refused: bool = False


@dataclass(frozen=True)
class Question:
    """What is asked: the row that it is about, and which others are shown beside it to whoever sees that one."""

    path: str
    about: str
    beside: frozenset[str] = frozenset()
    # So often in a row it is asked: what is remembered is quick.
    times: int = 1

    def shown_to(self, account: Account) -> frozenset[str]:
        return frozenset({self.about, *self.beside}) if self.about in account.sees else frozenset()


@dataclass
class Course:
    """What all who write and read have in common."""

    rows: Mapping[str, Row]
    # Rows that are written past the edge.
    past: frozenset[str] = frozenset()
    # Seconds between two questions that the application has to answer, so that the edge is asked the more.
    gap: float = 0.0
    verdict: Verdict = field(default_factory=Verdict)
    # By the way: when somebody was last answered, and last had an answer from memory.
    answered: dict[str, float] = field(default_factory=dict)
    remembered: dict[str, float] = field(default_factory=dict)

    def judge_refusal(self, answer: Answer, where: str, *, allowed: set[HTTPStatus]) -> None:
        """Take note of an answer that shows nothing: one that asks to come back is in order."""
        if answer.is_refused_for_now:
            self.verdict.counted["refused for now"] += 1
            self.verdict.last_refusal = f"{where}: {answer.status} {answer.body[:300]!r}"
        elif answer.status not in allowed:
            self.verdict.find("broken", f"{where}: {answer.status} {answer.body[:300]!r}")


@dataclass
class Reader:
    """One account that asks on one way, over one connection."""

    course: Course
    account: Account
    way: str
    wire: Wire
    # By path, the tag of the last answer and the versions that it showed.
    kept: dict[str, tuple[str, dict[str, int]]] = field(default_factory=dict)

    async def read(self, questions: Sequence[Question]) -> None:
        """Ask all of them in turn until cancelled."""
        while True:
            for question in questions:
                for _ in range(question.times if self.way == EDGE else min(question.times, ELSEWHERE)):
                    await self.ask(question)
                    if self.way != EDGE:
                        await asyncio.sleep(self.course.gap)

    async def ask(self, question: Question) -> None:
        """Ask once, every other time only for what is not known yet, and judge what is told."""
        tag, known = self.kept.get(question.path, ("", {}))
        headers = {"Cache_Control": "no-cache"} if self.way == EXACT else {}
        if tag and self.course.verdict.reads % 2:
            headers["If_None_Match"] = tag
        began = now()
        try:
            answer = await self.wire.ask("GET", question.path, self.account.token, body=b"", **headers)
        except LostError as error:
            await self._lose(question, error)
            return
        if self.account.is_refused or answer.status not in SHOWN:
            await self._refuse(question, answer)
            return
        seen = known if answer.status == HTTPStatus.NOT_MODIFIED else versions_in(answer.body)
        if tag and answer.headers.get("etag") == tag and seen != known:
            self.course.verdict.find("false tag", f"{self._asked(question)}: {seen} under the tag of {known}")
        self.kept[question.path] = (answer.headers.get("etag", ""), seen)
        self._judge(question, seen, began)
        self._count(answer)

    def _asked(self, question: Question) -> str:
        return f"GET {question.path} by {self.account.name} ({self.way})"

    async def _lose(self, question: Question, error: LostError) -> None:
        """Take note of a connection that broke: nobody breaks one of the edge's."""
        if self.way == SERVER:
            self.course.verdict.counted["lost past the edge"] += 1
        else:
            self.course.verdict.find("broken", f"{self._asked(question)}: {error}")
        await asyncio.sleep(REST_SECONDS)

    async def _refuse(self, question: Question, answer: Answer) -> None:
        allowed = set() if question.shown_to(self.account) else {HTTPStatus.NOT_FOUND}
        if self.account.is_refused:
            allowed = REFUSED | SHOWN
            self.course.verdict.counted["reads"] += answer.status in REFUSED
            if answer.status in SHOWN:
                self.course.verdict.find("crossed", f"{self._asked(question)}: {answer.status} {answer.body[:200]!r}")
        self.course.judge_refusal(answer, self._asked(question), allowed=allowed)
        await asyncio.sleep(REST_SECONDS)

    def _judge(self, question: Question, seen: Mapping[str, int], began: float) -> None:
        course, where = self.course, self._asked(question)
        if strange := seen.keys() - self.account.sees:
            course.verdict.find("crossed", f"{where}: {sorted(strange)}")
        for label in question.shown_to(self.account):
            row, version = course.rows[label], seen.get(label, -1)
            least = row.least(began - EDGE_SECONDS if self.way == EDGE and label in course.past else began)
            if version < least:
                course.verdict.find("stale", f"{where}: {row.value(version)}, {least} was acknowledged")
            elif version > row.tried:
                course.verdict.find("stale", f"{where}: {row.value(version)}, which nobody has written")

    def _count(self, answer: Answer) -> None:
        counted, instant = self.course.verdict.counted, now()
        counted["reads"] += 1
        counted["304"] += answer.status == HTTPStatus.NOT_MODIFIED
        self.course.answered[self.way] = instant
        cache = answer.headers.get("x-cache", "")
        if cache.endswith("HIT"):
            counted[cache] += 1
            self.course.remembered[self.way] = instant
