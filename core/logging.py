"""What the logs say, and what they never do.

Every line, whichever library wrote it, passes one formatter. It lets through plain facts alone:
texts, numbers, instants and collections of them. Anything else is named by its type, a fact under
a name that smells of a secret is masked, one that holds what a client sent is dropped, and whatever
looks like a token inside a text is cut out. Errors keep their type and trace, but the database's
messages lose the values that they quote.
"""

import logging
import math
import re
import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping, Sequence, Set
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
import psycopg
import structlog
from django.db.utils import DataError, IntegrityError
from django.db.utils import Error as DatabaseError
from structlog.stdlib import ProcessorFormatter

# The id of the request being answered, empty outside of one.
request_id: ContextVar[str] = ContextVar("request_id", default="")

MASK = "[masked]"
LONGEST_TEXT = 2000
LONGEST_COLLECTION = 100
DEEPEST = 4
FRAMES = 40

_SECRET_NAME = re.compile(
    r"passw|passphrase|secret|token|authori[sz]ation|cookie|credential|api[-_ ]?key|private|session_?(id|key)|csrf"
    r"|jwt|bearer|signature|\botp\b|recovery|\bssn\b|^(access|refresh)$",
    re.IGNORECASE,
)
# fmt: off
_CLIENT_DATA = {
    "args", "body", "content", "data", "environ", "files", "form", "get", "headers", "kwargs", "meta", "parameters",
    "params", "payload", "post", "query_params", "query_string", "request_body", "response", "response_body", "sql",
}
# fmt: on
_SECRET_TEXT = re.compile(
    r"(?P<jwt>\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?)"
    r"|(?P<scheme>\b(?:bearer|basic|api-key)\s+)[\w.~+/=-]+"
    r"|(?P<key>\bch[ck]_[\w-]+)"
    r"|(?P<user>://[^\s:/@]*:)[^\s@/]+(?=@)",
    re.IGNORECASE,
)
_add_extra = structlog.stdlib.ExtraAdder()
_PRINTABLE = (float, UUID, date, time, timedelta, Decimal)
Event = MutableMapping[str, Any]
# The log of requests, and what each of its lines says (`core.middleware.record`).
ACCESS = "core.access"
FACTS_OF_REQUEST = ("method", "route", "status", "duration_ms", "user_id", "key_id", "query")


def describe(error: BaseException) -> str:
    """Say what went wrong without repeating what somebody entered: of a database error, its code and names."""
    if isinstance(error, DataError | IntegrityError | psycopg.DataError | psycopg.IntegrityError):
        diagnostics = getattr(_driver_error(error), "diag", None)
        names = ("sqlstate", "table_name", "column_name", "constraint_name")
        return " ".join(filter(None, (getattr(diagnostics, name, None) for name in names)))
    text = str(error)
    if isinstance(error, DatabaseError | psycopg.Error):
        text = text.partition("\n")[0]  # the lines after the first quote the statement with its values
    return _text(text)


def format_error(error: BaseException) -> str:
    """Return the traces of `error` and of what caused it, each with its type and what `describe` says."""
    parts = []
    for link, relation in _chain(error):
        trace = "".join(traceback.format_tb(link.__traceback__, limit=-FRAMES))
        kind = f"{type(link).__module__}.{type(link).__qualname__}".removeprefix("builtins.")
        parts.append(f"Traceback (most recent call last):\n{trace}{kind}: {describe(link)}".rstrip(": ") + relation)
    return "\n\n".join(parts)


def _driver_error(error: BaseException) -> BaseException | None:
    return error if isinstance(error, psycopg.Error) else error.__cause__


def _chain(error: BaseException) -> Iterator[tuple[BaseException, str]]:
    """Yield what led to `error`, the oldest first, and `error` itself."""
    links: list[tuple[BaseException, str]] = []
    current: BaseException | None = error
    relation = ""
    while current is not None and all(current is not seen for seen, _ in links):
        links.append((current, relation))
        if current.__cause__ is not None:
            current, relation = current.__cause__, "\n\nwhich caused:"
        else:
            relation = "\n\nduring whose handling:"
            current = None if current.__suppress_context__ else current.__context__
    yield from reversed(links)


def add_extra(logger: Any, method: str, event: Event) -> Event:
    """Take over the `extra` of a standard logging call, which may not rename the line itself."""
    name = event["event"]
    _add_extra(logger, method, event)
    event["event"] = name
    return event


def add_request_id(_logger: Any, _method: str, event: Event) -> Event:
    """Say which request a line belongs to."""
    current = request_id.get()
    if current:
        event.setdefault("request_id", current)
    return event


def reduce_error(_logger: Any, _method: str, event: Event) -> Event:
    """Replace the exception of a line by its type and a trace without values."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = type(error).__qualname__
        event["exception"] = format_error(error)
    return event


def reduce_request(_logger: Any, _method: str, event: Event) -> Event:
    """Replace a request that a library attached to a line by its route: a path may carry ids and tokens."""
    request = event.pop("request", None)
    if request is not None:
        event["route"] = getattr(getattr(request, "resolver_match", None), "route", None)
        event["event"] = str(event.get("event", "")).partition(": ")[0]
    return event


def keep_plain_facts(_logger: Any, _method: str, event: Event) -> Event:
    """Drop, mask or name everything that is not a plain fact."""
    kept: Event = {}
    for name, value in event.items():
        if name == "exception":
            kept[name] = _without_secrets(str(value))
        elif name.lower() not in _CLIENT_DATA:
            kept[str(name)] = _plain(str(name), value, DEEPEST)
    return kept


def _plain(name: str, value: Any, depth: int) -> Any:
    if _is_secret(name) and not isinstance(value, bool):
        return MASK
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping | Sequence | set | frozenset) and not isinstance(value, bytes | bytearray):
        return _collection(value, depth - 1) if depth else f"<{type(value).__qualname__}>"
    return _single(value)


@lru_cache(maxsize=1024)  # names of facts are written in code, but for those of mappings
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _collection(values: Mapping[Any, Any] | Sequence[Any] | Set[Any], depth: int) -> Any:
    first = list(values)[:LONGEST_COLLECTION]
    if not isinstance(values, Mapping):
        return [_plain("", value, depth) for value in first]
    return {str(key): _plain(str(key), values[key], depth) for key in first if str(key).lower() not in _CLIENT_DATA}


def _single(value: Any) -> Any:
    if value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value) if isinstance(value, _PRINTABLE) else f"<{type(value).__qualname__}>"


def _text(text: str) -> str:
    """Shorten a text, cut out what looks like a secret, and show control characters as escapes."""
    short = _without_secrets(text[:LONGEST_TEXT])
    return short if short.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in short)


def _without_secrets(text: str) -> str:
    return _SECRET_TEXT.sub(lambda found: f"{found['scheme'] or found['user'] or ''}{MASK}", text)


class FactsFormatter(ProcessorFormatter):
    """Writes every line as the processors make it; that of a request, which is most of them, on a shorter way."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, which is the same either way but for the order of its facts."""
        if record.name != ACCESS or record.exc_info or record.stack_info:
            return super().format(record)
        facts: Event = {name: record.__dict__[name] for name in FACTS_OF_REQUEST}
        # What a client has chosen; all else is of our own words and numbers.
        facts["method"], facts["query"] = _text(facts["method"]), [_text(name) for name in facts["query"]]
        if current := request_id.get():
            facts["request_id"] = _text(current)
        facts["event"], facts["logger"], facts["level"] = record.msg, record.name, record.levelname.lower()
        facts["at"] = datetime.fromtimestamp(record.created, UTC)
        return orjson.dumps(facts, option=orjson.OPT_UTC_Z).decode()


def logging_config(level: str, *, json: bool = True) -> dict[str, Any]:
    """Return the LOGGING setting, and point structlog to the same place.

    `level` is that of our own and the libraries' loggers; `json` gives one JSON object per line,
    otherwise lines for a person at a terminal. Everything goes to the standard error stream: what
    a command prints is its answer.
    """
    gathered: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        add_request_id,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *gathered,
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    # Which call wrote a line, and in which thread: looked up for each, and told by none. gunicorn tells its processes.
    logging._srcfile = None  # as the library's own guide to speed says
    logging.logThreads = logging.logMultiprocessing = False
    renderer = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(timestamp_key="at", exception_formatter=structlog.dev.plain_traceback)
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "facts": {
                "()": FactsFormatter if json else ProcessorFormatter,
                "foreign_pre_chain": [*gathered, add_extra],
                "processors": [
                    ProcessorFormatter.remove_processors_meta,
                    reduce_error,
                    reduce_request,
                    keep_plain_facts,
                    renderer,
                ],
            },
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "facts"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            # Its lines carry whole URLs and statements; `core.access` says what is needed of a request.
            "django.server": {"handlers": [], "level": "ERROR", "propagate": True},
            "django.db.backends": {"level": _at_least_warning(level)},
        },
    }


def _at_least_warning(level: str) -> int:
    return max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()])
