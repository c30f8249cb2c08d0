"""Questions to Redis that travel together: while some are under way, those that come wait, and go at once in the next.

Under load most of what a question costs is one write, one wait and one read of a socket on either side. In a round
they are paid once for all questions in it, which the server answers in their order. Nobody waits for longer than the
round before their own takes, and who is alone waits for nobody.
"""

import os
from collections import deque
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Any, Protocol

from redis.exceptions import ConnectionError as LostError


class Line(Protocol):
    """An open connection."""

    def send(self, commands: Iterable[tuple[Any, ...]]) -> None: ...

    def hear(self) -> Any: ...


class Lines(Protocol):
    """Where open connections come from, and go to."""

    def take(self) -> Any: ...

    def give_back(self, line: Any) -> None: ...

    def give_up(self, line: Any) -> None: ...


class Question:
    """What somebody asks, in a round or waiting for the next."""

    __slots__ = ("answers", "commands", "gate", "leads")

    def __init__(self, commands: Sequence[tuple[Any, ...]]) -> None:
        self.commands = commands
        self.answers: list[Any] = []
        # Opens when there is an answer, and when it is for whoever asked to go and ask for all who wait.
        self.gate = Lock()
        self.gate.acquire()
        self.leads = False


class Rounds:
    """The rounds of one client; one is under way at a time, and whoever sends it hears its answers at once."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._begin()

    def _begin(self) -> None:
        self._waiting: deque[Question] = deque()
        self._under_way = Lock()
        self._pid = os.getpid()

    def ask(self, *commands: tuple[Any, ...]) -> list[Any]:
        """Ask along with others, and return the answers, each of which may be the exception to raise."""
        if self._pid != os.getpid():  # what was under way in the parent process is the parent's
            self._begin()
        question = Question(commands)
        self._waiting.append(question)
        if self._under_way.acquire(blocking=False):
            self._go()
        else:
            self._wait(question)
        return question.answers

    def _wait(self, question: Question) -> None:
        try:
            question.gate.acquire()
        except BaseException:  # whoever is stopped here may be the one to ask what others wait for
            question.gate.acquire()
            if question.leads:
                self._go()
            raise
        if question.leads:
            self._go()

    def _go(self) -> None:
        """Ask whatever waits, and let the next round begin."""
        try:
            questions = []
            while self._waiting:
                questions.append(self._waiting.popleft())
            if questions:
                self._put(questions)
        finally:
            self._pass_on()

    def _put(self, questions: list[Question]) -> None:
        line, failure = None, None
        try:
            line = self._lines.take()
            line.send([command for each in questions for command in each.commands])
            for each in questions:
                each.answers += [line.hear() for _ in each.commands]
        except BaseException as error:
            failure = error
            if line is not None:
                self._lines.give_up(line)
            if not isinstance(error, Exception):
                raise
        else:
            self._lines.give_back(line)
        finally:
            for each in questions:
                if len(each.answers) < len(each.commands):
                    lost = failure if isinstance(failure, Exception) else LostError("nobody hears the answer")
                    each.answers = [lost] * len(each.commands)
                each.gate.release()

    def _pass_on(self) -> None:
        """Let the first who waits go next; whoever comes when nobody waits goes at once."""
        while True:
            if self._waiting:
                first = self._waiting[0]
                first.leads = True
                first.gate.release()
                return
            self._under_way.release()
            # Whoever came in between has found a round under way.
            if not self._waiting or not self._under_way.acquire(blocking=False):
                return
