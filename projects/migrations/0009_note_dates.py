"""The days that matter to projects."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("projects", "0008_log_supervision"),
    ]

    operations = [
        migrations.CreateModel(
            name="ImportantDate",
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
                ("version", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                ("title", models.CharField(max_length=255)),
                ("date", models.DateField()),
                ("description", models.TextField(blank=True, db_default="", default="", max_length=2000)),
                (
                    "project",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="important_dates",
                        to="projects.project",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["project", "date", "id"], name="projects_date_by_project"),
                    models.Index(fields=["project", "created_at", "id"], name="projects_date_by_creation"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("title", ""), _negated=True),
                        name="projects_importantdate_titled",
                        violation_error_code="blank",
                        violation_error_message="A date has a title.",
                    ),
                ],
            },
        ),
    ]
