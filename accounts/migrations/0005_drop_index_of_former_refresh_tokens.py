from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0004_make_signing_keys"),
    ]

    operations = [
        RemoveIndexConcurrently(model_name="session", name="accounts_session_previous"),
    ]
