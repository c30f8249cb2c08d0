"""Who is asked to teach a class in the place of its teacher, and who does."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("attendance", "0013_decide_eligibility"),
        ("courses", "0002_shares_and_histories"),
        ("departments", "0004_room_reservations"),
        ("faculty", "0005_reservations"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Substitution",
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
                ("reason", models.TextField(blank=True, help_text="Why somebody else is to teach.", max_length=2000)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                            ("expired", "Expired"),
                            ("revoked", "Revoked"),
                        ],
                        default="proposed",
                        editable=False,
                        max_length=10,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SubstitutionEvent",
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
                            ("proposed", "Proposed"),
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                            ("expired", "Expired"),
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
                            ("proposed", "Proposed"),
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                            ("expired", "Expired"),
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
        migrations.AddField(
            model_name="classsession",
            name="substitute",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                help_text="Who teaches it in the place of its teacher.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="stands_in_at",
                to="faculty.faculty",
            ),
        ),
        migrations.AddField(
            model_name="substitution",
            name="instructor",
            field=models.ForeignKey(
                help_text="In whose place.",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="substituted_for",
                to="faculty.faculty",
            ),
        ),
        migrations.AddField(
            model_name="substitution",
            name="proposed_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="substitution",
            name="session",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="substitutions", to="attendance.classsession"
            ),
        ),
        migrations.AddField(
            model_name="substitution",
            name="substitute",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="substitutions", to="faculty.faculty"
            ),
        ),
        migrations.CreateModel(
            name="SubstitutionOffer",
            fields=[],
            options={
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("attendance.substitution",),
        ),
        migrations.AddField(
            model_name="substitutionevent",
            name="actor",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="substitutionevent",
            name="substitution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="events", to="attendance.substitution"
            ),
        ),
        migrations.AddIndex(
            model_name="substitution",
            index=models.Index(fields=["created_at", "id"], name="attendance_subst_by_creation"),
        ),
        migrations.AddConstraint(
            model_name="substitution",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "proposed")),
                fields=("session",),
                name="attendance_substitution_one_open",
                violation_error_code="substitution_open",
                violation_error_message="Somebody has been asked to substitute in this session, and has not answered.",
            ),
        ),
        migrations.AddConstraint(
            model_name="substitution",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "accepted")),
                fields=("session",),
                name="attendance_substitution_one_accepted",
                violation_error_code="session_substituted",
                violation_error_message="Somebody substitutes in this session already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="substitution",
            constraint=models.CheckConstraint(
                condition=models.Q(("substitute", models.F("instructor")), _negated=True),
                name="attendance_substitution_by_another",
                violation_error_code="substitute_teaches",
                violation_error_message="Nobody substitutes for themselves.",
            ),
        ),
        migrations.AddConstraint(
            model_name="substitution",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["proposed", "accepted", "declined", "withdrawn", "expired", "revoked"])
                ),
                name="attendance_substitution_status_known",
                violation_error_code="invalid_choice",
                violation_error_message="The status is not one of the known ones.",
            ),
        ),
    ]
