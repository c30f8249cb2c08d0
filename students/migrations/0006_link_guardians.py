import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_mail_owners_of_accounts"),
        ("students", "0005_opt_out_of_directory"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="GuardianLink",
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
                    "relation",
                    models.CharField(
                        choices=[
                            ("parent", "Parent"),
                            ("legal_guardian", "Legal guardian"),
                            ("partner", "Spouse or partner"),
                            ("other", "Other"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[("profile", "Profile"), ("enrollments", "Enrolments")], max_length=16
                        ),
                        help_text="What of the record the guardian sees.",
                        size=None,
                    ),
                ),
                (
                    "valid",
                    django.contrib.postgres.fields.ranges.DateRangeField(
                        help_text="First day (inclusive) until last day (exclusive); an open end lasts."
                    ),
                ),
                (
                    "verified_at",
                    models.DateTimeField(blank=True, help_text="When somebody saw proof of the relation.", null=True),
                ),
                (
                    "consented_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="When the student agreed; without that nothing is open once they are of age.",
                        null=True,
                    ),
                ),
                (
                    "consent_recorded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="wards", to="accounts.person"
                    ),
                ),
                (
                    "student",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="guardians", to="students.student"
                    ),
                ),
                (
                    "verified_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[("person", "="), ("student", "="), ("valid", "&&")],
                        name="students_guardianlink_no_overlap",
                        violation_error_code="already_a_guardian",
                        violation_error_message="This person is a guardian of the student during that time already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("relation__in", ["parent", "legal_guardian", "partner", "other"])),
                        name="students_guardianlink_relation_known",
                        violation_error_code="invalid_choice",
                        violation_error_message="The relation is not one of the known ones.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("scopes__contained_by", ["profile", "enrollments"]),
                            models.Q(("scopes", []), _negated=True),
                        ),
                        name="students_guardianlink_scopes_known",
                        violation_error_code="invalid_choice",
                        violation_error_message="A guardian is told something, and only what there is to be told.",
                    ),
                ],
            },
        ),
    ]
