"""Erasing what the logs say of a person, without a break in their chain and without losing that something happened.

Values of personal columns become `[erased]` in the history of rows, and so do the names and addresses under which
somebody acted. Which columns those are, the declarations of `core.privacy` say.
"""

from collections.abc import Iterator
from typing import Any

from django.db import connection, connections

from core.privacy import FreeText, Personal, Subject, declared, free_texts

# The event that whoever erases leaves in the same transaction; what no such event explains, `unexplained` finds.
ERASED = "privacy.erased"

# The name of who acted stands in these.
ACTED = ["actor_label", "address"]
REASON = ["reason"]
_CHANGES = """
    SELECT id FROM audit_change
    WHERE row_id = ANY (%s::text[]) AND table_name = %s
      AND changes IS DISTINCT FROM audit_without(changes, %s::text[])
"""
# Deleted rows are found by whom they were about: the last entry of each has all that there was.
_FORMER = """
    SELECT row_id FROM audit_change
    WHERE operation = 'delete' AND table_name = %s AND changes -> %s ->> 0 = ANY (%s::text[])
"""
_NAMED = """
    SELECT id FROM {log}
    WHERE actor_id = ANY (%s::uuid[]) AND (actor_label NOT IN ('', '[erased]') OR address IS NOT NULL)
"""
_REASONS = "SELECT id FROM audit_event WHERE subject_id = ANY (%s::text[]) AND reason NOT IN ('', '[erased]')"
_ALLOWS = "SELECT to_regclass('audit_erasable') IS NOT NULL"
_ALLOW = """
    WITH declared AS (SELECT * FROM unnest(%s::text[], %s::text[]) AS declared (table_name, column_name)),
    gone AS (DELETE FROM audit_erasable WHERE (table_name, column_name) NOT IN (SELECT * FROM declared))
    INSERT INTO audit_erasable SELECT * FROM declared ON CONFLICT DO NOTHING
"""
# A restored server counts its transactions anew: the same number may come again, on another day.
_UNEXPLAINED = """
    SELECT log, min(at), count(*), min(entry_id) FROM audit_redaction AS redaction
    WHERE NOT EXISTS (
        SELECT FROM audit_event AS event WHERE event.action = %s AND event.xact = redaction.xact
          AND event.at BETWEEN redaction.at - interval '1 day' AND redaction.at + interval '1 day'
    )
    GROUP BY log, xact ORDER BY min(id)
"""


def erase_history(subject: Subject, *, dry_run: bool) -> int:
    """Erase what is personal from the entries about somebody, and return how many there were."""
    total = 0
    for log, columns, ids in _entries(subject):
        total += len(ids) if dry_run else _redact(log, ids, columns)
    return total


def allow_erasing(*, using: str = "default", **options: Any) -> None:
    """Tell the database what may be erased from the logs, and that nothing else may; after a migration."""
    pairs = sorted(_erasable())
    with connections[using].cursor() as cursor:
        cursor.execute(_ALLOWS)
        if cursor.fetchone() == (True,):
            cursor.execute(_ALLOW, [[table for table, _ in pairs], [column for _, column in pairs]])


def unexplained() -> Iterator[str]:
    """Say which entries somebody redacted without erasing anybody; one line for each log and transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_UNEXPLAINED, [ERASED])
        for log, at, count, first in cursor.fetchall():
            yield f"no erasure explains what was redacted at {at:%Y-%m-%d %H:%M}: {count} of {log}, {first} first"


def _erasable() -> Iterator[tuple[str, str]]:
    """Yield the columns whose values erasure takes out of the logs, with their tables."""
    for each in declared():
        yield from ((each.model._meta.db_table, column) for column in personal_columns(each))
    for text in free_texts():
        yield from ((text.model._meta.db_table, column) for column in _columns_of(text))
    yield from (("audit_event", column) for column in (*ACTED, *REASON))
    yield from (("audit_disclosure", column) for column in ACTED)


def _entries(subject: Subject) -> Iterator[tuple[str, list[str], list[int]]]:
    """Yield the entries that name somebody: the log, what of them is to be erased, and their numbers."""
    for each in declared():
        if columns := personal_columns(each):
            table = each.model._meta.db_table
            rows = sorted({*subject.ids_in(each.model), *_former_rows(each, subject)})
            yield "audit_change", columns, _numbers(_CHANGES, [rows, table, columns])
    for text in free_texts():
        ids, columns = [str(pk) for pk in text.rows(subject).values_list("pk", flat=True)], _columns_of(text)
        yield "audit_change", columns, _numbers(_CHANGES, [ids, text.model._meta.db_table, columns])
    for log in ("audit_event", "audit_disclosure"):
        # The logs are named here.
        yield log, ACTED, _numbers(_NAMED.format(log=log), [subject.ids])
    yield "audit_event", REASON, _numbers(_REASONS, [subject.ids])


def personal_columns(declaration: Personal) -> list[str]:
    """Return the columns whose former values erasure takes out of the history, with those computed from them."""
    if not (declaration.deletes or declaration.clears or declaration.becomes):
        return []
    return sorted(
        str(column.column)
        for column in declaration.model._meta.concrete_fields
        if declaration.deletes
        or column.generated
        or column.name in declaration.clears
        or column.name in declaration.becomes
    )


def _columns_of(text: FreeText) -> list[str]:
    fields = {field.name: field for field in text.model._meta.concrete_fields}
    return sorted(str(fields[name].column) for name in text.columns)


def _former_rows(declaration: Personal, subject: Subject) -> set[str]:
    """Return the ids of rows about somebody that were deleted before."""
    found: set[str] = set()
    for path in declaration.paths:
        if path == "pk":
            continue
        key: Any = declaration.model._meta.get_field(path.split("__")[0])
        owners = [*subject.ids_in(key.related_model)]
        with connection.cursor() as cursor:
            cursor.execute(_FORMER, [declaration.model._meta.db_table, key.column, owners])
            found |= {row_id for (row_id,) in cursor.fetchall()}
    return found


def _numbers(question: str, parameters: list[Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(question, parameters)
        return [number for (number,) in cursor.fetchall()]


def _redact(log: str, ids: list[int], columns: list[str]) -> int:
    if not ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_redact(%s, %s::bigint[], %s::text[])", [log, ids, columns])
        row = cursor.fetchone()
    return int(row[0])
