"""Plan the final projects of a year: cycles, topics, who takes how many, and what students prefer."""

from decimal import Decimal

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import core.ids

CREATE = """
ALTER TABLE projects_topicpreference
    ADD CONSTRAINT projects_topicpreference_topic_of_cycle
        FOREIGN KEY (topic_id, cycle_id) REFERENCES projects_topic (id, cycle_id),
    ADD CONSTRAINT projects_topicpreference_application_of_cycle
        FOREIGN KEY (application_id, cycle_id) REFERENCES projects_projectapplication (id, cycle_id);
"""
DROP = """
ALTER TABLE projects_topicpreference
    DROP CONSTRAINT projects_topicpreference_application_of_cycle,
    DROP CONSTRAINT projects_topicpreference_topic_of_cycle;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("departments", "0006_find_waived_reservations"),
        ("faculty", "0005_reservations"),
        ("projects", "0002_note_metadata"),
        ("students", "0007_let_erasure_empty_reasons"),
    ]

    operations = [
        migrations.CreateModel(
            name="ProjectCycle",
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
                ("name", models.CharField(max_length=120)),
                ("topics_open_at", models.DateTimeField(help_text="From when topics are offered.")),
                (
                    "preferences_open_at",
                    models.DateTimeField(help_text="From when students say which topics they prefer."),
                ),
                (
                    "preferences_close_at",
                    models.DateTimeField(help_text="From when they do so no more, and topics are allocated."),
                ),
                ("defences_open_at", models.DateTimeField(help_text="From when projects are defended.")),
                ("ends_at", models.DateTimeField()),
                (
                    "min_group_size",
                    models.PositiveSmallIntegerField(
                        default=1, validators=[django.core.validators.MinValueValidator(1)]
                    ),
                ),
                (
                    "max_group_size",
                    models.PositiveSmallIntegerField(
                        default=2,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(20),
                        ],
                    ),
                ),
                (
                    "most_preferences",
                    models.PositiveSmallIntegerField(
                        default=5,
                        help_text="How many topics a student names at most.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(30),
                        ],
                    ),
                ),
                (
                    "pass_mark",
                    models.DecimalField(
                        decimal_places=2,
                        default=Decimal(70),
                        help_text="Per cent from which a project has passed.",
                        max_digits=5,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal(0)),
                            django.core.validators.MaxValueValidator(Decimal(100)),
                        ],
                    ),
                ),
                (
                    "conditional_pass_mark",
                    models.DecimalField(
                        decimal_places=2,
                        default=Decimal(60),
                        help_text="Per cent from which a project passes once it is revised.",
                        max_digits=5,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal(0)),
                            django.core.validators.MaxValueValidator(Decimal(100)),
                        ],
                    ),
                ),
                (
                    "academic_year",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="project_cycles",
                        to="departments.academicyear",
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="project_cycles",
                        to="departments.program",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ProjectApplication",
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
                    "student",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="project_applications",
                        to="students.student",
                    ),
                ),
                (
                    "cycle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="applications",
                        to="projects.projectcycle",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SupervisorCapacity",
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
                            ("supervisor", "Supervisor"),
                            ("main", "Main examiner"),
                            ("second", "Second examiner"),
                            ("third", "Third examiner"),
                        ],
                        default="supervisor",
                        max_length=10,
                    ),
                ),
                (
                    "max_count",
                    models.PositiveSmallIntegerField(validators=[django.core.validators.MaxValueValidator(500)]),
                ),
                ("used_count", models.PositiveSmallIntegerField(db_default=0, default=0, editable=False)),
                (
                    "cycle",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="capacities",
                        to="projects.projectcycle",
                    ),
                ),
                (
                    "faculty",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="project_capacities",
                        to="faculty.faculty",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "supervisor capacities",
            },
        ),
        migrations.CreateModel(
            name="Topic",
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
                ("title_local", models.CharField(help_text="In the language of instruction.", max_length=255)),
                ("title_en", models.CharField(blank=True, help_text="In English.", max_length=255)),
                ("description", models.TextField(blank=True, max_length=5000)),
                (
                    "places",
                    models.PositiveSmallIntegerField(
                        default=1,
                        help_text="For so many students.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(500),
                        ],
                    ),
                ),
                ("is_offered", models.BooleanField(default=True, help_text="Whether students may still prefer it.")),
                (
                    "cycle",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="topics",
                        to="projects.projectcycle",
                    ),
                ),
                (
                    "supervisor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="project_topics", to="faculty.faculty"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TopicPreference",
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
                    "rank",
                    models.PositiveSmallIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(30),
                        ]
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="preferences",
                        to="projects.projectapplication",
                    ),
                ),
                (
                    "cycle",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="projects.projectcycle",
                    ),
                ),
                (
                    "topic",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="preferences",
                        to="projects.topic",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="projectcycle",
            constraint=models.UniqueConstraint(
                fields=("program", "academic_year"),
                name="projects_projectcycle_once_a_year",
                violation_error_code="cycle_taken",
                violation_error_message="The program has a cycle of that year.",
            ),
        ),
        migrations.AddConstraint(
            model_name="projectcycle",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True),
                name="projects_projectcycle_named",
                violation_error_code="blank",
                violation_error_message="A cycle has a name.",
            ),
        ),
        migrations.AddConstraint(
            model_name="projectcycle",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("defences_open_at__lt", models.F("ends_at")),
                    ("preferences_close_at__lte", models.F("defences_open_at")),
                    ("preferences_open_at__lt", models.F("preferences_close_at")),
                    ("topics_open_at__lte", models.F("preferences_open_at")),
                ),
                name="projects_projectcycle_phases_in_turn",
                violation_error_code="phases_out_of_turn",
                violation_error_message="Topics open, then preferences, which close; then defences, then it is over.",
            ),
        ),
        migrations.AddConstraint(
            model_name="projectcycle",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("max_group_size__lte", 20),
                    ("min_group_size__gte", 1),
                    ("min_group_size__lte", models.F("max_group_size")),
                ),
                name="projects_projectcycle_group_sizes",
                violation_error_code="group_size_out_of_range",
                violation_error_message="A group has at least 1 member, at most 20, and not fewer at most.",
            ),
        ),
        migrations.AddConstraint(
            model_name="projectcycle",
            constraint=models.CheckConstraint(
                condition=models.Q(("most_preferences__gte", 1), ("most_preferences__lte", 30)),
                name="projects_projectcycle_preferences_in_range",
                violation_error_code="preferences_out_of_range",
                violation_error_message="Students name between 1 and 30 topics.",
            ),
        ),
        migrations.AddConstraint(
            model_name="projectcycle",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("conditional_pass_mark__gte", 0),
                    ("conditional_pass_mark__lte", models.F("pass_mark")),
                    ("pass_mark__lte", 100),
                ),
                name="projects_projectcycle_marks_in_order",
                violation_error_code="pass_marks_out_of_order",
                violation_error_message="A project passes from a mark up to 100, and on condition from no higher one.",
            ),
        ),
        migrations.AddConstraint(
            model_name="projectapplication",
            constraint=models.UniqueConstraint(
                fields=("student", "cycle"),
                name="projects_projectapplication_once",
                violation_error_code="already_applied",
                violation_error_message="The student has said already which topics they prefer.",
            ),
        ),
        migrations.AddConstraint(
            model_name="projectapplication",
            constraint=models.UniqueConstraint(
                fields=("id", "cycle"),
                name="projects_projectapplication_identity",
                violation_error_code="conflict",
                violation_error_message="An application is for one cycle.",
            ),
        ),
        migrations.AddConstraint(
            model_name="supervisorcapacity",
            constraint=models.UniqueConstraint(
                fields=("cycle", "faculty", "role"),
                name="projects_supervisorcapacity_once",
                violation_error_code="capacity_taken",
                violation_error_message="It is said already how many they take in this cycle in that role.",
            ),
        ),
        migrations.AddConstraint(
            model_name="supervisorcapacity",
            constraint=models.CheckConstraint(
                condition=models.Q(("used_count__gte", 0), ("used_count__lte", models.F("max_count"))),
                name="projects_supervisorcapacity_not_exceeded",
                violation_error_code="quota_exceeded",
                violation_error_message="The member of faculty takes no more in this cycle.",
            ),
        ),
        migrations.AddConstraint(
            model_name="supervisorcapacity",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["supervisor", "main", "second", "third"])),
                name="projects_supervisorcapacity_role_known",
                violation_error_code="invalid_choice",
                violation_error_message="The role is not one of the known ones.",
            ),
        ),
        migrations.AddIndex(
            model_name="topic",
            index=models.Index(fields=["cycle", "created_at", "id"], name="projects_topic_by_cycle"),
        ),
        migrations.AddIndex(
            model_name="topic",
            index=models.Index(fields=["created_at", "id"], name="projects_topic_by_creation"),
        ),
        migrations.AddConstraint(
            model_name="topic",
            constraint=models.UniqueConstraint(
                fields=("id", "cycle"),
                name="projects_topic_identity",
                violation_error_code="conflict",
                violation_error_message="A topic is offered in one cycle.",
            ),
        ),
        migrations.AddConstraint(
            model_name="topic",
            constraint=models.CheckConstraint(
                condition=models.Q(("title_local", ""), _negated=True),
                name="projects_topic_titled",
                violation_error_code="blank",
                violation_error_message="A topic has a title.",
            ),
        ),
        migrations.AddConstraint(
            model_name="topic",
            constraint=models.CheckConstraint(
                condition=models.Q(("places__gte", 1), ("places__lte", 500)),
                name="projects_topic_places_in_range",
                violation_error_code="places_out_of_range",
                violation_error_message="A topic is for between 1 and 500 students.",
            ),
        ),
        migrations.AddConstraint(
            model_name="topicpreference",
            constraint=models.UniqueConstraint(
                fields=("application", "rank"),
                name="projects_topicpreference_rank_once",
                violation_error_code="rank_taken",
                violation_error_message="Two topics have the same rank.",
            ),
        ),
        migrations.AddConstraint(
            model_name="topicpreference",
            constraint=models.UniqueConstraint(
                fields=("application", "topic"),
                name="projects_topicpreference_topic_once",
                violation_error_code="topic_repeated",
                violation_error_message="A topic is named twice.",
            ),
        ),
        migrations.AddConstraint(
            model_name="topicpreference",
            constraint=models.CheckConstraint(
                condition=models.Q(("rank__gte", 1), ("rank__lte", 30)),
                name="projects_topicpreference_rank_in_range",
                violation_error_code="rank_out_of_range",
                violation_error_message="Ranks are counted from 1 to 30.",
            ),
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
