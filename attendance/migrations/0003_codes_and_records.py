"""What students are marked with, and who was: by month of the session."""

from decimal import Decimal

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids
from core.partitions.operations import KeepMonthly

USUAL = """
INSERT INTO attendance_attendancecode (id, code, label, weight, is_exempt, is_active, "order")
SELECT gen_random_uuid(), code, label, weight, is_exempt, true, place
FROM (VALUES
    ('present', 'Present', 1, false, 1),
    ('absent', 'Absent', 0, false, 2),
    ('late', 'Late', 1, false, 3),
    ('excused', 'Excused', 0, true, 4),
    ('on_duty', 'On duty', 1, false, 5)
) AS usual (code, label, weight, is_exempt, place)
"""
TABLE = [
    """CREATE TABLE attendance_attendancerecord (
    id uuid NOT NULL,
    created_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    session_id uuid NOT NULL,
    section_id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    code_id uuid NOT NULL REFERENCES attendance_attendancecode (id),
    marked_by_id uuid REFERENCES accounts_user (id),
    client_id uuid,
    marked_at timestamptz NOT NULL,
    local_date date NOT NULL,
    minutes_late smallint,
    source varchar(8) NOT NULL,
    PRIMARY KEY (id, local_date),
    CONSTRAINT attendance_attendancerecord_once UNIQUE (session_id, enrollment_id, local_date),
    CONSTRAINT attendance_attendancerecord_session_matches FOREIGN KEY (session_id, section_id, local_date)
        REFERENCES attendance_classsession (id, section_id, local_date),
    CONSTRAINT attendance_attendancerecord_enrollment_matches FOREIGN KEY (enrollment_id, section_id)
        REFERENCES enrollment_enrollment (id, section_id),
    CONSTRAINT attendance_attendancerecord_source_known
        CHECK (source IN ('import', 'reader', 'qr', 'manual', 'excuse')),
    CONSTRAINT attendance_attendancerecord_late_within_a_day CHECK (minutes_late BETWEEN 0 AND 1440)
) PARTITION BY RANGE (local_date)""",
    (
        "CREATE INDEX attendance_record_of_student ON attendance_attendancerecord (enrollment_id, local_date) "
        "INCLUDE (session_id, code_id)"
    ),
    "CREATE INDEX attendance_record_by_code ON attendance_attendancerecord (code_id)",
]


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("attendance", "0002_mark_sessions"),
        ("core", "0007_partition_by_month"),
        ("courses", "0002_shares_and_histories"),
        ("enrollment", "0005_identify_enrolments_by_section"),
    ]

    operations = [
        migrations.CreateModel(
            name="Roster",
            fields=[],
            options={"proxy": True, "indexes": [], "constraints": []},
            bases=("attendance.classsession",),
        ),
        migrations.CreateModel(
            name="AttendanceCode",
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
                    "code",
                    models.CharField(
                        help_text="What is sent and shown, such as present.",
                        max_length=32,
                        validators=[
                            django.core.validators.RegexValidator(
                                r"\A[a-z0-9_]+\Z", "Small letters, digits and underscores."
                            )
                        ],
                    ),
                ),
                ("label", models.CharField(max_length=80)),
                (
                    "weight",
                    models.DecimalField(
                        decimal_places=3,
                        help_text="How much of a class it counts, from 0 to 1.",
                        max_digits=4,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal(0)),
                            django.core.validators.MaxValueValidator(Decimal(1)),
                        ],
                    ),
                ),
                (
                    "is_exempt",
                    models.BooleanField(default=False, help_text="The class does not count for whoever is marked so."),
                ),
                ("is_active", models.BooleanField(default=True, help_text="Whether anybody can be marked so.")),
                ("order", models.PositiveSmallIntegerField(default=0, help_text="Where it stands among the others.")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("code",),
                        name="attendance_attendancecode_unique_code",
                        violation_error_code="code_taken",
                        violation_error_message="There is an attendance code of this name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("code__regex", "^[a-z0-9_]+$")),
                        name="attendance_attendancecode_is_a_word",
                        violation_error_code="invalid",
                        violation_error_message="A code is made of small letters, digits and underscores.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("weight__gte", 0), ("weight__lte", 1)),
                        name="attendance_attendancecode_weight_in_range",
                        violation_error_code="weight_out_of_range",
                        violation_error_message="A code counts between nothing and a whole class.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("is_exempt", False), ("weight", 0), _connector="OR"),
                        name="attendance_attendancecode_exempt_counts_nothing",
                        violation_error_code="exempt_with_weight",
                        violation_error_message="What is exempt has no weight.",
                    ),
                ],
            },
        ),
        migrations.RunSQL(USUAL, migrations.RunSQL.noop),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLE, "DROP TABLE attendance_attendancerecord")],
            state_operations=[
                migrations.CreateModel(
                    name="AttendanceRecord",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        (
                            "created_at",
                            models.DateTimeField(
                                auto_now_add=True, db_default=django.db.models.functions.datetime.Now()
                            ),
                        ),
                        (
                            "updated_at",
                            models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
                        ),
                        ("local_date", models.DateField()),
                        ("minutes_late", models.PositiveSmallIntegerField(blank=True, null=True)),
                        (
                            "source",
                            models.CharField(
                                choices=[
                                    ("import", "Import"),
                                    ("reader", "Reader"),
                                    ("qr", "QR code"),
                                    ("manual", "Manual"),
                                    ("excuse", "Excuse"),
                                ],
                                default="manual",
                                max_length=8,
                            ),
                        ),
                        ("marked_at", models.DateTimeField()),
                        (
                            "client_id",
                            models.UUIDField(
                                blank=True, help_text="How the client that sent it calls what it sent.", null=True
                            ),
                        ),
                        (
                            "code",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="records",
                                to="attendance.attendancecode",
                            ),
                        ),
                        (
                            "enrollment",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="attendance_records",
                                to="enrollment.enrollment",
                            ),
                        ),
                        (
                            "marked_by",
                            models.ForeignKey(
                                db_index=False,
                                help_text="Empty where no person did.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "section",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="courses.section",
                            ),
                        ),
                        (
                            "session",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="records",
                                to="attendance.classsession",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("session", "enrollment", "local_date"),
                                name="attendance_attendancerecord_once",
                                violation_error_code="duplicate_record",
                                violation_error_message="The student is marked in this session already.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("source__in", ["import", "reader", "qr", "manual", "excuse"])),
                                name="attendance_attendancerecord_source_known",
                                violation_error_code="invalid_choice",
                                violation_error_message="The source is not one of the known ones.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("minutes_late__isnull", True),
                                    models.Q(("minutes_late__gte", 0), ("minutes_late__lte", 1440)),
                                    _connector="OR",
                                ),
                                name="attendance_attendancerecord_late_within_a_day",
                                violation_error_code="late_out_of_range",
                                violation_error_message="Nobody is late by more than a day.",
                            ),
                        ],
                        "indexes": [
                            models.Index(
                                fields=["enrollment", "local_date"],
                                include=("session", "code"),
                                name="attendance_record_of_student",
                            ),
                            models.Index(fields=["code"], name="attendance_record_by_code"),
                        ],
                    },
                ),
            ],
        ),
        KeepMonthly("attendance_attendancerecord"),
    ]
