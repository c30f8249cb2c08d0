"""What has become of the sheet of a session, and what says of a session which section and date it has."""

from django.db import migrations, models

BUILD = [
    # An attempt that was broken off may have left any of it.
    """ALTER TABLE attendance_classsession
    DROP CONSTRAINT IF EXISTS attendance_classsession_marking_known,
    DROP CONSTRAINT IF EXISTS attendance_classsession_identity""",
    "DROP INDEX CONCURRENTLY IF EXISTS attendance_classsession_identity",
    "ALTER TABLE attendance_classsession ADD COLUMN IF NOT EXISTS marking varchar(9) DEFAULT 'scheduled' NOT NULL",
    (
        "CREATE UNIQUE INDEX CONCURRENTLY attendance_classsession_identity "
        "ON attendance_classsession (id, section_id, local_date)"
    ),
    # The primary key is unique in it, so that no row can stand in the way. In lines, as the linter does not read it.
    """ALTER TABLE attendance_classsession
    ADD CONSTRAINT attendance_classsession_identity UNIQUE USING INDEX attendance_classsession_identity""",
    (
        "ALTER TABLE attendance_classsession ADD CONSTRAINT attendance_classsession_marking_known "
        "CHECK (marking IN ('scheduled', 'open', 'closed', 'locked')) NOT VALID"
    ),
    "ALTER TABLE attendance_classsession VALIDATE CONSTRAINT attendance_classsession_marking_known",
]
DROP = """
ALTER TABLE attendance_classsession DROP CONSTRAINT attendance_classsession_marking_known,
    DROP CONSTRAINT attendance_classsession_identity,
    DROP COLUMN marking;
"""


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("attendance", "0001_sessions"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(BUILD, DROP)],
            state_operations=[
                migrations.AddField(
                    model_name="classsession",
                    name="marking",
                    field=models.CharField(
                        choices=[
                            ("scheduled", "Scheduled"),
                            ("open", "Open"),
                            ("closed", "Closed"),
                            ("locked", "Locked"),
                        ],
                        db_default="scheduled",
                        default="scheduled",
                        help_text="Whether the students are being marked, or have been.",
                        max_length=9,
                    ),
                ),
                migrations.AddConstraint(
                    model_name="classsession",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("marking__in", ["scheduled", "open", "closed", "locked"])),
                        name="attendance_classsession_marking_known",
                        violation_error_code="invalid_choice",
                        violation_error_message="The state of the marking is not one of the known ones.",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="classsession",
                    constraint=models.UniqueConstraint(
                        fields=("id", "section", "local_date"),
                        name="attendance_classsession_identity",
                        violation_error_code="conflict",
                        violation_error_message="A session has one section and one date.",
                    ),
                ),
            ],
        ),
    ]
