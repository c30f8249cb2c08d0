import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.db.indexes
import core.db.json
import core.ids
import core.search
import departments.models.places


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AcademicYear",
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
                ("code", models.CharField(max_length=32)),
                ("name", models.CharField(max_length=100)),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField(help_text="The last day.")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("code",),
                        name="departments_academicyear_unique_code",
                        violation_error_code="code_taken",
                        violation_error_message="Another academic year has this code.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_on__gt", models.F("starts_on"))),
                        name="departments_academicyear_has_length",
                        violation_error_code="ends_before_start",
                        violation_error_message="An academic year ends after it begins.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Campus",
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
                ("code", models.CharField(max_length=32)),
                ("name", models.CharField(max_length=200)),
                (
                    "time_zone",
                    models.CharField(
                        default="UTC", max_length=64, validators=[departments.models.places.validate_time_zone]
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=core.search.Words(
                            django.db.models.functions.comparison.Coalesce(models.F("code"), models.Value("")),
                            django.db.models.functions.comparison.Coalesce(models.F("name"), models.Value("")),
                        ),
                        output_field=models.TextField(),
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "campuses",
                "indexes": [
                    core.db.indexes.NamedGinIndex(
                        core.search.Document(models.F("search_text")), name="departments_campus_words"
                    ),
                    core.db.indexes.NamedGinIndex(
                        fields=["search_text"], name="departments_campus_trigrams", opclasses=["gin_trgm_ops"]
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("code",),
                        name="departments_campus_unique_code",
                        violation_error_code="code_taken",
                        violation_error_message="Another campus has this code.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Building",
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
                ("code", models.CharField(max_length=64)),
                ("name", models.CharField(max_length=200)),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=core.search.Words(
                            django.db.models.functions.comparison.Coalesce(models.F("code"), models.Value("")),
                            django.db.models.functions.comparison.Coalesce(models.F("name"), models.Value("")),
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "campus",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="buildings", to="departments.campus"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Department",
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
                    "code",
                    models.CharField(help_text="Short, unique, stable: what other systems know it by.", max_length=64),
                ),
                ("name", models.CharField(max_length=200)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("institution", "Institution"),
                            ("college", "College"),
                            ("school", "School"),
                            ("department", "Department"),
                            ("office", "Office"),
                        ],
                        default="department",
                        max_length=12,
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                (
                    "lineage",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), db_default=[], default=list, editable=False, size=None
                    ),
                ),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=core.search.Words(
                            django.db.models.functions.comparison.Coalesce(models.F("code"), models.Value("")),
                            django.db.models.functions.comparison.Coalesce(models.F("name"), models.Value("")),
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="departments.department",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Appointment",
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
                        choices=[("head", "Head"), ("deputy", "Deputy head"), ("coordinator", "Coordinator")],
                        max_length=12,
                    ),
                ),
                (
                    "valid",
                    django.contrib.postgres.fields.ranges.DateRangeField(
                        help_text="First day (inclusive) until last day (exclusive); an open end lasts."
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="appointments", to="accounts.person"
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="appointments",
                        to="departments.department",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Program",
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
                ("code", models.CharField(max_length=64)),
                ("name", models.CharField(max_length=200)),
                (
                    "level",
                    models.CharField(
                        choices=[
                            ("certificate", "Certificate"),
                            ("associate", "Associate"),
                            ("bachelor", "Bachelor"),
                            ("master", "Master"),
                            ("doctorate", "Doctorate"),
                        ],
                        max_length=12,
                    ),
                ),
                ("total_credits", models.DecimalField(decimal_places=2, max_digits=5)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=core.search.Words(
                            django.db.models.functions.comparison.Coalesce(models.F("code"), models.Value("")),
                            django.db.models.functions.comparison.Coalesce(models.F("name"), models.Value("")),
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="programs",
                        to="departments.department",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Room",
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
                ("code", models.CharField(max_length=64)),
                ("name", models.CharField(blank=True, max_length=200)),
                ("capacity", models.PositiveIntegerField(help_text="Seats in teaching.")),
                ("exam_capacity", models.PositiveIntegerField(default=0, help_text="Seats in examinations.")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("lecture", "Lecture hall"),
                            ("seminar", "Seminar room"),
                            ("laboratory", "Laboratory"),
                            ("computer", "Computer room"),
                            ("office", "Office"),
                            ("other", "Other"),
                        ],
                        default="seminar",
                        max_length=12,
                    ),
                ),
                (
                    "features",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), blank=True, db_default=[], default=list, size=None
                    ),
                ),
                ("is_bookable", models.BooleanField(default=True)),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=core.search.Words(
                            django.db.models.functions.comparison.Coalesce(models.F("code"), models.Value("")),
                            django.db.models.functions.comparison.Coalesce(models.F("name"), models.Value("")),
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "building",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rooms", to="departments.building"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Term",
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
                ("code", models.CharField(max_length=32)),
                ("name", models.CharField(max_length=100)),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField(help_text="The last day.")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planned", "Planned"),
                            ("registration", "Registration"),
                            ("in_progress", "In progress"),
                            ("grading", "Grading"),
                            ("closed", "Closed"),
                            ("archived", "Archived"),
                        ],
                        default="planned",
                        max_length=12,
                    ),
                ),
                (
                    "academic_year",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="terms", to="departments.academicyear"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TermStateEvent",
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
                            ("planned", "Planned"),
                            ("registration", "Registration"),
                            ("in_progress", "In progress"),
                            ("grading", "Grading"),
                            ("closed", "Closed"),
                            ("archived", "Archived"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "to_state",
                    models.CharField(
                        choices=[
                            ("planned", "Planned"),
                            ("registration", "Registration"),
                            ("in_progress", "In progress"),
                            ("grading", "Grading"),
                            ("closed", "Closed"),
                            ("archived", "Archived"),
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
                    "term",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="state_events", to="departments.term"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddIndex(
            model_name="building",
            index=core.db.indexes.NamedGinIndex(
                core.search.Document(models.F("search_text")), name="departments_building_words"
            ),
        ),
        migrations.AddIndex(
            model_name="building",
            index=core.db.indexes.NamedGinIndex(
                fields=["search_text"], name="departments_building_trigrams", opclasses=["gin_trgm_ops"]
            ),
        ),
        migrations.AddConstraint(
            model_name="building",
            constraint=models.UniqueConstraint(
                fields=("campus", "code"),
                name="departments_building_unique_code",
                violation_error_code="code_taken",
                violation_error_message="Another building on this campus has this code.",
            ),
        ),
        migrations.AddIndex(
            model_name="department",
            index=core.db.indexes.NamedGinIndex(
                core.search.Document(models.F("search_text")), name="departments_department_words"
            ),
        ),
        migrations.AddIndex(
            model_name="department",
            index=core.db.indexes.NamedGinIndex(
                fields=["search_text"], name="departments_department_trigrams", opclasses=["gin_trgm_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="department",
            index=core.db.indexes.NamedGinIndex(
                core.search.Document(core.search.Words(core.search.JsonValues(models.F("custom_data")))),
                name="departments_department_custom_words",
            ),
        ),
        migrations.AddIndex(
            model_name="department",
            index=core.db.indexes.NamedGinIndex(
                fields=["custom_data"], name="departments_department_custom_data", opclasses=["jsonb_path_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="department",
            index=django.contrib.postgres.indexes.GinIndex(fields=["lineage"], name="departments_dept_lineage"),
        ),
        migrations.AddConstraint(
            model_name="department",
            constraint=models.UniqueConstraint(
                fields=("code",),
                name="departments_department_unique_code",
                violation_error_code="code_taken",
                violation_error_message="Another department has this code.",
            ),
        ),
        migrations.AddConstraint(
            model_name="department",
            constraint=models.CheckConstraint(
                condition=models.Q(("parent", models.F("id")), _negated=True),
                name="departments_department_not_own_parent",
                violation_error_code="department_cycle",
                violation_error_message="A department cannot lie below itself.",
            ),
        ),
        migrations.AddConstraint(
            model_name="department",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["institution", "college", "school", "department", "office"])),
                name="departments_department_kind_known",
                violation_error_code="invalid_choice",
                violation_error_message="The kind is not one of the known ones.",
            ),
        ),
        migrations.AddConstraint(
            model_name="appointment",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("role", "head")),
                expressions=[("department", "="), ("valid", "&&")],
                name="departments_appointment_one_head",
                violation_error_code="overlapping_appointment",
                violation_error_message="The department already has a head during that time.",
            ),
        ),
        migrations.AddConstraint(
            model_name="appointment",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[("department", "="), ("person", "="), ("role", "="), ("valid", "&&")],
                name="departments_appointment_no_overlap",
                violation_error_code="overlapping_appointment",
                violation_error_message="The person already holds this office during that time.",
            ),
        ),
        migrations.AddConstraint(
            model_name="appointment",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["head", "deputy", "coordinator"])),
                name="departments_appointment_role_known",
                violation_error_code="invalid_choice",
                violation_error_message="The role is not one of the known ones.",
            ),
        ),
        migrations.AddIndex(
            model_name="program",
            index=core.db.indexes.NamedGinIndex(
                core.search.Document(models.F("search_text")), name="departments_program_words"
            ),
        ),
        migrations.AddIndex(
            model_name="program",
            index=core.db.indexes.NamedGinIndex(
                fields=["search_text"], name="departments_program_trigrams", opclasses=["gin_trgm_ops"]
            ),
        ),
        migrations.AddConstraint(
            model_name="program",
            constraint=models.UniqueConstraint(
                fields=("code",),
                name="departments_program_unique_code",
                violation_error_code="code_taken",
                violation_error_message="Another program has this code.",
            ),
        ),
        migrations.AddConstraint(
            model_name="program",
            constraint=models.CheckConstraint(
                condition=models.Q(("total_credits__gte", 0)),
                name="departments_program_credits_not_negative",
                violation_error_code="negative_credits",
                violation_error_message="Credits are not negative.",
            ),
        ),
        migrations.AddConstraint(
            model_name="program",
            constraint=models.CheckConstraint(
                condition=models.Q(("level__in", ["certificate", "associate", "bachelor", "master", "doctorate"])),
                name="departments_program_level_known",
                violation_error_code="invalid_choice",
                violation_error_message="The level is not one of the known ones.",
            ),
        ),
        migrations.AddIndex(
            model_name="room",
            index=core.db.indexes.NamedGinIndex(
                core.search.Document(models.F("search_text")), name="departments_room_words"
            ),
        ),
        migrations.AddIndex(
            model_name="room",
            index=core.db.indexes.NamedGinIndex(
                fields=["search_text"], name="departments_room_trigrams", opclasses=["gin_trgm_ops"]
            ),
        ),
        migrations.AddConstraint(
            model_name="room",
            constraint=models.UniqueConstraint(
                fields=("building", "code"),
                name="departments_room_unique_code",
                violation_error_code="code_taken",
                violation_error_message="Another room in this building has this code.",
            ),
        ),
        migrations.AddConstraint(
            model_name="room",
            constraint=models.CheckConstraint(
                condition=models.Q(("exam_capacity__lte", models.F("capacity"))),
                name="departments_room_exam_capacity_fits",
                violation_error_code="exam_capacity_exceeds_capacity",
                violation_error_message="A room seats no more in an examination than in teaching.",
            ),
        ),
        migrations.AddConstraint(
            model_name="room",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["lecture", "seminar", "laboratory", "computer", "office", "other"])),
                name="departments_room_kind_known",
                violation_error_code="invalid_choice",
                violation_error_message="The kind is not one of the known ones.",
            ),
        ),
        migrations.AddIndex(
            model_name="term",
            index=models.Index(fields=["starts_on", "id"], name="departments_term_starts_on"),
        ),
        migrations.AddIndex(
            model_name="term",
            index=models.Index(fields=["state"], name="departments_term_state"),
        ),
        migrations.AddConstraint(
            model_name="term",
            constraint=models.UniqueConstraint(
                fields=("code",),
                name="departments_term_unique_code",
                violation_error_code="code_taken",
                violation_error_message="Another term has this code.",
            ),
        ),
        migrations.AddConstraint(
            model_name="term",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_on__gt", models.F("starts_on"))),
                name="departments_term_has_length",
                violation_error_code="ends_before_start",
                violation_error_message="A term ends after it begins.",
            ),
        ),
        migrations.AddConstraint(
            model_name="term",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["planned", "registration", "in_progress", "grading", "closed", "archived"])
                ),
                name="departments_term_state_known",
                violation_error_code="invalid_choice",
                violation_error_message="The state is not one of the known ones.",
            ),
        ),
    ]
