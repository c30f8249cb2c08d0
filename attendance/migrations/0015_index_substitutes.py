"""Find the sessions that somebody took over."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("attendance", "0014_substitutions"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="classsession",
            index=models.Index(
                condition=models.Q(("substitute__isnull", False)),
                fields=["substitute"],
                name="attendance_session_stand_in",
            ),
        ),
    ]
