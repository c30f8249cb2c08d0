from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Least


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0002_index_former_refresh_tokens"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="session",
            index=models.Index(Least("revoked_at", "expires_at"), name="accounts_session_ended"),
        ),
    ]
