import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
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
            name="Faculty",
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
                    "employee_no",
                    models.CharField(
                        help_text="Unique, and final once it is given.", max_length=64, verbose_name="employee number"
                    ),
                ),
                (
                    "rank",
                    models.CharField(
                        choices=[
                            ("instructor", "Instructor"),
                            ("lecturer", "Lecturer"),
                            ("senior_lecturer", "Senior lecturer"),
                            ("assistant_professor", "Assistant professor"),
                            ("associate_professor", "Associate professor"),
                            ("professor", "Professor"),
                            ("professor_emeritus", "Professor emeritus"),
                            ("other", "Other"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "employment_type",
                    models.CharField(
                        choices=[
                            ("full_time", "Full time"),
                            ("part_time", "Part time"),
                            ("adjunct", "Adjunct"),
                            ("visiting", "Visiting"),
                        ],
                        default="full_time",
                        max_length=12,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("on_leave", "On leave"),
                            ("suspended", "Suspended"),
                            ("retired", "Retired"),
                            ("departed", "Departed"),
                        ],
                        default="active",
                        max_length=12,
                    ),
                ),
                (
                    "fte",
                    models.DecimalField(
                        decimal_places=3,
                        default=1,
                        help_text="1 is a full post; at most 1.5.",
                        max_digits=4,
                        verbose_name="full-time equivalent",
                    ),
                ),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=core.search.Words(
                            django.db.models.functions.comparison.Coalesce(models.F("employee_no"), models.Value(""))
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="faculty",
                        to="departments.department",
                    ),
                ),
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="faculty", to="accounts.person"
                    ),
                ),
            ],
            options={
                "verbose_name": "member of faculty",
                "verbose_name_plural": "faculty",
            },
        ),
        migrations.CreateModel(
            name="FacultyAppointment",
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
                    "rank",
                    models.CharField(
                        choices=[
                            ("instructor", "Instructor"),
                            ("lecturer", "Lecturer"),
                            ("senior_lecturer", "Senior lecturer"),
                            ("assistant_professor", "Assistant professor"),
                            ("associate_professor", "Associate professor"),
                            ("professor", "Professor"),
                            ("professor_emeritus", "Professor emeritus"),
                            ("other", "Other"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "valid",
                    django.contrib.postgres.fields.ranges.DateRangeField(
                        help_text="First day (inclusive) until last day (exclusive); an open end lasts."
                    ),
                ),
                (
                    "starts_on",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func("valid", function="lower"),
                        output_field=models.DateField(),
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="faculty_appointments",
                        to="departments.department",
                    ),
                ),
                (
                    "faculty",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="appointments", to="faculty.faculty"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="FacultyStatusEvent",
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
                            ("active", "Active"),
                            ("on_leave", "On leave"),
                            ("suspended", "Suspended"),
                            ("retired", "Retired"),
                            ("departed", "Departed"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "to_status",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("on_leave", "On leave"),
                            ("suspended", "Suspended"),
                            ("retired", "Retired"),
                            ("departed", "Departed"),
                        ],
                        max_length=12,
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
                    "faculty",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="status_events",
                        to="faculty.faculty",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="faculty",
            index=core.db.indexes.NamedGinIndex(
                core.search.Document(models.F("search_text")), name="faculty_faculty_words"
            ),
        ),
        migrations.AddIndex(
            model_name="faculty",
            index=core.db.indexes.NamedGinIndex(
                fields=["search_text"], name="faculty_faculty_trigrams", opclasses=["gin_trgm_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="faculty",
            index=core.db.indexes.NamedGinIndex(
                core.search.Document(core.search.Words(core.search.JsonValues(models.F("custom_data")))),
                name="faculty_faculty_custom_words",
            ),
        ),
        migrations.AddIndex(
            model_name="faculty",
            index=core.db.indexes.NamedGinIndex(
                fields=["custom_data"], name="faculty_faculty_custom_data", opclasses=["jsonb_path_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="faculty",
            index=models.Index(fields=["department", "employee_no"], name="faculty_faculty_by_department"),
        ),
        migrations.AddIndex(
            model_name="faculty",
            index=models.Index(fields=["created_at", "id"], name="faculty_faculty_by_creation"),
        ),
        migrations.AddConstraint(
            model_name="faculty",
            constraint=models.UniqueConstraint(
                fields=("employee_no",),
                name="faculty_faculty_unique_employee_no",
                violation_error_code="employee_no_taken",
                violation_error_message="Another member of faculty has this number.",
            ),
        ),
        migrations.AddConstraint(
            model_name="faculty",
            constraint=models.CheckConstraint(
                condition=models.Q(("employee_no", ""), _negated=True),
                name="faculty_faculty_has_employee_no",
                violation_error_code="blank",
                violation_error_message="A member of faculty has a number.",
            ),
        ),
        migrations.AddConstraint(
            model_name="faculty",
            constraint=models.CheckConstraint(
                condition=models.Q(("fte__gt", 0), ("fte__lte", 1.5)),
                name="faculty_faculty_fte_in_range",
                violation_error_code="fte_out_of_range",
                violation_error_message="The full-time equivalent is above 0 and at most 1.5.",
            ),
        ),
        migrations.AddConstraint(
            model_name="faculty",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "rank__in",
                        [
                            "instructor",
                            "lecturer",
                            "senior_lecturer",
                            "assistant_professor",
                            "associate_professor",
                            "professor",
                            "professor_emeritus",
                            "other",
                        ],
                    )
                ),
                name="faculty_faculty_rank_known",
                violation_error_code="invalid_choice",
                violation_error_message="The rank is not one of the known ones.",
            ),
        ),
        migrations.AddConstraint(
            model_name="faculty",
            constraint=models.CheckConstraint(
                condition=models.Q(("employment_type__in", ["full_time", "part_time", "adjunct", "visiting"])),
                name="faculty_faculty_employment_type_known",
                violation_error_code="invalid_choice",
                violation_error_message="The type of employment is not one of the known ones.",
            ),
        ),
        migrations.AddConstraint(
            model_name="faculty",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["active", "on_leave", "suspended", "retired", "departed"])),
                name="faculty_faculty_status_known",
                violation_error_code="invalid_choice",
                violation_error_message="The status of a member of faculty is not one of the known ones.",
            ),
        ),
        migrations.AddConstraint(
            model_name="facultyappointment",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[("faculty", "="), ("department", "="), ("valid", "&&")],
                name="faculty_facultyappointment_no_overlap",
                violation_error_code="overlapping_appointment",
                violation_error_message="The member of faculty holds a post in this department during that time.",
            ),
        ),
        migrations.AddConstraint(
            model_name="facultyappointment",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid__isempty", False), ("valid__lower_inf", False)),
                name="faculty_facultyappointment_has_length",
                violation_error_code="ends_before_start",
                violation_error_message="A post ends after it begins.",
            ),
        ),
        migrations.AddConstraint(
            model_name="facultyappointment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "rank__in",
                        [
                            "instructor",
                            "lecturer",
                            "senior_lecturer",
                            "assistant_professor",
                            "associate_professor",
                            "professor",
                            "professor_emeritus",
                            "other",
                        ],
                    )
                ),
                name="faculty_facultyappointment_rank_known",
                violation_error_code="invalid_choice",
                violation_error_message="The rank of the post is not one of the known ones.",
            ),
        ),
        migrations.AddIndex(
            model_name="facultystatusevent",
            index=models.Index(fields=["faculty", "happened_at", "id"], name="faculty_statusevent_history"),
        ),
    ]
