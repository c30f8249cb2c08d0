import uuid

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import accounts.models.person
import core.db.indexes
import core.ids
import core.search


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("core", "0001_extensions"),
    ]

    operations = [
        migrations.CreateModel(
            name="Person",
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
                ("first_name", models.CharField(blank=True, max_length=150)),
                ("last_name", models.CharField(blank=True, max_length=150)),
                ("preferred_name", models.CharField(blank=True, max_length=150)),
                (
                    "email",
                    models.EmailField(blank=True, help_text="Where the university writes to them.", max_length=254),
                ),
                ("phone", models.CharField(blank=True, max_length=32)),
                (
                    "birth_date",
                    models.DateField(blank=True, null=True, validators=[accounts.models.person.validate_past]),
                ),
                (
                    "gender",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("female", "Female"),
                            ("male", "Male"),
                            ("other", "Other"),
                            ("undisclosed", "Not disclosed"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "nationality",
                    models.CharField(
                        blank=True,
                        help_text="ISO 3166-1 alpha-2 code, such as AT.",
                        max_length=2,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^([A-Z]{2})?$", "A country is named by two capital letters.", code="invalid_country"
                            )
                        ],
                    ),
                ),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=core.search.Words(
                            django.db.models.functions.comparison.Coalesce(models.F("first_name"), models.Value("")),
                            django.db.models.functions.comparison.Coalesce(models.F("last_name"), models.Value("")),
                            django.db.models.functions.comparison.Coalesce(
                                models.F("preferred_name"), models.Value("")
                            ),
                            django.db.models.functions.comparison.Coalesce(models.F("email"), models.Value("")),
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.person",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "people",
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
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
                ("email", models.EmailField(max_length=254)),
                ("is_active", models.BooleanField(default=True, help_text="An inactive account cannot log in.")),
                ("is_staff", models.BooleanField(default=False, help_text="May open the administration pages.")),
                ("must_change_password", models.BooleanField(default=False)),
                ("token_version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "person",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="user",
                        to="accounts.person",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RoleAssignment",
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
                    "role",
                    models.CharField(
                        choices=[
                            ("system_admin", "System administrator"),
                            ("registrar", "Registrar"),
                            ("department_head", "Department head"),
                            ("program_coordinator", "Program coordinator"),
                            ("faculty", "Faculty"),
                            ("advisor", "Advisor"),
                            ("teaching_assistant", "Teaching assistant"),
                            ("examiner", "Examiner"),
                            ("exam_controller", "Exam controller"),
                            ("student", "Student"),
                            ("guardian", "Guardian"),
                            ("finance_officer", "Finance officer"),
                            ("finance_approver", "Finance approver"),
                            ("hr_officer", "HR officer"),
                            ("facilities_manager", "Facilities manager"),
                            ("campaign_manager", "Campaign manager"),
                            ("auditor", "Auditor"),
                            ("integration", "Integration"),
                        ],
                        max_length=24,
                    ),
                ),
                (
                    "scope_kind",
                    models.CharField(
                        choices=[
                            ("institution", "Institution"),
                            ("department", "Department"),
                            ("program", "Program"),
                            ("section", "Section"),
                            ("self", "Self"),
                        ],
                        default="institution",
                        max_length=12,
                    ),
                ),
                (
                    "scope_id",
                    models.UUIDField(
                        blank=True,
                        help_text="The department, program or section; empty for institution and self.",
                        null=True,
                    ),
                ),
                (
                    "valid",
                    django.contrib.postgres.fields.ranges.DateTimeRangeField(
                        help_text="From (inclusive) until (exclusive); an open end lasts."
                    ),
                ),
                (
                    "granted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="role_assignments",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Session",
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
                ("current_refresh_hash", models.BinaryField(max_length=32)),
                ("previous_refresh_hash", models.BinaryField(max_length=32, null=True)),
                ("rotated_at", models.DateTimeField()),
                (
                    "expires_at",
                    models.DateTimeField(help_text="When the current refresh token ends; moves on with each rotation."),
                ),
                ("absolute_expires_at", models.DateTimeField(help_text="When the session ends whatever happens.")),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("user_agent", models.CharField(blank=True, max_length=200)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="person",
            index=core.db.indexes.NamedGinIndex(
                core.search.Document(models.F("search_text")), name="accounts_person_words"
            ),
        ),
        migrations.AddIndex(
            model_name="person",
            index=core.db.indexes.NamedGinIndex(
                fields=["search_text"], name="accounts_person_trigrams", opclasses=["gin_trgm_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(fields=["last_name", "first_name"], name="accounts_person_name"),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(django.db.models.functions.text.Upper("email"), name="accounts_person_email"),
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.CheckConstraint(
                condition=models.Q(("merged_into", models.F("id")), _negated=True),
                name="accounts_person_not_merged_into_itself",
                violation_error_code="merged_into_itself",
                violation_error_message="A person cannot be merged into themselves.",
            ),
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.CheckConstraint(
                condition=models.Q(("gender__in", ["", "female", "male", "other", "undisclosed"])),
                name="accounts_person_gender_known",
                violation_error_code="invalid_choice",
                violation_error_message="The gender is not one of the known ones.",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("email"),
                name="accounts_user_unique_email",
                violation_error_code="email_taken",
                violation_error_message="Another account uses this e-mail address.",
            ),
        ),
        migrations.AddConstraint(
            model_name="roleassignment",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[
                    ("user", "="),
                    ("role", "="),
                    ("scope_kind", "="),
                    (
                        django.db.models.functions.comparison.Coalesce(
                            "scope_id", models.Value(uuid.UUID("00000000-0000-0000-0000-000000000000"))
                        ),
                        "=",
                    ),
                    ("valid", "&&"),
                ],
                name="accounts_roleassignment_no_overlap",
                violation_error_code="overlapping_appointment",
                violation_error_message="The user already holds this role in this scope during that time.",
            ),
        ),
        migrations.AddConstraint(
            model_name="roleassignment",
            constraint=models.CheckConstraint(
                condition=models.Q(("granted_by", models.F("user")), _negated=True),
                name="accounts_roleassignment_not_by_oneself",
                violation_error_code="self_approval",
                violation_error_message="Nobody grants a role to themselves.",
            ),
        ),
        migrations.AddConstraint(
            model_name="roleassignment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("scope_id__isnull", True), ("scope_kind__in", ["institution", "self"])),
                    models.Q(
                        models.Q(("scope_kind__in", ["institution", "self"]), _negated=True),
                        ("scope_id__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="accounts_roleassignment_scope_named",
                violation_error_code="scope_mismatch",
                violation_error_message="A department, program or section scope names its unit; the others name none.",
            ),
        ),
        migrations.AddConstraint(
            model_name="roleassignment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "role__in",
                        [
                            "system_admin",
                            "registrar",
                            "department_head",
                            "program_coordinator",
                            "faculty",
                            "advisor",
                            "teaching_assistant",
                            "examiner",
                            "exam_controller",
                            "student",
                            "guardian",
                            "finance_officer",
                            "finance_approver",
                            "hr_officer",
                            "facilities_manager",
                            "campaign_manager",
                            "auditor",
                            "integration",
                        ],
                    ),
                    ("scope_kind__in", ["institution", "department", "program", "section", "self"]),
                ),
                name="accounts_roleassignment_role_known",
                violation_error_code="invalid_choice",
                violation_error_message="The role or the kind of scope is not one of the known ones.",
            ),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.UniqueConstraint(
                fields=("current_refresh_hash",),
                name="accounts_session_unique_refresh",
                violation_error_code="refresh_taken",
                violation_error_message="The refresh token belongs to another session.",
            ),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at__lte", models.F("absolute_expires_at"))),
                name="accounts_session_ends_in_time",
                violation_error_code="session_too_long",
                violation_error_message="A session cannot outlast its absolute end.",
            ),
        ),
        migrations.AddConstraint(
            model_name="roleassignment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "role__in",
                        [
                            "advisor",
                            "department_head",
                            "faculty",
                            "guardian",
                            "program_coordinator",
                            "student",
                            "teaching_assistant",
                        ],
                    ),
                    ("scope_kind", "institution"),
                    _negated=True,
                ),
                name="accounts_roleassignment_scope_fits_role",
                violation_error_code="scope_not_for_role",
                violation_error_message="This role is held for oneself or for a part of the institution.",
            ),
        ),
    ]
