import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ExternalIdentifier",
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
                ("scheme", models.CharField(help_text="Whose name it is, such as oneroster.", max_length=32)),
                ("value", models.CharField(max_length=255)),
                ("entity_type", models.CharField(max_length=100)),
                ("object_id", models.UUIDField()),
            ],
            options={
                "indexes": [models.Index(fields=["entity_type", "object_id"], name="interop_identifier_by_object")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("scheme", "entity_type", "value"),
                        name="interop_externalidentifier_unique_value",
                        violation_error_code="identifier_taken",
                        violation_error_message="Another row has this external identifier.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("scheme", ""), _negated=True), models.Q(("value", ""), _negated=True)
                        ),
                        name="interop_externalidentifier_not_blank",
                        violation_error_code="blank",
                        violation_error_message="An external identifier has a scheme and a value.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportedValue",
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
                ("entity_type", models.CharField(max_length=100)),
                ("object_id", models.UUIDField()),
                ("values", models.JSONField(default=dict)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity_type", "object_id"),
                        name="interop_importedvalue_one_each",
                        violation_error_code="conflict",
                        violation_error_message="What an import wrote into a row is remembered once.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportJob",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("students", "Students"),
                            ("faculty", "Faculty"),
                            ("departments", "Departments"),
                            ("programs", "Programs"),
                            ("courses", "Courses"),
                            ("sections", "Sections"),
                            ("enrollments", "Enrolments"),
                            ("oulad", "Open University Learning Analytics Dataset"),
                            ("uiuc_catalogue", "University of Illinois course catalogue"),
                            ("oneroster", "OneRoster 1.2 CSV package"),
                        ],
                        max_length=20,
                    ),
                ),
                ("file_name", models.CharField(max_length=255)),
                (
                    "sha256",
                    models.CharField(help_text="Of the content, so that the same file is recognised.", max_length=64),
                ),
                ("stored_path", models.CharField(editable=False, max_length=1000)),
                ("is_uploaded", models.BooleanField(default=True, editable=False)),
                (
                    "mapping",
                    models.JSONField(
                        blank=True, default=dict, help_text="Column names of the file by our field names."
                    ),
                ),
                ("options", models.JSONField(blank=True, default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("uploaded", "Uploaded"),
                            ("validating", "Validating"),
                            ("validated", "Validated"),
                            ("applying", "Applying"),
                            ("applied", "Applied"),
                            ("partially_applied", "Partially applied"),
                            ("failed", "Failed"),
                            ("reverted", "Reverted"),
                        ],
                        default="uploaded",
                        max_length=20,
                    ),
                ),
                ("counts", models.JSONField(blank=True, default=dict)),
                (
                    "rows_total",
                    models.PositiveIntegerField(default=0, help_text="Rows to go through in the present step."),
                ),
                ("rows_done", models.PositiveIntegerField(default=0)),
                (
                    "applied_to",
                    models.PositiveIntegerField(
                        default=0, editable=False, help_text="Position of the last row applied."
                    ),
                ),
                ("run_id", models.UUIDField(blank=True, editable=False, null=True)),
                ("rows_read", models.PositiveIntegerField(default=0, help_text="Rows of the imported files.")),
                ("has_effect", models.BooleanField(default=False, help_text="It has created or updated something.")),
                ("is_forced", models.BooleanField(default=False, help_text="The same file may be in force twice.")),
                (
                    "errors",
                    models.JSONField(blank=True, default=list, help_text="Why the file as a whole was refused."),
                ),
                (
                    "remarks",
                    models.JSONField(blank=True, default=list, help_text="What the report says about whole files."),
                ),
                ("validated_at", models.DateTimeField(blank=True, null=True)),
                ("applied_at", models.DateTimeField(blank=True, null=True)),
                ("reverted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "seconds",
                    models.DecimalField(decimal_places=3, default=0, help_text="Spent working on it.", max_digits=10),
                ),
                (
                    "peak_mb",
                    models.DecimalField(
                        decimal_places=1, default=0, help_text="Most memory the work took.", max_digits=8
                    ),
                ),
                (
                    "actor",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="import_jobs",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ImportJobEvent",
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
                (
                    "from_state",
                    models.CharField(
                        choices=[
                            ("uploaded", "Uploaded"),
                            ("validating", "Validating"),
                            ("validated", "Validated"),
                            ("applying", "Applying"),
                            ("applied", "Applied"),
                            ("partially_applied", "Partially applied"),
                            ("failed", "Failed"),
                            ("reverted", "Reverted"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "to_state",
                    models.CharField(
                        choices=[
                            ("uploaded", "Uploaded"),
                            ("validating", "Validating"),
                            ("validated", "Validated"),
                            ("applying", "Applying"),
                            ("applied", "Applied"),
                            ("partially_applied", "Partially applied"),
                            ("failed", "Failed"),
                            ("reverted", "Reverted"),
                        ],
                        max_length=20,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("happened_at", models.DateTimeField()),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="events", to="interop.importjob"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ImportRow",
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
                ("position", models.PositiveIntegerField()),
                ("file", models.CharField(max_length=255)),
                ("row_no", models.PositiveIntegerField()),
                ("resource", models.CharField(help_text="The last part of the resource's URL.", max_length=32)),
                ("natural_key", models.CharField(blank=True, max_length=600)),
                (
                    "external_id",
                    models.CharField(
                        blank=True, help_text="scheme:value, as the source knows the row.", max_length=300
                    ),
                ),
                ("raw", models.JSONField(default=dict)),
                ("values", models.JSONField(default=dict)),
                ("initial", models.JSONField(default=dict, help_text="What only a row that is created gets.")),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("create", "Create"),
                            ("update", "Update"),
                            ("unchanged", "Unchanged"),
                            ("conflict", "Conflict"),
                            ("rejected", "Rejected"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reasons", models.JSONField(default=list, help_text="Why it was refused or not applied in full.")),
                ("notes", models.JSONField(default=list, help_text="What was assumed.")),
                ("object_id", models.UUIDField(blank=True, null=True)),
                ("before", models.JSONField(blank=True, null=True)),
                ("written", models.JSONField(blank=True, null=True)),
                ("applied_at", models.DateTimeField(blank=True, null=True)),
                (
                    "job",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="interop.importjob",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="importjob",
            index=models.Index(fields=["created_at", "id"], name="interop_importjob_latest"),
        ),
        migrations.AddIndex(
            model_name="importjob",
            index=models.Index(fields=["kind", "sha256"], name="interop_importjob_by_file"),
        ),
        migrations.AddIndex(
            model_name="importjob",
            index=models.Index(fields=["actor", "created_at"], name="interop_importjob_by_actor"),
        ),
        migrations.AddConstraint(
            model_name="importjob",
            constraint=models.UniqueConstraint(
                condition=models.Q(("has_effect", True), ("is_forced", False), ("state", "applied")),
                fields=("kind", "sha256"),
                name="interop_importjob_in_force_once",
                violation_error_code="already_imported",
                violation_error_message="An import of the same file is in force; force it to import it again.",
            ),
        ),
        migrations.AddConstraint(
            model_name="importjob",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "students",
                            "faculty",
                            "departments",
                            "programs",
                            "courses",
                            "sections",
                            "enrollments",
                            "oulad",
                            "uiuc_catalogue",
                            "oneroster",
                        ],
                    )
                ),
                name="interop_importjob_kind_known",
                violation_error_code="invalid_choice",
                violation_error_message="The kind of an import is not one of the known ones.",
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
                            "reverted",
                        ],
                    )
                ),
                name="interop_importjob_state_known",
                violation_error_code="invalid_choice",
                violation_error_message="The state of an import is not one of the known ones.",
            ),
        ),
        migrations.AddConstraint(
            model_name="importjob",
            constraint=models.CheckConstraint(
                condition=models.Q(("rows_done__lte", models.F("rows_total"))),
                name="interop_importjob_progress_in_range",
                violation_error_code="invalid",
                violation_error_message="An import has done no more rows than it has.",
            ),
        ),
        migrations.AddIndex(
            model_name="importrow",
            index=models.Index(fields=["job", "resource", "natural_key"], name="interop_importrow_by_key"),
        ),
        migrations.AddIndex(
            model_name="importrow",
            index=models.Index(
                condition=models.Q(("external_id", ""), _negated=True),
                fields=["job", "resource", "external_id"],
                name="interop_importrow_by_external",
            ),
        ),
        migrations.AddIndex(
            model_name="importrow",
            index=models.Index(fields=["job", "action", "position"], name="interop_importrow_by_action"),
        ),
        migrations.AddConstraint(
            model_name="importrow",
            constraint=models.UniqueConstraint(
                fields=("job", "position"),
                name="interop_importrow_unique_position",
                violation_error_code="conflict",
                violation_error_message="Two records of an import have the same place in it.",
            ),
        ),
        migrations.AddConstraint(
            model_name="importrow",
            constraint=models.CheckConstraint(
                condition=models.Q(("action__in", ["create", "update", "unchanged", "conflict", "rejected"])),
                name="interop_importrow_action_known",
                violation_error_code="invalid_choice",
                violation_error_message="The action is not one of the known ones.",
            ),
        ),
    ]
