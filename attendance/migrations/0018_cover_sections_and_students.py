"""Indexes that answer by themselves what a student's attendance comes to, and what was marked in a section's month."""

from django.db import migrations, models

OF_SECTION = "attendance_record_of_section"
COLUMNS = "(section_id, local_date) INCLUDE (session_id, enrollment_id, code_id)"
# A month that was made meanwhile has its index already.
PARTS = """
    SELECT inhrelid::regclass::text, relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'attendance_attendancerecord'::regclass AND NOT EXISTS (
        SELECT FROM pg_index JOIN pg_inherits AS attached ON attached.inhrelid = indexrelid
        WHERE indrelid = pg_class.oid AND attached.inhparent = to_regclass('attendance_record_of_section')
    )
    ORDER BY relname
"""
SESSIONS = [
    "DROP INDEX CONCURRENTLY IF EXISTS attendance_session_by_section",
    (
        "CREATE INDEX CONCURRENTLY attendance_session_by_section ON attendance_classsession (section_id, starts_at) "
        "INCLUDE (id, ends_at, status, local_date)"
    ),
    "DROP INDEX CONCURRENTLY IF EXISTS attendance_session_of_section",
]
SESSIONS_BEFORE = [
    "CREATE INDEX CONCURRENTLY attendance_session_of_section ON attendance_classsession (section_id, starts_at)",
    "DROP INDEX CONCURRENTLY attendance_session_by_section",
]


def index_months(apps, schema_editor):
    """Index month by month, while marking goes on; an attempt that was broken off is taken up again."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"CREATE INDEX IF NOT EXISTS {OF_SECTION} ON ONLY attendance_attendancerecord {COLUMNS}")
        cursor.execute(PARTS)
        for part, name in cursor.fetchall():
            index = f"{name}_of_section"
            cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [index])
            if cursor.fetchone() != (True,):
                cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index}")
                cursor.execute(f"CREATE INDEX CONCURRENTLY {index} ON {part} {COLUMNS}")
            cursor.execute(f"ALTER INDEX {OF_SECTION} ATTACH PARTITION {index}")


def drop_index(apps, schema_editor):
    schema_editor.execute(f"DROP INDEX {OF_SECTION}")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("attendance", "0017_hold_and_judge_at_once")]

    operations = [
        migrations.RunPython(index_months, drop_index),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(SESSIONS, SESSIONS_BEFORE)],
            state_operations=[
                migrations.RemoveIndex(model_name="classsession", name="attendance_session_of_section"),
                migrations.AddIndex(
                    model_name="classsession",
                    index=models.Index(
                        fields=["section", "starts_at"],
                        include=("id", "ends_at", "status", "local_date"),
                        name="attendance_session_by_section",
                    ),
                ),
                migrations.AddIndex(
                    model_name="attendancerecord",
                    index=models.Index(
                        fields=["section", "local_date"],
                        include=("session", "enrollment", "code"),
                        name="attendance_record_of_section",
                    ),
                ),
            ],
        ),
    ]
