from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0006_create_person_identifiers"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="roleassignment",
            index=models.Index(
                condition=models.Q(("scope_id__isnull", False)),
                fields=["scope_id"],
                name="accounts_roleassignment_scope",
            ),
        ),
    ]
