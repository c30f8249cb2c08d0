"""Which tags a write moves.

A tag names rows that answers are made of. Each has a generation, which grows whenever one of the rows changes; what was
kept at another generation is as good as gone. Every model moves the tag of its own name, `app.model`, but for those
that were left out for a reason. Apps declare, when they are ready, which tables move other tags as well, and whether
such a tag is divided by the values of a column:

    account              any row of these tables has changed
    account:<value>      rows with this value in the column have
    account:*            rows with more values than are worth naming have

An answer about one value depends on the latter two. In the same way a model's own tag is divided by its rows where one
of them is often shown and others are often written. There the value is the end of the key, which several rows share:
so there is no more than a few thousand of them, however many rows come and go, and nobody ever has to forget one.

A table may be written all the time in columns that few answers show. Then there is a tag of the same rows apart from
these columns, `app.model-columns`, which an update of nothing else does not move.

What a statement changed is noted by triggers that see whole statements, so `bulk_create`, `update`, raw SQL and COPY
move generations as `save` does. They are put in place after each `migrate`, which only the owner of the tables runs.
TRUNCATE moves nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
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
# By so many characters at the end of their keys, hexadecimal digits drawn by lot, rows are told apart.
END_OF_KEY = 3
# Of more parts than this of one tag a commit tells as of all of them: what it tells of has to fit into a header.
MOST_PARTS = 20


def moves(tag: str, label: str, *, by: str = "") -> None:
    """Let every write to a model, named as `app.model`, move a tag, which `by` divides by the values of a column."""
    _moves[label.lower()][tag] = by


def divide_by_row(*labels: str) -> None:
    """Let writes to models, named as `app.model`, move parts of the model's tag: those of the rows they change."""
    for label in labels:
        moves(label.lower(), label, by=f"id:{END_OF_KEY}")


def set_apart(name: str, label: str, *, columns: Iterable[str]) -> None:
    """Let a model, named as `app.model`, have a tag that an update of nothing but these columns does not move."""
    moves(f"{label.lower()}-{name}", label, by=f"!{','.join(sorted(columns))}")


def is_divided_by_row(tag: str) -> bool:
    """Say whether a tag is that of a model and has parts for its rows."""
    return tag in _moves.get(tag, {})


def columns_apart(tag: str) -> frozenset[str]:
    """Return the columns whose change does not move the tag: none, unless it was set apart from some."""
    by = _moves.get(model_behind(tag), {}).get(tag, "")
    return frozenset(by[1:].split(",")) if by.startswith("!") else frozenset()


def model_behind(tag: str) -> str:
    """Return the model, as `app.model`, by whose name a tag is called."""
    return tag.partition("-")[0]


def parts_of_row(tag: str, pk: object) -> tuple[str, ...]:
    """Return what an answer depends on that shows one row of the model of a tag that is divided by rows."""
    return parts(tag, str(pk)[-END_OF_KEY:])


def gathered(tags: Iterable[str]) -> list[str]:
    """Return the tags that a commit moves, with all parts of one in the place of many."""
    count = Counter(tag.partition(":")[0] for tag in {*tags} if ":" in tag)
    many = {tag for tag, number in count.items() if number > MOST_PARTS}
    whole = {tag for tag in tags if ":" in tag and tag.partition(":")[0] in many}
    return sorted({*tags} - whole | {f"{tag}:*" for tag in many})


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
