"""Let drafts that nobody has touched for long be found in an index of drafts alone."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("projects", "0009_note_dates"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="project",
            index=models.Index(
                condition=models.Q(("is_draft", True)), fields=["updated_at", "id"], name="projects_project_drafts"
            ),
        ),
    ]
