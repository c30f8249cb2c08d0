"""Which tables keep a history of every write: all of them, but for those that somebody left out for a reason.

A table is followed by triggers that see whole statements, so `bulk_create`, `update`, raw SQL and COPY leave their
entries as `save` does. They are put in place after each `migrate`, which only the owner of the tables runs; no app
declares anything, so none can forget to. Nor does any say again what a mask keeps from those who read the history.
"""

from collections.abc import Callable, Collection
from typing import Any

from django.apps import apps
from django.db import connections, models

from core.masks import Mask, masks_of

# By model: why its rows have no history.
LEFT_OUT: dict[str, str] = {}
# By model: columns whose values are secrets. Those of bytes, which are ciphertexts and hashes, are withheld anyway.
WITHHELD: dict[str, frozenset[str]] = {}
# Stand-ins for those who read the history: of each role that may, somebody who holds it.
_readers: list[Callable[[], Collection[Any]]] = []

_FOLLOWED = """
    SELECT pg_class.relname, array_agg(DISTINCT encode(tgargs, 'escape')), count(*)
    FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE starts_with(tgname, 'audit_follow_') AND relnamespace = 'public'::regnamespace
    GROUP BY pg_class.relname
"""
_THERE = """
    SELECT relname FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
      AND to_regprocedure('audit_follow(regclass, text)') IS NOT NULL
"""


def leave_out(reason: str, *labels: str) -> None:
    """Keep no history of models, named as `app.model`, and say why."""
    LEFT_OUT.update(dict.fromkeys(map(str.lower, labels), reason))


def withhold(label: str, *columns: str) -> None:
    """Say in a model's history that these columns changed, and not to what."""
    WITHHELD[label.lower()] = frozenset(columns)


def followed_models() -> list[type[models.Model]]:
    """Return the models whose tables are followed."""
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.can_migrate("default") and model._meta.label_lower not in LEFT_OUT
    ]


def read_by(readers: Callable[[], Collection[Any]]) -> None:
    """Say who reads the history: a function that returns, of each role that may, somebody who holds it."""
    _readers[:] = [readers]


def closed_masks() -> list[Mask]:
    """Return the masks that keep something of some row from anybody who reads the history."""
    readers = [reader for find in _readers for reader in find()]
    return [
        mask
        for model in apps.get_models()
        for mask in masks_of(model)
        if not readers or not all(mask.known_everywhere(reader) for reader in readers)
    ]


def withheld_columns(model: type[models.Model], database: Any) -> list[str]:
    """Return the columns of which the history says that they changed, and nothing else."""
    named = WITHHELD.get(model._meta.label_lower, frozenset())
    masked = {column for mask in closed_masks() for column in mask.columns}
    return sorted(
        str(field.column)
        for field in model._meta.concrete_fields
        if field.name in named or field in masked or field.db_type(database) == "bytea"
    )


def follow(*, using: str = "default", **options: Any) -> None:
    """Put the triggers in place where they are not, and take away those of what is left out; after a migration."""
    database = connections[using]
    wanted = {
        model._meta.db_table: "{" + ",".join(withheld_columns(model, database)) + "}" for model in followed_models()
    }
    with database.cursor() as cursor:
        cursor.execute(_THERE)
        there = {name for (name,) in cursor.fetchall()}
        cursor.execute(_FOLLOWED)
        followed = {name: (arguments, count) for name, arguments, count in cursor.fetchall()}
        for table, withheld in wanted.items():
            if table in there and followed.get(table) != ([f"{withheld}\\000"], 3):
                cursor.execute("SELECT audit_follow(quote_ident(%s)::regclass, %s)", [table, withheld])
        for table in followed.keys() - wanted.keys():
            cursor.execute("SELECT audit_unfollow(quote_ident(%s)::regclass)", [table])


leave_out("A log that only grows.", "audit.Event", "audit.Disclosure", "audit.Change", "audit.Seal", "audit.Redaction")
leave_out("Django's own bookkeeping.", "admin.LogEntry", "contenttypes.ContentType", "sessions.Session")
leave_out("Unused: permissions come from roles in code.", "auth.Permission", "auth.Group", "auth.Group_permissions")
leave_out("A queue of facts that rows with a history stand behind.", "core.OutboxEvent")
leave_out("Kept answers, forgotten after some days.", "core.IdempotencyKey")
leave_out("When a recurring chore last ran.", "core.Chore")
leave_out("Queue and lease of the caches.", "core.Touch", "core.Lease")
leave_out("Repeats values that their records have.", "core.UniqueCustomValue")
