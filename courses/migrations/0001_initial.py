import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.db.indexes
import core.db.json
import core.ids
import core.search
import courses.models.timetable


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("departments", "0002_department_tree"),
        ("faculty", "0002_numbers_and_histories"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Course",
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
                ("code", models.CharField(help_text="Unique, such as CS101.", max_length=64)),
                (
                    "level",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("preparatory", "Preparatory"),
                            ("lower_undergraduate", "Lower undergraduate"),
                            ("upper_undergraduate", "Upper undergraduate"),
                            ("graduate", "Graduate"),
                            ("doctoral", "Doctoral"),
                            ("professional", "Professional"),
                        ],
                        help_text="Empty when nobody says.",
                        max_length=20,
                    ),
                ),
                ("is_active", models.BooleanField(default=True, help_text="An inactive course is no longer offered.")),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=core.search.Words(
                            django.db.models.functions.comparison.Coalesce(models.F("code"), models.Value(""))
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="courses",
                        to="departments.department",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CourseVersion",
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
                ("version_no", models.PositiveSmallIntegerField()),
                ("title", models.CharField(max_length=255)),
                ("description", models.TextField(blank=True, max_length=20000)),
                ("credits", models.DecimalField(decimal_places=2, max_digits=5)),
                (
                    "credits_max",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="Only of a course with variable credit.",
                        max_digits=5,
                        null=True,
                    ),
                ),
                (
                    "is_repeatable",
                    models.BooleanField(
                        default=False,
                        help_text="A student may take it more than once in one term, such as with varying topics.",
                    ),
                ),
                (
                    "valid",
                    django.contrib.postgres.fields.ranges.DateRangeField(
                        help_text="First day (inclusive) until last day (exclusive); an open end lasts."
                    ),
                ),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=core.search.Words(
                            django.db.models.functions.comparison.Coalesce(models.F("title"), models.Value(""))
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "course",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="courses.course",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="course",
            name="current_version",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="courses.courseversion"
            ),
        ),
        migrations.CreateModel(
            name="Meeting",
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
                    "weekday",
                    models.PositiveSmallIntegerField(
                        help_text="ISO 8601: 1 is Monday, 7 is Sunday.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(7),
                        ],
                    ),
                ),
                ("starts_at", models.TimeField(validators=[courses.models.timetable.validate_whole_minute])),
                ("ends_at", models.TimeField(validators=[courses.models.timetable.validate_whole_minute])),
                (
                    "dates",
                    django.contrib.postgres.fields.ranges.DateRangeField(
                        help_text="First day (inclusive) until last day (exclusive)."
                    ),
                ),
                (
                    "conflict_waived",
                    models.BooleanField(
                        default=False, help_text="Knowingly in the room together with another meeting."
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=200)),
                (
                    "minutes",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(
                            django.db.models.functions.comparison.Least(
                                courses.models.timetable.Minute(models.F("starts_at")),
                                courses.models.timetable.Minute(models.F("ends_at")),
                            ),
                            django.db.models.functions.comparison.Greatest(
                                courses.models.timetable.Minute(models.F("starts_at")),
                                courses.models.timetable.Minute(models.F("ends_at")),
                            ),
                            function="int4range",
                            output_field=django.contrib.postgres.fields.ranges.IntegerRangeField(),
                        ),
                        output_field=django.contrib.postgres.fields.ranges.IntegerRangeField(),
                    ),
                ),
                (
                    "room",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="meetings",
                        to="departments.room",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Requisite",
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
                            ("pre", "Prerequisite"),
                            ("co", "Corequisite"),
                            ("anti", "Antirequisite"),
                            ("equivalent", "Equivalent"),
                        ],
                        max_length=10,
                    ),
                ),
                ("expr", models.JSONField()),
                (
                    "course_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="requisites",
                        to="courses.courseversion",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RequisiteCourse",
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
                    "course",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="named_by", to="courses.course"
                    ),
                ),
                (
                    "requisite",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="named_courses",
                        to="courses.requisite",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Section",
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
                ("code", models.CharField(help_text="Unique within the course and term, such as 01.", max_length=64)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("planned", "Planned"),
                            ("open", "Open"),
                            ("closed", "Closed"),
                            ("in_progress", "In progress"),
                            ("grading", "Grading"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="planned",
                        max_length=12,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("in_person", "In person"),
                            ("online", "Online"),
                            ("hybrid", "Hybrid"),
                            ("independent", "Independent study"),
                        ],
                        default="in_person",
                        max_length=12,
                    ),
                ),
                (
                    "capacity",
                    models.PositiveIntegerField(validators=[django.core.validators.MaxValueValidator(100000)]),
                ),
                (
                    "override_seats",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="Seats beyond the capacity that somebody has granted, or that history shows were taken.",
                        validators=[django.core.validators.MaxValueValidator(100000)],
                    ),
                ),
                (
                    "waitlist_capacity",
                    models.PositiveIntegerField(
                        default=0, validators=[django.core.validators.MaxValueValidator(100000)]
                    ),
                ),
                ("enrolled_count", models.IntegerField(db_default=0, default=0, editable=False)),
                ("held_count", models.IntegerField(db_default=0, default=0, editable=False)),
                ("waitlisted_count", models.IntegerField(db_default=0, default=0, editable=False)),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=core.search.Words(
                            django.db.models.functions.comparison.Coalesce(models.F("code"), models.Value(""))
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "campus",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sections",
                        to="departments.campus",
                    ),
                ),
                (
                    "course",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="sections", to="courses.course"
                    ),
                ),
                (
                    "course_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="sections", to="courses.courseversion"
                    ),
                ),
                (
                    "term",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sections",
                        to="departments.term",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="MeetingSection",
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
                    "meeting",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="meeting_sections",
                        to="courses.meeting",
                    ),
                ),
                (
                    "section",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="meeting_sections",
                        to="courses.section",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="meeting",
            name="sections",
            field=models.ManyToManyField(
                related_name="meetings", through="courses.MeetingSection", to="courses.section"
            ),
        ),
        migrations.CreateModel(
            name="SectionInstructor",
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
                        choices=[("primary", "Primary"), ("co", "Co-instructor"), ("ta", "Teaching assistant")],
                        default="primary",
                        max_length=8,
                    ),
                ),
                (
                    "share",
                    models.DecimalField(
                        decimal_places=2, help_text="Per cent of the load; all together 100.", max_digits=5
                    ),
                ),
                (
                    "faculty",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="taught_sections",
                        to="faculty.faculty",
                    ),
                ),
                (
                    "section",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="section_instructors",
                        to="courses.section",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SectionStatusEvent",
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
                            ("planned", "Planned"),
                            ("open", "Open"),
                            ("closed", "Closed"),
                            ("in_progress", "In progress"),
                            ("grading", "Grading"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "to_status",
                    models.CharField(
                        choices=[
                            ("planned", "Planned"),
                            ("open", "Open"),
                            ("closed", "Closed"),
                            ("in_progress", "In progress"),
                            ("grading", "Grading"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
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
                    "section",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="status_events", to="courses.section"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddIndex(
            model_name="courseversion",
            index=core.db.indexes.NamedGinIndex(
                core.search.Document(models.F("search_text")), name="courses_courseversion_words"
            ),
        ),
        migrations.AddIndex(
            model_name="courseversion",
            index=core.db.indexes.NamedGinIndex(
                fields=["search_text"], name="courses_courseversion_trigrams", opclasses=["gin_trgm_ops"]
            ),
        ),
        migrations.AddConstraint(
            model_name="courseversion",
            constraint=models.UniqueConstraint(
                fields=("course", "version_no"),
                name="courses_courseversion_unique_number",
                violation_error_code="edit_conflict",
                violation_error_message="Somebody else has begun a version of this course meanwhile.",
            ),
        ),
        migrations.AddConstraint(
            model_name="courseversion",
            constraint=models.UniqueConstraint(
                fields=("id", "course"),
                name="courses_courseversion_identity",
                violation_error_code="conflict",
                violation_error_message="A version is of one course.",
            ),
        ),
        migrations.AddConstraint(
            model_name="courseversion",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[("course", "="), ("valid", "&&")],
                name="courses_courseversion_no_overlap",
                violation_error_code="effective_overlap",
                violation_error_message="Another version of the course is in effect during that time.",
            ),
        ),
        migrations.AddConstraint(
            model_name="courseversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid__isempty", False)),
                name="courses_courseversion_has_days",
                violation_error_code="ends_before_start",
                violation_error_message="A version of a course is in effect for a day at least.",
            ),
        ),
        migrations.AddConstraint(
            model_name="courseversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("credits__gte", 0)),
                name="courses_courseversion_credits_not_negative",
                violation_error_code="negative_credits",
                violation_error_message="The credits of a course are not negative.",
            ),
        ),
        migrations.AddConstraint(
            model_name="courseversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("credits_max__isnull", True), ("credits_max__gte", models.F("credits")), _connector="OR"
                ),
                name="courses_courseversion_credits_ordered",
                violation_error_code="bounds_reversed",
                violation_error_message="The most credits of a course are not less than the least.",
            ),
        ),
        migrations.AddIndex(
            model_name="course",
            index=core.db.indexes.NamedGinIndex(
                core.search.Document(models.F("search_text")), name="courses_course_words"
            ),
        ),
        migrations.AddIndex(
            model_name="course",
            index=core.db.indexes.NamedGinIndex(
                fields=["search_text"], name="courses_course_trigrams", opclasses=["gin_trgm_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="course",
            index=core.db.indexes.NamedGinIndex(
                core.search.Document(core.search.Words(core.search.JsonValues(models.F("custom_data")))),
                name="courses_course_custom_words",
            ),
        ),
        migrations.AddIndex(
            model_name="course",
            index=core.db.indexes.NamedGinIndex(
                fields=["custom_data"], name="courses_course_custom_data", opclasses=["jsonb_path_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="course",
            index=models.Index(fields=["department", "code"], name="courses_course_by_department"),
        ),
        migrations.AddIndex(
            model_name="course",
            index=models.Index(fields=["level", "code"], name="courses_course_by_level"),
        ),
        migrations.AddIndex(
            model_name="course",
            index=models.Index(fields=["created_at", "id"], name="courses_course_latest"),
        ),
        migrations.AddConstraint(
            model_name="course",
            constraint=models.UniqueConstraint(
                fields=("code",),
                name="courses_course_unique_code",
                violation_error_code="code_taken",
                violation_error_message="Another course has this code.",
            ),
        ),
        migrations.AddConstraint(
            model_name="course",
            constraint=models.CheckConstraint(
                condition=models.Q(("code", ""), _negated=True),
                name="courses_course_has_code",
                violation_error_code="blank",
                violation_error_message="A course has a code.",
            ),
        ),
        migrations.AddConstraint(
            model_name="course",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "level__in",
                        [
                            "",
                            "preparatory",
                            "lower_undergraduate",
                            "upper_undergraduate",
                            "graduate",
                            "doctoral",
                            "professional",
                        ],
                    )
                ),
                name="courses_course_level_known",
                violation_error_code="invalid_choice",
                violation_error_message="The level of a course is not one of the known ones.",
            ),
        ),
        migrations.AddConstraint(
            model_name="requisite",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["pre", "co", "anti", "equivalent"])),
                name="courses_requisite_kind_known",
                violation_error_code="invalid_choice",
                violation_error_message="The kind of a requisite is not one of the known ones.",
            ),
        ),
        migrations.AddConstraint(
            model_name="requisitecourse",
            constraint=models.UniqueConstraint(
                fields=("requisite", "course"),
                name="courses_requisitecourse_once",
                violation_error_code="conflict",
                violation_error_message="A requisite refers to a course once.",
            ),
        ),
        migrations.AddIndex(
            model_name="section",
            index=core.db.indexes.NamedGinIndex(
                core.search.Document(models.F("search_text")), name="courses_section_words"
            ),
        ),
        migrations.AddIndex(
            model_name="section",
            index=core.db.indexes.NamedGinIndex(
                fields=["search_text"], name="courses_section_trigrams", opclasses=["gin_trgm_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="section",
            index=core.db.indexes.NamedGinIndex(
                core.search.Document(core.search.Words(core.search.JsonValues(models.F("custom_data")))),
                name="courses_section_custom_words",
            ),
        ),
        migrations.AddIndex(
            model_name="section",
            index=core.db.indexes.NamedGinIndex(
                fields=["custom_data"], name="courses_section_custom_data", opclasses=["jsonb_path_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="section",
            index=models.Index(fields=["term", "status"], name="courses_section_by_status"),
        ),
        migrations.AddIndex(
            model_name="section",
            index=models.Index(fields=["created_at", "id"], name="courses_section_latest"),
        ),
        migrations.AddIndex(
            model_name="section",
            index=models.Index(fields=["code", "id"], name="courses_section_by_code"),
        ),
        migrations.AddIndex(
            model_name="section",
            index=models.Index(fields=["capacity", "id"], name="courses_section_by_capacity"),
        ),
        migrations.AddConstraint(
            model_name="section",
            constraint=models.UniqueConstraint(
                fields=("term", "course", "code"),
                name="courses_section_unique_code",
                violation_error_code="code_taken",
                violation_error_message="Another section of this course has this code in this term.",
            ),
        ),
        migrations.AddConstraint(
            model_name="section",
            constraint=models.UniqueConstraint(
                fields=("id", "course", "term"),
                name="courses_section_identity",
                violation_error_code="conflict",
                violation_error_message="A section has one course and one term.",
            ),
        ),
        migrations.AddConstraint(
            model_name="section",
            constraint=models.CheckConstraint(
                condition=models.Q(("code", ""), _negated=True),
                name="courses_section_has_code",
                violation_error_code="blank",
                violation_error_message="A section has a code.",
            ),
        ),
        migrations.AddConstraint(
            model_name="section",
            constraint=models.CheckConstraint(
                condition=models.Q(("enrolled_count__gte", 0), ("held_count__gte", 0), ("waitlisted_count__gte", 0)),
                name="courses_section_counts_not_negative",
                violation_error_code="negative_count",
                violation_error_message="A section has no fewer than zero students.",
            ),
        ),
        migrations.AddConstraint(
            model_name="section",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "enrolled_count__lte",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("capacity"), "+", models.F("override_seats")
                            ),
                            "-",
                            models.F("held_count"),
                        ),
                    )
                ),
                name="courses_section_seats",
                violation_error_code="section_full",
                violation_error_message="The section is full.",
            ),
        ),
        migrations.AddConstraint(
            model_name="section",
            constraint=models.CheckConstraint(
                condition=models.Q(("waitlisted_count__lte", models.F("waitlist_capacity"))),
                name="courses_section_waitlist_seats",
                violation_error_code="waitlist_full",
                violation_error_message="The waiting list is full.",
            ),
        ),
        migrations.AddConstraint(
            model_name="section",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["planned", "open", "closed", "in_progress", "grading", "completed", "cancelled"])
                ),
                name="courses_section_status_known",
                violation_error_code="invalid_choice",
                violation_error_message="The status of a section is not one of the known ones.",
            ),
        ),
        migrations.AddConstraint(
            model_name="section",
            constraint=models.CheckConstraint(
                condition=models.Q(("mode__in", ["in_person", "online", "hybrid", "independent"])),
                name="courses_section_mode_known",
                violation_error_code="invalid_choice",
                violation_error_message="The mode of a section is not one of the known ones.",
            ),
        ),
        migrations.AddConstraint(
            model_name="meetingsection",
            constraint=models.UniqueConstraint(
                fields=("meeting", "section"),
                name="courses_meetingsection_once",
                violation_error_code="conflict",
                violation_error_message="The meeting serves this section already.",
            ),
        ),
        migrations.AddIndex(
            model_name="meeting",
            index=models.Index(fields=["weekday", "starts_at", "id"], name="courses_meeting_by_time"),
        ),
        migrations.AddIndex(
            model_name="meeting",
            index=models.Index(fields=["starts_at", "id"], name="courses_meeting_by_start"),
        ),
        migrations.AddIndex(
            model_name="meeting",
            index=models.Index(fields=["created_at", "id"], name="courses_meeting_latest"),
        ),
        migrations.AddConstraint(
            model_name="meeting",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("conflict_waived", False), ("room__isnull", False)),
                expressions=[("room", "="), ("weekday", "="), ("minutes", "&&"), ("dates", "&&")],
                name="courses_meeting_room_free",
                violation_error_code="room_conflict",
                violation_error_message="Another meeting takes place in the room at that time.",
            ),
        ),
        migrations.AddConstraint(
            model_name="meeting",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                name="courses_meeting_has_length",
                violation_error_code="ends_before_start",
                violation_error_message="A meeting ends after it starts, on the same day.",
            ),
        ),
        migrations.AddConstraint(
            model_name="meeting",
            constraint=models.CheckConstraint(
                condition=models.Q(("weekday__gte", 1), ("weekday__lte", 7)),
                name="courses_meeting_weekday_known",
                violation_error_code="invalid_weekday",
                violation_error_message="A weekday is a number from 1, Monday, to 7, Sunday.",
            ),
        ),
        migrations.AddConstraint(
            model_name="meeting",
            constraint=models.CheckConstraint(
                condition=models.Q(("dates__isempty", False), ("dates__lower_inf", False), ("dates__upper_inf", False)),
                name="courses_meeting_has_dates",
                violation_error_code="ends_before_start",
                violation_error_message="A meeting has a first and a last day, in this order.",
            ),
        ),
        migrations.AddConstraint(
            model_name="sectioninstructor",
            constraint=models.UniqueConstraint(
                fields=("section", "faculty"),
                name="courses_sectioninstructor_once",
                violation_error_code="duplicate_instructor",
                violation_error_message="The section has this instructor already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="sectioninstructor",
            constraint=models.UniqueConstraint(
                condition=models.Q(("role", "primary")),
                fields=("section",),
                name="courses_sectioninstructor_one_primary",
                violation_error_code="second_primary_instructor",
                violation_error_message="A section has one primary instructor.",
            ),
        ),
        migrations.AddConstraint(
            model_name="sectioninstructor",
            constraint=models.CheckConstraint(
                condition=models.Q(("share__gte", 0), ("share__lte", 100)),
                name="courses_sectioninstructor_share_in_range",
                violation_error_code="shares_not_100",
                violation_error_message="A share of a section is between 0 and 100 per cent.",
            ),
        ),
        migrations.AddConstraint(
            model_name="sectioninstructor",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["primary", "co", "ta"])),
                name="courses_sectioninstructor_role_known",
                violation_error_code="invalid_choice",
                violation_error_message="The role of an instructor is not one of the known ones.",
            ),
        ),
    ]
