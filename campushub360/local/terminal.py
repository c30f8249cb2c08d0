"""What `make run` shows: one line per step, with colour and movement only where a person is watching."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import TextIO


class Terminal:
    """Writes steps and messages to a stream."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self.stream = stream
        self.is_lively = stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"

    def say(self, text: str = "") -> None:
        """Write one line."""
        print(text, file=self.stream, flush=True)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show that `title` is under way, then how long it took."""
        began = time.monotonic()
        over = threading.Event()
        mover = threading.Thread(target=self._move, args=(title, began, over), daemon=True)
        if self.is_lively:
            mover.start()
        try:
            yield
        except BaseException:
            self._finish(over, mover, self._paint("31", "failed"), title, began)
            raise
        self._finish(over, mover, self._paint("32", "done"), title, began)

    def strong(self, text: str) -> str:
        """Return `text` emphasised, where that shows."""
        return self._paint("1", text)

    def _move(self, title: str, began: float, over: threading.Event) -> None:
        for sign in cycle("|/-\\"):
            self.stream.write(f"\r  {sign}     {title} ({time.monotonic() - began:.0f} s)")
            self.stream.flush()
            if over.wait(0.15):
                return

    def _finish(self, over: threading.Event, mover: threading.Thread, outcome: str, title: str, began: float) -> None:
        if mover.is_alive():
            over.set()
            mover.join()
            self.stream.write("\r\x1b[K")
        self.say(f"  {outcome}  {title} ({time.monotonic() - began:.1f} s)")

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.is_lively else text
