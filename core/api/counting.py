"""How many rows a list has, counted once for as long as nothing that the count reads has changed.

A count is known by its statement with its parameters and by the generations of all tables that the statement reads:
what these do not decide, nothing decides. A statement that reads what has no generation (a view, a log), asks the
clock or sets something is counted each time, as is everything while generations cannot be trusted.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from core.cache.answers import Answer, answers
from core.cache.generations import generations
from core.cache.release import fingerprint
from core.cache.tags import moved_by
from core.db.positions import hold_to_present

READ = re.compile(r'\b(?:FROM|JOIN)\s+(?:"(\w+)"|(?!\s*\(+\s*SELECT\b)(\S+))', re.IGNORECASE)
CHANGEABLE = re.compile(
    r"\b(now|current_(date|time|timestamp|user|role|schema|setting)|localtime|localtimestamp|\w+_timestamp|timeofday"
    r"|random|set_config|nextval)\b",
    re.IGNORECASE,
)
# Whose texts tell them apart.
EXACT = (str, int, UUID, date, time, timedelta, Decimal, type(None))


class Count:
    """How many rows a queryset has, whenever that is asked: as they are then, or were when nothing changed since."""

    def __init__(self, queryset: QuerySet[Any]) -> None:
        self._rows = queryset
        self._statement: tuple[str, Any] = ("", ())
        # What the count depends on; None when nothing is to be remembered of it.
        self.tags: Sequence[str] | None = None
        try:
            sql, parameters = queryset.order_by().values("pk").query.get_compiler(queryset.db).as_sql()
        except EmptyResultSet:
            return
        if all(map(_is_exact, parameters)):
            self._statement, self.tags = (sql, parameters), tags_read(sql)

    def now(self) -> int:
        """Return the number."""
        key = self._key()
        if key is None:
            return self._rows.count()
        known = answers()
        answer = known.near(key) or known.far(key)
        if answer is None or not answer.body.isdigit():  # somebody else may have written it
            answer = Answer("", str(self._rows.count()).encode())
            known.add(key, answer)
        return int(answer.body)

    def _key(self) -> bytes | None:
        """Return what names the count; None when it is not to be remembered."""
        # Inside a transaction one sees what others do not.
        if self.tags is None or connection.in_atomic_block:
            return None
        reading = generations().read(self.tags)
        if reading is None:
            return None
        hold_to_present()
        parts = ["count", fingerprint(), *self._statement, reading]
        return hashlib.blake2b(repr(parts).encode(), digest_size=20).hexdigest().encode()


def tags_read(sql: str) -> Sequence[str] | None:
    """Return the tags of all tables that a statement reads; None if it depends on anything else."""
    if CHANGEABLE.search(sql):
        return None
    tables = {table for table, _ in READ.findall(sql)}
    known = _tags_by_table()
    return sorted(known[table] for table in tables) if tables <= known.keys() else None


@cache
def _tags_by_table() -> dict[str, str]:
    return {
        model._meta.db_table: model._meta.label_lower
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and moved_by(model)
    }


def _is_exact(parameter: Any) -> bool:
    if isinstance(parameter, list | tuple):
        return all(map(_is_exact, parameter))
    return isinstance(parameter, EXACT)
