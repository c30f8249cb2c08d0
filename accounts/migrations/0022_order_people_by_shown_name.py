from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0021_call_people_by_a_name"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="person",
            index=models.Index(fields=["last_name", "called_name"], name="accounts_person_shown_name"),
        ),
        RemoveIndexConcurrently(
            model_name="person",
            name="accounts_person_name",
        ),
    ]
