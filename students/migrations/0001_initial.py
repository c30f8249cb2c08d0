import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.db.indexes
import core.db.json
import core.ids
import core.search


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("departments", "0002_department_tree"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Student",
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
                    "student_no",
                    models.CharField(
                        help_text="Unique, and final once it is issued.", max_length=64, verbose_name="student number"
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("applicant", "Applicant"),
                            ("admitted", "Admitted"),
                            ("active", "Active"),
                            ("leave_of_absence", "On leave of absence"),
                            ("suspended", "Suspended"),
                            ("withdrawn", "Withdrawn"),
                            ("dismissed", "Dismissed"),
                            ("graduated", "Graduated"),
                        ],
                        default="active",
                        max_length=16,
                    ),
                ),
                ("admitted_on", models.DateField(blank=True, null=True)),
                (
                    "preferred_contact",
                    models.CharField(
                        choices=[("email", "E-mail"), ("phone", "Phone"), ("text", "Text message"), ("post", "Post")],
                        default="email",
                        max_length=8,
                    ),
                ),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=core.search.Words(
                            django.db.models.functions.comparison.Coalesce(models.F("student_no"), models.Value(""))
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "advisor",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="advisees",
                        to="accounts.person",
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="students",
                        to="departments.department",
                    ),
                ),
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="student", to="accounts.person"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ProgramEnrollment",
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
                    "cohort",
                    models.CharField(
                        blank=True, help_text="The group that began together, such as 2026.", max_length=32
                    ),
                ),
                ("is_primary", models.BooleanField(default=False, help_text="The program that the student counts to.")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("applicant", "Applicant"),
                            ("admitted", "Admitted"),
                            ("active", "Active"),
                            ("leave_of_absence", "On leave of absence"),
                            ("suspended", "Suspended"),
                            ("withdrawn", "Withdrawn"),
                            ("dismissed", "Dismissed"),
                            ("completed", "Completed"),
                            ("graduated", "Graduated"),
                        ],
                        default="active",
                        max_length=16,
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="enrollments",
                        to="departments.program",
                    ),
                ),
                (
                    "start_term",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="departments.term",
                    ),
                ),
                (
                    "student",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="program_enrollments",
                        to="students.student",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="StudentStatusEvent",
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
                        choices=[
                            ("applicant", "Applicant"),
                            ("admitted", "Admitted"),
                            ("active", "Active"),
                            ("leave_of_absence", "On leave of absence"),
                            ("suspended", "Suspended"),
                            ("withdrawn", "Withdrawn"),
                            ("dismissed", "Dismissed"),
                            ("graduated", "Graduated"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "to_status",
                    models.CharField(
                        choices=[
                            ("applicant", "Applicant"),
                            ("admitted", "Admitted"),
                            ("active", "Active"),
                            ("leave_of_absence", "On leave of absence"),
                            ("suspended", "Suspended"),
                            ("withdrawn", "Withdrawn"),
                            ("dismissed", "Dismissed"),
                            ("graduated", "Graduated"),
                        ],
                        max_length=16,
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
                    "student",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="status_events",
                        to="students.student",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ProgramEnrollmentEvent",
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
                        choices=[
                            ("applicant", "Applicant"),
                            ("admitted", "Admitted"),
                            ("active", "Active"),
                            ("leave_of_absence", "On leave of absence"),
                            ("suspended", "Suspended"),
                            ("withdrawn", "Withdrawn"),
                            ("dismissed", "Dismissed"),
                            ("completed", "Completed"),
                            ("graduated", "Graduated"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "to_status",
                    models.CharField(
                        choices=[
                            ("applicant", "Applicant"),
                            ("admitted", "Admitted"),
                            ("active", "Active"),
                            ("leave_of_absence", "On leave of absence"),
                            ("suspended", "Suspended"),
                            ("withdrawn", "Withdrawn"),
                            ("dismissed", "Dismissed"),
                            ("completed", "Completed"),
                            ("graduated", "Graduated"),
                        ],
                        max_length=16,
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
                    "program_enrollment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="students.programenrollment",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["program_enrollment", "happened_at", "id"], name="students_progevent_history")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="student",
            index=core.db.indexes.NamedGinIndex(
                core.search.Document(models.F("search_text")), name="students_student_words"
            ),
        ),
        migrations.AddIndex(
            model_name="student",
            index=core.db.indexes.NamedGinIndex(
                fields=["search_text"], name="students_student_trigrams", opclasses=["gin_trgm_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="student",
            index=core.db.indexes.NamedGinIndex(
                core.search.Document(core.search.Words(core.search.JsonValues(models.F("custom_data")))),
                name="students_student_custom_words",
            ),
        ),
        migrations.AddIndex(
            model_name="student",
            index=core.db.indexes.NamedGinIndex(
                fields=["custom_data"], name="students_student_custom_data", opclasses=["jsonb_path_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="student",
            index=models.Index(fields=["department", "student_no"], name="students_student_by_department"),
        ),
        migrations.AddIndex(
            model_name="student",
            index=models.Index(fields=["status", "student_no"], name="students_student_by_status"),
        ),
        migrations.AddIndex(
            model_name="student",
            index=models.Index(fields=["admitted_on", "id"], name="students_student_by_admission"),
        ),
        migrations.AddIndex(
            model_name="student",
            index=models.Index(fields=["created_at", "id"], name="students_student_by_creation"),
        ),
        migrations.AddConstraint(
            model_name="student",
            constraint=models.UniqueConstraint(
                fields=("student_no",),
                name="students_student_unique_student_no",
                violation_error_code="student_no_taken",
                violation_error_message="Another student has this number.",
            ),
        ),
        migrations.AddConstraint(
            model_name="student",
            constraint=models.CheckConstraint(
                condition=models.Q(("student_no", ""), _negated=True),
                name="students_student_has_student_no",
                violation_error_code="blank",
                violation_error_message="A student has a number.",
            ),
        ),
        migrations.AddConstraint(
            model_name="student",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        [
                            "applicant",
                            "admitted",
                            "active",
                            "leave_of_absence",
                            "suspended",
                            "withdrawn",
                            "dismissed",
                            "graduated",
                        ],
                    )
                ),
                name="students_student_status_known",
                violation_error_code="invalid_choice",
                violation_error_message="The status is not one of the known ones.",
            ),
        ),
        migrations.AddConstraint(
            model_name="student",
            constraint=models.CheckConstraint(
                condition=models.Q(("preferred_contact__in", ["email", "phone", "text", "post"])),
                name="students_student_contact_known",
                violation_error_code="invalid_choice",
                violation_error_message="The preferred contact is not one of the known ones.",
            ),
        ),
        migrations.AddIndex(
            model_name="programenrollment",
            index=models.Index(fields=["student", "created_at", "id"], name="students_progenroll_by_student"),
        ),
        migrations.AddIndex(
            model_name="programenrollment",
            index=models.Index(fields=["program", "cohort"], name="students_progenroll_by_program"),
        ),
        migrations.AddIndex(
            model_name="programenrollment",
            index=models.Index(
                condition=models.Q(("is_primary", True)), fields=["cohort"], name="students_progenroll_by_cohort"
            ),
        ),
        migrations.AddIndex(
            model_name="programenrollment",
            index=models.Index(fields=["created_at", "id"], name="students_progenroll_latest"),
        ),
        migrations.AddConstraint(
            model_name="programenrollment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ("withdrawn", "dismissed", "graduated")), _negated=True),
                fields=("student", "program"),
                name="students_programenrollment_one_live",
                violation_error_code="already_in_program",
                violation_error_message="The student is enrolled in this program already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="programenrollment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_primary", True)),
                fields=("student",),
                name="students_programenrollment_one_primary",
                violation_error_code="primary_program_taken",
                violation_error_message="The student has another primary program.",
            ),
        ),
        migrations.AddConstraint(
            model_name="programenrollment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        [
                            "applicant",
                            "admitted",
                            "active",
                            "leave_of_absence",
                            "suspended",
                            "withdrawn",
                            "dismissed",
                            "completed",
                            "graduated",
                        ],
                    )
                ),
                name="students_programenrollment_status_known",
                violation_error_code="invalid_choice",
                violation_error_message="The status of a program enrolment is not one of the known ones.",
            ),
        ),
        migrations.AddIndex(
            model_name="studentstatusevent",
            index=models.Index(fields=["student", "happened_at", "id"], name="students_statusevent_history"),
        ),
    ]
