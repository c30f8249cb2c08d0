"""Which tags a write moves.

A tag names rows that somebody keeps an answer about. Each has a generation, which grows whenever one of the rows
changes; what was kept at another generation is as good as gone. Apps declare, when they are ready, which of their
tables move a tag, and whether it is divided by the values of a column:

    account              any row of these tables has changed
    account:<value>      rows with this value in the column have
    account:*            rows with more values than are worth naming have

An answer about one value depends on the latter two. What a statement changed is noted by triggers that see whole
statements, so `bulk_create`, `update`, raw SQL and COPY move generations as `save` does. They are put in place after
each `migrate`, which only the owner of the tables runs. TRUNCATE moves nothing.
"""

from collections import defaultdict
from typing import Any

from django.apps import apps
from django.db import connections

# By model, as `app.model`: the tags it moves, and the column that divides each (empty for none).
_moves: defaultdict[str, dict[str, str]] = defaultdict(dict)

_PRESENT = """
    SELECT pg_class.relname, array_agg(DISTINCT encode(tgargs, 'escape')), count(*)
    FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE starts_with(tgname, 'core_touch_') AND relnamespace = 'public'::regnamespace
    GROUP BY pg_class.relname
"""
_TABLES = """
    SELECT relname FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
      AND to_regprocedure('core_follow_touches(regclass, text[])') IS NOT NULL
"""
TRIGGERS = 3


def moves(tag: str, label: str, *, by: str = "") -> None:
    """Let every write to a model, named as `app.model`, move a tag, which `by` divides by the values of a column."""
    _moves[label.lower()][tag] = by


def parts(tag: str, *values: object) -> tuple[str, ...]:
    """Return what an answer depends on that is about these values of the column which divides a tag."""
    return (f"{tag}:*", *(f"{tag}:{value}" for value in values))


def follow(*, using: str = "default", **options: Any) -> None:
    """Put the triggers in place where they are not, and take away those of what moves no tag; after a migration."""
    wanted = {
        apps.get_model(label)._meta.db_table: [part for pair in sorted(tags.items()) for part in pair]
        for label, tags in _moves.items()
    }
    with connections[using].cursor() as cursor:
        cursor.execute(_TABLES)
        there = {name for (name,) in cursor.fetchall()}
        cursor.execute(_PRESENT)
        present = {name: (arguments, count) for name, arguments, count in cursor.fetchall()}
        for table in there & wanted.keys():
            arguments = "".join(f"{part}\\000" for part in wanted[table])
            if present.get(table) != ([arguments], TRIGGERS):
                cursor.execute("SELECT core_follow_touches(quote_ident(%s)::regclass, %s)", [table, wanted[table]])
        for table in present.keys() - wanted.keys():
            cursor.execute("SELECT core_unfollow_touches(quote_ident(%s)::regclass)", [table])
