"""What somebody notes about a project, and no value larger than is meant."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import core.db.indexes
import core.db.json
import core.ids

# As PostgreSQL writes it, with a blank after each comma and colon: no more than twice what the service lets pass.
SMALL = """
ALTER TABLE projects_projectmeta ADD CONSTRAINT projects_projectmeta_small CHECK (octet_length(value::text) <= 32768)
"""
NOT_SMALL = "ALTER TABLE projects_projectmeta DROP CONSTRAINT projects_projectmeta_small"


class Migration(migrations.Migration):
    dependencies = [
        ("projects", "0001_keep_projects"),
    ]

    operations = [
        migrations.CreateModel(
            name="ProjectMeta",
            fields=[
                ("id", models.UUIDField(default=core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                ("key", models.CharField(max_length=64)),
                (
                    "value",
                    models.JSONField(encoder=core.db.json.ExactEncoder),
                ),
                (
                    "project",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="metadata",
                        to="projects.project",
                    ),
                ),
            ],
            options={
                "verbose_name": "metadata of a project",
                "verbose_name_plural": "metadata of projects",
                "indexes": [
                    core.db.indexes.NamedGinIndex(
                        fields=["value"], name="projects_meta_by_value", opclasses=["jsonb_path_ops"]
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("project", "key"),
                        name="projects_projectmeta_one_each",
                        violation_error_code="metadata_key_taken",
                        violation_error_message="The project has a value under this key.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("key__regex", "^[a-z][a-z0-9]*([_-][a-z0-9]+)*$")),
                        name="projects_projectmeta_key_spelled",
                        violation_error_code="invalid_metadata_key",
                        violation_error_message="A key is of small letters and digits, with single - and _ between them.",
                    ),
                ],
            },
        ),
        migrations.RunSQL(SMALL, NOT_SMALL),
    ]
