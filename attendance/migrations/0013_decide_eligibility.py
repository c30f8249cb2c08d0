"""What was decided about admission by attendance, and that it stays as it was decided."""

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.db.models.functions.math
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models

import core.ids

# A later decision supersedes it, once; erasure empties what might say who it was.
FINAL = """
CREATE FUNCTION attendance_keep_decisions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.superseded_at IS NULL
            AND to_jsonb(NEW) - '{superseded_at,updated_at}'::text[]
                = to_jsonb(OLD) - '{superseded_at,updated_at}'::text[] THEN
            RETURN NULL;
        END IF;
        IF current_setting('campushub360.erasing', true) = 'on'
            AND to_jsonb(NEW) - '{reason,note,updated_at}'::text[]
                = to_jsonb(OLD) - '{reason,note,updated_at}'::text[] THEN
            RETURN NULL;
        END IF;
    END IF;
    RAISE EXCEPTION 'a decision would be changed or lost'
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'attendance_eligibilitydecision_final';
END $$;
CREATE TRIGGER attendance_eligibilitydecision_final AFTER UPDATE OR DELETE ON attendance_eligibilitydecision
    FOR EACH ROW EXECUTE FUNCTION attendance_keep_decisions();
"""
UNDO = """
DROP TRIGGER attendance_eligibilitydecision_final ON attendance_eligibilitydecision;
DROP FUNCTION attendance_keep_decisions();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("attendance", "0012_readers_and_punches"),
        ("courses", "0002_shares_and_histories"),
        ("departments", "0004_room_reservations"),
        ("enrollment", "0005_identify_enrolments_by_section"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="EligibilityDecision",
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
                    "outcome",
                    models.CharField(
                        choices=[
                            ("eligible", "Eligible"),
                            ("short", "Short, may be condoned"),
                            ("condoned", "Condoned"),
                            ("not_eligible", "Not eligible"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "attended",
                    models.DecimalField(decimal_places=3, help_text="The sum of what the marks count.", max_digits=9),
                ),
                (
                    "counted",
                    models.PositiveIntegerField(
                        help_text="The classes that they are divided by: marked, and not exempt."
                    ),
                ),
                ("exempt", models.PositiveIntegerField()),
                (
                    "unmarked",
                    models.PositiveIntegerField(
                        help_text="Classes that were held and in which nobody marked the student."
                    ),
                ),
                (
                    "percent",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.functions.math.Round(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    models.Value(100), "*", models.F("attended")
                                ),
                                "/",
                                django.db.models.functions.comparison.NullIf(models.F("counted"), models.Value(0)),
                            ),
                            precision=2,
                        ),
                        output_field=models.DecimalField(decimal_places=2, max_digits=6, null=True),
                    ),
                ),
                (
                    "policy_version",
                    models.PositiveIntegerField(help_text="0 where no policy is, and what is usual was asked for."),
                ),
                (
                    "basis",
                    models.CharField(
                        choices=[("per_course", "Each course"), ("aggregate", "All courses of a term together")],
                        max_length=10,
                    ),
                ),
                (
                    "rounding",
                    models.CharField(
                        choices=[
                            ("exact", "Not at all"),
                            ("hundredth", "To two places"),
                            ("whole", "To a whole per cent"),
                        ],
                        max_length=9,
                    ),
                ),
                ("threshold", models.DecimalField(decimal_places=2, max_digits=5)),
                ("condonation_floor", models.DecimalField(decimal_places=2, max_digits=5)),
                ("bar", models.DecimalField(decimal_places=3, max_digits=6)),
                ("floor_bar", models.DecimalField(decimal_places=3, max_digits=6)),
                (
                    "condoned_from",
                    models.DecimalField(
                        blank=True,
                        decimal_places=3,
                        help_text="The floor of that decision: below it, it holds no more.",
                        max_digits=6,
                        null=True,
                    ),
                ),
                (
                    "reason",
                    models.TextField(
                        blank=True, help_text="Why it was condoned, or that was withdrawn.", max_length=2000
                    ),
                ),
                (
                    "note",
                    models.TextField(blank=True, help_text="What that rests on, such as a document.", max_length=2000),
                ),
                ("decided_at", models.DateTimeField()),
                (
                    "superseded_at",
                    models.DateTimeField(blank=True, help_text="Null of the one that is current.", null=True),
                ),
                (
                    "condonation",
                    models.ForeignKey(
                        db_index=False,
                        help_text="The decision by which the shortage was condoned, as long as that holds.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="attendance.eligibilitydecision",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "enrollment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="eligibility_decisions",
                        to="enrollment.enrollment",
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="attendance.attendancepolicy",
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
                    "term",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="departments.term",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["section", "decided_at", "id"], name="attendance_decided_in_section"),
                    models.Index(fields=["term", "decided_at", "id"], name="attendance_decided_in_term"),
                    models.Index(fields=["decided_at", "id"], name="attendance_decided"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("superseded_at__isnull", True)),
                        fields=("enrollment",),
                        name="attendance_eligibilitydecision_one_current",
                        violation_error_code="decision_superseded",
                        violation_error_message="Somebody else has decided about this enrolment meanwhile.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("outcome", "eligible"),
                                django.db.models.lookups.GreaterThanOrEqual(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("attended"), "*", models.Value(100)
                                    ),
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("bar"), "*", models.F("counted")
                                    ),
                                ),
                            ),
                            models.Q(
                                ("outcome", "condoned"),
                                django.db.models.lookups.LessThan(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("attended"), "*", models.Value(100)
                                    ),
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("bar"), "*", models.F("counted")
                                    ),
                                ),
                                django.db.models.lookups.GreaterThanOrEqual(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("attended"), "*", models.Value(100)
                                    ),
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("condoned_from"), "*", models.F("counted")
                                    ),
                                ),
                            ),
                            models.Q(
                                ("outcome", "short"),
                                django.db.models.lookups.LessThan(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("attended"), "*", models.Value(100)
                                    ),
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("bar"), "*", models.F("counted")
                                    ),
                                ),
                                django.db.models.lookups.GreaterThanOrEqual(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("attended"), "*", models.Value(100)
                                    ),
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("floor_bar"), "*", models.F("counted")
                                    ),
                                ),
                            ),
                            models.Q(
                                ("outcome", "not_eligible"),
                                django.db.models.lookups.LessThan(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("attended"), "*", models.Value(100)
                                    ),
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("bar"), "*", models.F("counted")
                                    ),
                                ),
                                django.db.models.lookups.LessThan(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("attended"), "*", models.Value(100)
                                    ),
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("floor_bar"), "*", models.F("counted")
                                    ),
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="attendance_eligibilitydecision_follows",
                        violation_error_code="outcome_mismatch",
                        violation_error_message="The outcome is not what the numbers come to.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("condonation", None),
                                ("condoned_from", None),
                                models.Q(("outcome", "condoned"), _negated=True),
                            ),
                            models.Q(
                                ("condonation__isnull", False),
                                ("condoned_from__isnull", False),
                                ("outcome__in", ("eligible", "condoned")),
                            ),
                            _connector="OR",
                        ),
                        name="attendance_eligibilitydecision_condoned_by_one",
                        violation_error_code="condonation_mismatch",
                        violation_error_message="Whose shortage is condoned has a decision that condoned it.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("attended__gte", 0),
                            ("attended__lte", models.F("counted")),
                            ("basis__in", ["per_course", "aggregate"]),
                            ("rounding__in", ["exact", "hundredth", "whole"]),
                            ("floor_bar__lte", models.F("bar")),
                        ),
                        name="attendance_eligibilitydecision_adds_up",
                        violation_error_code="invalid",
                        violation_error_message="A decision says less than nothing, more than all, or no known rule.",
                    ),
                ],
            },
        ),
        migrations.RunSQL(FINAL, UNDO),
    ]
