"""Writes of this app's own rows by the thousand, each one statement."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.utils import timezone
from psycopg import sql

from core.ids import new_id
from interop.models import ImportAction, ImportJob, ImportRow
from interop.models.rows import KEY_LENGTH
from interop.targets.items import Item

COLUMNS = (
    "id", "job_id", "position", "file", "row_no", "resource", "natural_key", "external_id", "raw", "values", "initial",
    "action", "reasons", "notes", "object_id", "applied_at",
)  # fmt: skip
# Long texts of hostile rows are kept to this length in the copy of the row that the report shows.
SHOWN = 2_000


def stage(job: ImportJob, items: Sequence[Item]) -> None:
    """Put analysed records into the staging table."""
    now = timezone.now()
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(ImportRow._meta.db_table), sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for item in items:
            record = item.record
            copy.write_row(
                (
                    new_id(),
                    job.pk,
                    item.position,
                    record.file[:255],
                    record.row_no,
                    record.resource,
                    _storable(record.key)[:KEY_LENGTH],
                    _storable(record.external_id)[:300],
                    _json({name: value[:SHOWN] for name, value in record.raw.items()}),
                    _json(record.values),
                    _json(record.initial),
                    item.action.value,
                    _json([fault.as_dict() for fault in item.reasons]),
                    _json([fault.as_dict() for fault in record.notes]),
                    item.object_id,
                    now if is_settled(item) else None,
                )
            )


def is_settled(item: Item) -> bool:
    """Say whether applying an item would write nothing at all."""
    if item.action == ImportAction.REJECTED:
        return True
    is_idle = item.action in (ImportAction.UNCHANGED, ImportAction.CONFLICT)
    return is_idle and (item.row is None or (item.has_identifier and item.remembered is not None))


def record_outcomes(job: ImportJob, items: Sequence[Item]) -> None:
    """Say in the staging table what was done about items."""
    done = [
        {
            "position": item.position,
            "action": item.action.value,
            "reasons": [fault.as_dict() for fault in item.reasons],
            "notes": [fault.as_dict() for fault in item.record.notes],
            "object_id": None if item.is_rejected or item.object_id is None else str(item.object_id),
            "before": item.before,
            "written": item.written,
        }
        for item in items
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE interop_importrow SET action = done.action, reasons = done.reasons, notes = done.notes, "
            "object_id = done.object_id, before = done.before, written = done.written, applied_at = now(), "
            "updated_at = now() "
            "FROM jsonb_to_recordset(%s::jsonb) AS done (position integer, action text, reasons jsonb, notes jsonb, "
            "object_id uuid, before jsonb, written jsonb) "
            "WHERE interop_importrow.job_id = %s AND interop_importrow.position = done.position",
            [_json(done), job.pk],
        )


def remember(entity_type: str, values: Sequence[tuple[UUID, dict[str, Any]]]) -> None:
    """Keep what an import has written into rows, field by field."""
    if not values:
        return
    made = [{"id": str(new_id()), "object_id": str(pk), "held": held} for pk, held in values]
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO interop_importedvalue (id, entity_type, object_id, "values") '
            "SELECT made.id, %s, made.object_id, made.held "
            "FROM jsonb_to_recordset(%s::jsonb) AS made (id uuid, object_id uuid, held jsonb) "
            'ON CONFLICT (entity_type, object_id) DO UPDATE SET "values" = EXCLUDED."values", updated_at = now()',
            [entity_type, _json(made)],
        )


def identify(entity_type: str, names: Iterable[tuple[str, UUID]]) -> None:
    """Keep the names by which another system knows rows; a name that is known stays as it is."""
    made = [
        {"id": str(new_id()), "scheme": scheme, "value": value, "object_id": str(pk)}
        for scheme, value, pk in ((*name.split(":", 1), pk) for name, pk in names)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO interop_externalidentifier (id, scheme, value, entity_type, object_id) "
            "SELECT made.id, made.scheme, made.value, %s, made.object_id "
            "FROM jsonb_to_recordset(%s::jsonb) AS made (id uuid, scheme text, value text, object_id uuid) "
            "ON CONFLICT DO NOTHING",
            [entity_type, _json(made)],
        )


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def _storable(text: str) -> str:
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
