"""Grammar and spelling, of which LanguageTool knows, where the operator has a server of it (`LANGUAGETOOL_URL`).

The text goes to that server and nowhere else: no redirect is followed and no proxy asked. A server that is away, slow
or says something else is no error of anybody's: then nothing is known of the grammar. One that was silent is left alone
for some seconds, so that not everybody waits for it.
"""

import json
import logging
import time
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, Request

from django.conf import settings

from texts.analysis.normal import Span

TIMEOUT_SECONDS = 5
PATIENCE_SECONDS = 10
MOST_BYTES = 2 * 1024 * 1024
# What LanguageTool takes unless its operator allows more, in characters.
LONGEST = 20_000
SUGGESTIONS = 5
OK = 200

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Remark:
    """What LanguageTool remarks on a range of characters, with what it would put there, and by which of its rules."""

    span: Span
    message: str
    suggestions: tuple[str, ...]
    rule: str


@dataclass(frozen=True, slots=True)
class Grammar:
    """The language that a text was taken to be in, and the remarks on it."""

    language: str
    remarks: tuple[Remark, ...]


def grammar(text: str, *, language: str = "auto") -> Grammar | None:
    """Return the remarks on a text; `None` where that is not available: without a server, and of what is too long."""
    url = settings.LANGUAGETOOL_URL
    if not url or len(text) > LONGEST or time.monotonic() - _silent.get(url, -PATIENCE_SECONDS) < PATIENCE_SECONDS:
        return None
    try:
        return _read(_ask(url, text, language), text)
    except (URLError, HTTPException, OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        _silent[url] = time.monotonic()
        logger.warning("languagetool_unavailable", extra={"reason": type(error).__name__})
        return None


# When an address last gave no answer.
_silent: dict[str, float] = {}


@cache
def _opener() -> OpenerDirector:
    opener = OpenerDirector()
    opener.add_handler(HTTPHandler())
    opener.add_handler(HTTPSHandler())
    return opener


def _ask(url: str, text: str, language: str) -> Any:
    body = urlencode({"text": text, "language": language}, errors="replace").encode()
    request = Request(f"{url.rstrip('/')}/v2/check", body, {"Accept": "application/json"})  # noqa: S310 - the operator's
    with _opener().open(request, timeout=TIMEOUT_SECONDS) as answer:
        content = answer.read(MOST_BYTES + 1)
        if answer.status != OK or len(content) > MOST_BYTES:
            raise ValueError(f"answered {answer.status}")
    return json.loads(content)


def _read(found: Any, text: str) -> Grammar:
    offsets = _offsets(text)
    return Grammar(str(found["language"]["code"]), tuple(_remark(match, offsets) for match in found["matches"]))


def _remark(match: Any, offsets: list[int]) -> Remark:
    start = int(match["offset"])
    end = start + int(match["length"])
    if not 0 <= start <= end < len(offsets):
        raise ValueError("a remark is outside the text")
    return Remark(
        (offsets[start], offsets[end]),
        str(match["message"]),
        tuple(str(each["value"]) for each in match["replacements"][:SUGGESTIONS]),
        str(match["rule"]["id"]),
    )


def _offsets(text: str) -> list[int]:
    """Return for each unit of UTF-16, by which LanguageTool counts, of which character it is; and the end."""
    offsets = []
    for offset, character in enumerate(text):
        offsets += [offset] * (2 if character > "\uffff" else 1)
    return [*offsets, len(text)]
