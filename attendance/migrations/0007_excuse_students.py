"""What is asked for and decided about excuses, and what they cover."""

import datetime

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.db.indexes
import core.db.json
import core.ids

# What an excuse is shown by, to those who decide about it; an institution adds others like it.
DOCUMENT = """
INSERT INTO core_customfield (
    id, created_at, updated_at, entity_type, name, label, field_type, required, help_text, choices, validation_regex,
    is_active, "order", unique_values, is_searchable, protected
) VALUES (
    gen_random_uuid(), now(), now(), 'attendance.excuserequest', 'document', 'Document', 'file', false,
    'Such as a medical certificate.', '[]', '', true, 1, false, false, true
) ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [
        ("attendance", "0006_check_in_by_code"),
        ("core", "0008_note_rows"),
        ("enrollment", "0005_identify_enrolments_by_section"),
        ("students", "0007_let_erasure_empty_reasons"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CoveredMark",
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
                ("minutes_late", models.PositiveSmallIntegerField(null=True)),
                (
                    "source",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("import", "Import"),
                            ("reader", "Reader"),
                            ("qr", "QR code"),
                            ("manual", "Manual"),
                            ("excuse", "Excuse"),
                        ],
                        max_length=8,
                    ),
                ),
                ("marked_at", models.DateTimeField(null=True)),
                ("client_id", models.UUIDField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ExcuseEvent",
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
                    "from_status",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("submitted", "Submitted"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("revoked", "Revoked"),
                        ],
                        help_text="Empty at first.",
                        max_length=10,
                    ),
                ),
                (
                    "to_status",
                    models.CharField(
                        choices=[
                            ("submitted", "Submitted"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("revoked", "Revoked"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("happened_at", models.DateTimeField()),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ExcuseRequest",
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
                    "custom_data",
                    models.JSONField(
                        blank=True,
                        db_default=models.Value({}, models.JSONField()),
                        decoder=core.db.json.ExactDecoder,
                        default=dict,
                        editable=False,
                        encoder=core.db.json.ExactEncoder,
                    ),
                ),
                (
                    "period",
                    django.contrib.postgres.fields.ranges.DateTimeRangeField(
                        help_text="From (inclusive) until (exclusive)."
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("medical", "Medical"), ("on_duty", "On duty"), ("bereavement", "Bereavement")],
                        max_length=12,
                    ),
                ),
                ("statement", models.TextField(blank=True, help_text="What the student says.", max_length=2000)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("submitted", "Submitted"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("revoked", "Revoked"),
                        ],
                        default="submitted",
                        editable=False,
                        max_length=10,
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="coveredmark",
            name="code",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="covered_marks",
                to="attendance.attendancecode",
            ),
        ),
        migrations.AddField(
            model_name="coveredmark",
            name="enrollment",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="covered_marks",
                to="enrollment.enrollment",
            ),
        ),
        migrations.AddField(
            model_name="coveredmark",
            name="marked_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="coveredmark",
            name="session",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="covered_marks",
                to="attendance.classsession",
            ),
        ),
        migrations.AddField(
            model_name="excuseevent",
            name="actor",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="excuserequest",
            name="decided_by",
            field=models.ForeignKey(
                editable=False,
                help_text="Who approved, rejected or revoked it at last.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="excuserequest",
            name="requested_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="excuserequest",
            name="student",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="excuses",
                to="students.student",
            ),
        ),
        migrations.AddField(
            model_name="excuseevent",
            name="excuse",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="events", to="attendance.excuserequest"
            ),
        ),
        migrations.AddField(
            model_name="coveredmark",
            name="excuse",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="covered_marks", to="attendance.excuserequest"
            ),
        ),
        migrations.AddIndex(
            model_name="excuserequest",
            index=core.db.indexes.NamedGinIndex(
                fields=["custom_data"], name="attendance_excuserequest_custom_data", opclasses=["jsonb_path_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="excuserequest",
            index=models.Index(fields=["student", "created_at"], name="attendance_excuse_of_student"),
        ),
        migrations.AddIndex(
            model_name="excuserequest",
            index=models.Index(fields=["created_at", "id"], name="attendance_excuse_by_creation"),
        ),
        migrations.AddConstraint(
            model_name="excuserequest",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("status", "approved")),
                expressions=[("student", "="), ("period", "&&")],
                name="attendance_excuserequest_no_overlap",
                violation_error_code="excuse_overlap",
                violation_error_message="The student is excused for a part of that time already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="excuserequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("period__isempty", False), ("period__lower_inf", False), ("period__upper_inf", False)
                ),
                name="attendance_excuserequest_has_length",
                violation_error_code="ends_before_start",
                violation_error_message="An excuse ends after it begins.",
            ),
        ),
        migrations.AddConstraint(
            model_name="excuserequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "period__endswith__lte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("period__startswith"), "+", models.Value(datetime.timedelta(days=366))
                        ),
                    )
                ),
                name="attendance_excuserequest_within_a_year",
                violation_error_code="excuse_too_long",
                violation_error_message="An excuse lasts a year at most.",
            ),
        ),
        migrations.AddConstraint(
            model_name="excuserequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["medical", "on_duty", "bereavement"])),
                name="attendance_excuserequest_kind_known",
                violation_error_code="invalid_choice",
                violation_error_message="The kind is not one of the known ones.",
            ),
        ),
        migrations.AddConstraint(
            model_name="excuserequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["submitted", "approved", "rejected", "revoked"])),
                name="attendance_excuserequest_status_known",
                violation_error_code="invalid_choice",
                violation_error_message="The status is not one of the known ones.",
            ),
        ),
        migrations.AddConstraint(
            model_name="excuserequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status", "submitted"),
                    ("decided_by__isnull", True),
                    ("requested_by__isnull", True),
                    models.Q(("decided_by", models.F("requested_by")), _negated=True),
                    _connector="OR",
                ),
                name="attendance_excuserequest_decided_by_another",
                violation_error_code="self_approval",
                violation_error_message="Nobody decides about what they asked for.",
            ),
        ),
        migrations.AddIndex(
            model_name="coveredmark",
            index=models.Index(fields=["enrollment"], name="attendance_covered_of_student"),
        ),
        migrations.AddConstraint(
            model_name="coveredmark",
            constraint=models.UniqueConstraint(
                fields=("session", "enrollment"),
                name="attendance_coveredmark_once",
                violation_error_code="conflict",
                violation_error_message="What the excuse covers of this session is kept already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="coveredmark",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("code__isnull", True), ("marked_at__isnull", True), ("source", "")),
                    models.Q(
                        ("code__isnull", False),
                        ("marked_at__isnull", False),
                        ("source__in", ["import", "reader", "qr", "manual", "excuse"]),
                    ),
                    _connector="OR",
                ),
                name="attendance_coveredmark_whole",
                violation_error_code="invalid",
                violation_error_message="A mark has a code, a source and a time, or there is none.",
            ),
        ),
        migrations.RunSQL(DOCUMENT, migrations.RunSQL.noop),
    ]
