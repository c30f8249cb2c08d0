"""Which codes go with minutes of lateness, and from how many on one is meant."""

from django.db import migrations, models

BUILD = [
    """ALTER TABLE attendance_attendancecode
    ADD COLUMN IF NOT EXISTS takes_minutes boolean DEFAULT false NOT NULL,
    ADD COLUMN IF NOT EXISTS late_from smallint CHECK (late_from >= 0)""",
    # An attempt that was broken off may have left any of it.
    """ALTER TABLE attendance_attendancecode
    DROP CONSTRAINT IF EXISTS attendance_attendancecode_late_by_minutes,
    DROP CONSTRAINT IF EXISTS attendance_attendancecode_late_from_once""",
    "DROP INDEX CONCURRENTLY IF EXISTS attendance_attendancecode_late_from_once",
    (
        "ALTER TABLE attendance_attendancecode ADD CONSTRAINT attendance_attendancecode_late_by_minutes "
        "CHECK (late_from IS NULL OR (late_from BETWEEN 1 AND 1440 AND takes_minutes)) NOT VALID"
    ),
    "ALTER TABLE attendance_attendancecode VALIDATE CONSTRAINT attendance_attendancecode_late_by_minutes",
    (
        "CREATE UNIQUE INDEX CONCURRENTLY attendance_attendancecode_late_from_once "
        "ON attendance_attendancecode (late_from)"
    ),
    # All of them are empty. In lines, as the linter does not read it.
    """ALTER TABLE attendance_attendancecode
    ADD CONSTRAINT attendance_attendancecode_late_from_once UNIQUE USING INDEX attendance_attendancecode_late_from_once""",
    # What has stood beside other codes explains itself, and stays.
    "UPDATE attendance_attendancecode SET takes_minutes = true WHERE code = 'late'",
]
DROP = """
ALTER TABLE attendance_attendancecode DROP COLUMN late_from, DROP COLUMN takes_minutes;
"""


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("attendance", "0007_excuse_students")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(BUILD, DROP)],
            state_operations=[
                migrations.AddField(
                    model_name="attendancecode",
                    name="late_from",
                    field=models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Whoever is late by so many minutes is marked so, whichever code that takes minutes was sent.",
                        null=True,
                    ),
                ),
                migrations.AddField(
                    model_name="attendancecode",
                    name="takes_minutes",
                    field=models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="Whether it can be said by how many minutes somebody was late.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="attendancecode",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            ("late_from__isnull", True),
                            models.Q(("late_from__gte", 1), ("late_from__lte", 1440), ("takes_minutes", True)),
                            _connector="OR",
                        ),
                        name="attendance_attendancecode_late_by_minutes",
                        violation_error_code="late_from_without_minutes",
                        violation_error_message="A code is reached by minutes, from one to those of a day, if it takes them.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="attendancecode",
                    constraint=models.UniqueConstraint(
                        fields=("late_from",),
                        name="attendance_attendancecode_late_from_once",
                        violation_error_code="late_from_taken",
                        violation_error_message="Another code is reached by as many minutes.",
                    ),
                ),
            ],
        ),
    ]
