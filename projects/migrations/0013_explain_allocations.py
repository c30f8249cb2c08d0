"""Say by which merit somebody got a topic, and what a run was mistaken in; find by age what is listed by age."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("projects", "0012_read_what_is_there")]

    operations = [
        migrations.AddField(
            model_name="allocationoutcome",
            name="merit",
            field=models.DecimalField(
                decimal_places=4,
                help_text="By which they came before or after others where a supervisor ranked neither.",
                max_digits=9,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="allocationrun",
            name="small_groups_count",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="How many groups would be smaller than the cycle would like.",
            ),
        ),
        migrations.AddField(
            model_name="allocationrun",
            name="passed_over_count",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="How many were named, with merits or in rankings, who want no topic or offer none.",
            ),
        ),
        AddIndexConcurrently(
            model_name="projectapplication",
            index=models.Index(fields=["created_at", "id"], name="projects_application_by_age"),
        ),
        AddIndexConcurrently(
            model_name="projectcycle",
            index=models.Index(fields=["created_at", "id"], name="projects_cycle_by_creation"),
        ),
        AddIndexConcurrently(
            model_name="projectmember",
            index=models.Index(fields=["created_at", "id"], name="projects_member_by_creation"),
        ),
        AddIndexConcurrently(
            model_name="supervisorcapacity",
            index=models.Index(fields=["created_at", "id"], name="projects_capacity_by_creation"),
        ),
    ]
