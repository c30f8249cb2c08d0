"""Taking an import back is a step of its own, which remembers what was asked and what it did."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("interop", "0001_create_imports"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="importjob",
            name="interop_importjob_state_known",
        ),
        migrations.AddField(
            model_name="importjob",
            name="is_reversal_forced",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name="importjob",
            name="reversal",
            field=models.JSONField(
                blank=True, db_default=models.Value({}, models.JSONField()), default=dict, editable=False
            ),
        ),
        migrations.AlterField(
            model_name="importjob",
            name="errors",
            field=models.JSONField(blank=True, default=list, help_text="Why the last step was refused or broke off."),
        ),
        migrations.AlterField(
            model_name="importjob",
            name="state",
            field=models.CharField(
                choices=[
                    ("uploaded", "Uploaded"),
                    ("validating", "Validating"),
                    ("validated", "Validated"),
                    ("applying", "Applying"),
                    ("applied", "Applied"),
                    ("partially_applied", "Partially applied"),
                    ("failed", "Failed"),
                    ("reverting", "Reverting"),
                    ("reverted", "Reverted"),
                ],
                default="uploaded",
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="importjobevent",
            name="from_state",
            field=models.CharField(
                choices=[
                    ("uploaded", "Uploaded"),
                    ("validating", "Validating"),
                    ("validated", "Validated"),
                    ("applying", "Applying"),
                    ("applied", "Applied"),
                    ("partially_applied", "Partially applied"),
                    ("failed", "Failed"),
                    ("reverting", "Reverting"),
                    ("reverted", "Reverted"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="importjobevent",
            name="to_state",
            field=models.CharField(
                choices=[
                    ("uploaded", "Uploaded"),
                    ("validating", "Validating"),
                    ("validated", "Validated"),
                    ("applying", "Applying"),
                    ("applied", "Applied"),
                    ("partially_applied", "Partially applied"),
                    ("failed", "Failed"),
                    ("reverting", "Reverting"),
                    ("reverted", "Reverted"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="importjob",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "uploaded",
                            "validating",
                            "validated",
                            "applying",
                            "applied",
                            "partially_applied",
                            "failed",
                            "reverting",
                            "reverted",
                        ],
                    )
                ),
                name="interop_importjob_state_known",
                violation_error_code="invalid_choice",
                violation_error_message="The state of an import is not one of the known ones.",
            ),
        ),
    ]
