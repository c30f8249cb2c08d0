"""Count how often a class was moved or cancelled, apart from what happens on its sheet, as calendars want it told."""

from django.db import migrations, models

REVISE = """
CREATE FUNCTION attendance_revise_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.revision := OLD.revision + 1;
    NEW.revised_at := statement_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER attendance_classsession_revise
    BEFORE UPDATE OF starts_at, ends_at, room_id, status, note ON attendance_classsession
    FOR EACH ROW WHEN (
        (OLD.starts_at, OLD.ends_at, OLD.room_id, OLD.status, OLD.note)
        IS DISTINCT FROM (NEW.starts_at, NEW.ends_at, NEW.room_id, NEW.status, NEW.note)
    )
    EXECUTE FUNCTION attendance_revise_session();
"""
UNDO = """
DROP TRIGGER attendance_classsession_revise ON attendance_classsession;
DROP FUNCTION attendance_revise_session();
"""
# What calendars have been told must not become less.
TOLD = "UPDATE attendance_classsession SET revision = version - 1, revised_at = updated_at WHERE version > 1"


class Migration(migrations.Migration):
    dependencies = [
        ("attendance", "0019_keep_built_in_codes"),
    ]

    operations = [
        migrations.AddField(
            model_name="classsession",
            name="revision",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="How often it was moved, cancelled or brought back; the database counts.",
            ),
        ),
        migrations.AddField(
            model_name="classsession",
            name="revised_at",
            field=models.DateTimeField(editable=False, help_text="When that was at last.", null=True),
        ),
        migrations.RunSQL(REVISE, UNDO),
        migrations.RunSQL(TOLD, migrations.RunSQL.noop),
    ]
