"""Which tags the present request has moved, for whoever stands between it and its caller.

What a commit moved is one line of text: its name, and the tags. The same line goes out on a channel of Redis, for
everybody who listens there, and back with the answer of the request that made the commit (`core.api.edge`). So a proxy
that keeps answers hears of a commit before the answer passes it, and takes the second telling for what it is.
"""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from urllib.parse import quote

# Told instead of a line by whoever cannot tell what was moved.
EVERYTHING = "*"

_lines: ContextVar[list[str] | None] = ContextVar("raised", default=None)


def line_of(commit: str, tags: Iterable[str]) -> str:
    """Return the line that tells of a commit; one without a name is told of as `-`."""
    return " ".join([commit or "-", *(quote(tag, safe=":.*-_") for tag in sorted(tags))])


def is_noting() -> bool:
    """Say whether anybody wants to know what the present request moves."""
    return _lines.get() is not None


def note(line: str) -> None:
    """Let the present request tell of a commit."""
    lines = _lines.get()
    if lines is not None:
        lines.append(line)


@contextmanager
def noting() -> Generator[list[str]]:
    """Collect what the block tells of."""
    lines: list[str] = []
    token = _lines.set(lines)
    try:
        yield lines
    finally:
        _lines.reset(token)
