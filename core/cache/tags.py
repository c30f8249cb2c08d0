"""Which tags a write moves.

A tag names rows that answers are made of. Each has a generation, which grows whenever one of the rows changes; what was
kept at another generation is as good as gone. Every model moves the tag of its own name, `app.model`, but for those
that were left out for a reason. Apps declare, when they are ready, which tables move other tags as well, and whether
such a tag is divided by the values of a column:

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
from django.db.models import Model

# By model, as `app.model`: the other tags it moves, and the column that divides each (empty for none).
_moves: defaultdict[str, dict[str, str]] = defaultdict(dict)
# By model: why no answer is made of its rows.
LEFT_OUT: dict[str, str] = {}

_PRESENT = """
    SELECT pg_class.relname, array_agg(DISTINCT encode(tgargs, 'escape')), count(*)
    FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE starts_with(tgname, 'core_touch_') AND relnamespace = 'public'::regnamespace
    GROUP BY pg_class.relname
"""
_TABLES = """
    SELECT relname FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
      AND to_regprocedure('core_follow_touches(regclass, text[])') IS NOT NULL
"""
TRIGGERS = 3


def moves(tag: str, label: str, *, by: str = "") -> None:
    """Let every write to a model, named as `app.model`, move a tag, which `by` divides by the values of a column."""
    _moves[label.lower()][tag] = by


def leave_out(reason: str, *labels: str) -> None:
    """Let models, named as `app.model`, move nothing, and say why no answer is made of their rows."""
    LEFT_OUT.update(dict.fromkeys(map(str.lower, labels), reason))


def moved_by(model: type[Model]) -> dict[str, str]:
    """Return the tags that writes to a model move, and the column that divides each; none for one that is left out."""
    label = model._meta.label_lower
    return {} if label in LEFT_OUT else {label: "", **_moves.get(label, {})}


def parts(tag: str, *values: object) -> tuple[str, ...]:
    """Return what an answer depends on that is about these values of the column which divides a tag."""
    return (f"{tag}:*", *(f"{tag}:{value}" for value in values))


def follow(*, using: str = "default", **options: Any) -> None:
    """Put the triggers in place where they are not, and take away those of what moves no tag; after a migration."""
    present, wanted = _present(using), _wanted(using)
    with connections[using].cursor() as cursor:
        for table in unfollowed(using):
            cursor.execute("SELECT core_follow_touches(quote_ident(%s)::regclass, %s)", [table, wanted[table]])
        for table in present.keys() - wanted.keys():
            cursor.execute("SELECT core_unfollow_touches(quote_ident(%s)::regclass)", [table])


def unfollowed(using: str = "default") -> set[str]:
    """Return the tables whose writes ought to be noted and are not."""
    present, wanted = _present(using), _wanted(using)
    with connections[using].cursor() as cursor:
        cursor.execute(_TABLES)
        there = {name for (name,) in cursor.fetchall()}
    arguments = {table: "".join(f"{part}\\000" for part in parts) for table, parts in wanted.items()}
    return {table for table in there & wanted.keys() if present.get(table) != ([arguments[table]], TRIGGERS)}


def _wanted(using: str) -> dict[str, list[str]]:
    """Return by table what its triggers are told: each tag, and the column that divides it."""
    return {
        model._meta.db_table: [part for pair in sorted(tags.items()) for part in pair]
        for model in apps.get_models(include_auto_created=True)
        if model._meta.can_migrate(using) and (tags := moved_by(model))
    }


def _present(using: str) -> dict[str, tuple[list[str], int]]:
    with connections[using].cursor() as cursor:
        cursor.execute(_PRESENT)
        return {name: (arguments, count) for name, arguments, count in cursor.fetchall()}


leave_out("Django's own bookkeeping.", "admin.LogEntry", "contenttypes.ContentType", "sessions.Session")
leave_out("Unused: permissions come from roles in code.", "auth.Permission", "auth.Group", "auth.Group_permissions")
leave_out(
    "Queues and bookkeeping.", "core.OutboxEvent", "core.IdempotencyKey", "core.Chore", "core.Touch", "core.Lease"
)
