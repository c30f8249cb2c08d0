import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0011_make_addresses_one_identity"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SubjectExport",
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
                (
                    "reason",
                    models.CharField(blank=True, help_text="Needed for the data of somebody else.", max_length=500),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("ready", "Ready"),
                            ("failed", "Failed"),
                            ("expired", "Expired"),
                        ],
                        default="requested",
                        max_length=9,
                    ),
                ),
                ("run_id", models.UUIDField(blank=True, editable=False, null=True)),
                (
                    "failure",
                    models.CharField(blank=True, help_text="The code of what stood in the way.", max_length=64),
                ),
                ("stored_name", models.CharField(blank=True, editable=False, max_length=100)),
                ("sha256", models.CharField(blank=True, help_text="Of the file as it is handed out.", max_length=64)),
                ("size", models.PositiveBigIntegerField(default=0, help_text="Bytes.")),
                ("rows", models.PositiveIntegerField(default=0, help_text="Rows of all tables together.")),
                ("ready_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                (
                    "downloaded_at",
                    models.DateTimeField(blank=True, help_text="When it was last handed out.", null=True),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="exports", to="accounts.person"
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "subject export",
                "verbose_name_plural": "subject exports",
                "indexes": [
                    models.Index(fields=["requested_by", "created_at", "id"], name="privacy_export_by_requester"),
                    models.Index(
                        condition=models.Q(("state", "ready")), fields=["expires_at"], name="privacy_export_ready_until"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "requested")),
                        fields=("person", "requested_by"),
                        name="privacy_subjectexport_one_at_a_time",
                        violation_error_code="export_in_progress",
                        violation_error_message="The data of this person is being put together for you already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["requested", "ready", "failed", "expired"])),
                        name="privacy_subjectexport_state_known",
                        violation_error_code="invalid_choice",
                        violation_error_message="The state of an export is not one of the known ones.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "ready"), _negated=True),
                            models.Q(models.Q(("stored_name", ""), _negated=True), ("expires_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="privacy_subjectexport_ready_has_file",
                        violation_error_code="invalid",
                        violation_error_message="An export that is ready has a file and a last day.",
                    ),
                ],
            },
        ),
    ]
