"""Find the entries of a time: the last hour's, however many there are."""

from typing import Any

from django.db import migrations
from psycopg import sql

LOGS = ("audit_event", "audit_disclosure")
# Block ranges: entries come in the order of time, and such an index is a few pages. One on a table with partitions
# cannot be built while others write; those of the partitions can, and the next ones are born with it.
RANGES = "USING brin (at) WITH (pages_per_range = 16, autosummarize = on)"
PARENT = f"CREATE INDEX IF NOT EXISTS {{index}} ON ONLY {{log}} {RANGES}"
PARTITION = f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {{index}} ON {{partition}} {RANGES}"
ATTACH = "ALTER INDEX {parent} ATTACH PARTITION {index}"
PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass"

# What a build that was broken off leaves behind.
HALF_BUILT = "SELECT FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid"


def build(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        for log in LOGS:
            parent = sql.Identifier(f"{log}_at")
            cursor.execute(sql.SQL(PARENT).format(index=parent, log=sql.Identifier(log)))
            cursor.execute(PARTITIONS, [log])
            for (partition,) in cursor.fetchall():
                index = sql.Identifier(f"{partition}_at")
                cursor.execute(HALF_BUILT, [f"{partition}_at"])
                if cursor.fetchone():
                    cursor.execute(sql.SQL("DROP INDEX CONCURRENTLY {index}").format(index=index))
                cursor.execute(sql.SQL(PARTITION).format(index=index, partition=sql.Identifier(partition)))
                cursor.execute(sql.SQL(ATTACH).format(parent=parent, index=index))


def drop(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("DROP INDEX audit_event_at, audit_disclosure_at")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("audit", "0003_redact_entries"),
    ]

    operations = [migrations.RunPython(build, drop)]
