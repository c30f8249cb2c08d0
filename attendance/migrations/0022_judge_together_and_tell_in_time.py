"""Whoever is judged by several courses is judged anew in all of them, and nobody is told of the first classes alone."""

from importlib import import_module

import django.core.validators
from django.db import migrations, models

summaries = import_module("attendance.migrations.0009_summaries")
judging = import_module("attendance.migrations.0017_hold_and_judge_at_once")

# What holds where no policy is; the same stands in `attendance.models.policies`.
USUAL = """
CREATE FUNCTION attendance_usual_alert_after() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 4'
"""
# The enrolments and, where a policy takes courses together, the others of the same students that are judged so: all of
# them are held before any is read. Of two first marks at once, which nobody has judged before, the night is the judge.
ALONG = """
CREATE FUNCTION attendance_judged_along(ids uuid[]) RETURNS uuid[] LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM attendance_attendancepolicy WHERE basis = 'aggregate') THEN
        RETURN ids;
    END IF;
    RETURN ARRAY(
        SELECT unnest(ids) AS id
        UNION
        SELECT other.id
        FROM enrollment_enrollment e
        JOIN enrollment_enrollment other ON other.student_id = e.student_id AND other.term_id = e.term_id
            AND other.status IN ('enrolled', 'completed')
        JOIN attendance_attendancesummary m ON m.enrollment_id = other.id
        JOIN attendance_attendancepolicy p ON p.id = m.policy_id AND p.basis = 'aggregate'
        WHERE e.id = ANY (ids)
        ORDER BY id
    );
END $$
"""
JUDGE = """
CREATE OR REPLACE FUNCTION attendance_judge(ids uuid[]) RETURNS void LANGUAGE sql AS $$
    WITH asked AS MATERIALIZED (
        SELECT m.enrollment_id, m.is_alerted, m.counted, m.attended, m.late, m.late_attended, m.policy_id,
            e.student_id, e.term_id, e.section_id, e.status, program.program_id,
            m.percent IS NOT NULL AND t.ends_on < current_date AS is_settled, t.ends_on >= current_date AS lasts
        FROM attendance_attendancesummary m
        JOIN enrollment_enrollment e ON e.id = m.enrollment_id
        JOIN departments_term t ON t.id = e.term_id
        LEFT JOIN students_programenrollment program ON program.student_id = e.student_id AND program.is_primary
        WHERE m.enrollment_id = ANY (ids)
    ), policies AS MATERIALIZED (
        SELECT section_id, program_id, attendance_policy_of(section_id, program_id) AS policy_id
        FROM (SELECT DISTINCT section_id, program_id FROM asked WHERE NOT is_settled) AS pairs
    ), ruled AS MATERIALIZED (
        SELECT asked.enrollment_id, asked.is_alerted, asked.counted, asked.student_id, asked.term_id, asked.section_id,
            asked.status, asked.lasts, p.id AS policy_id,
            p.basis = 'aggregate' AND asked.status IN ('enrolled', 'completed') AS with_others,
            coalesce(p.bar, attendance_usual_threshold()) AS bar,
            coalesce(p.threshold, attendance_usual_threshold()) AS threshold,
            coalesce(p.alert_after, attendance_usual_alert_after()) AS alert_after,
            attendance_attended(
                asked.attended, asked.late, asked.late_attended, p.late_weight, p.lates_per_absence
            ) AS attended
        FROM asked
        LEFT JOIN policies ON NOT asked.is_settled AND policies.section_id = asked.section_id
            AND (policies.program_id IS NOT DISTINCT FROM asked.program_id)
        LEFT JOIN attendance_attendancepolicy p
            ON p.id = CASE WHEN asked.is_settled THEN asked.policy_id ELSE policies.policy_id END
    ), together AS MATERIALIZED (
        SELECT side.student_id, side.term_id, side.policy_id, sum(m.counted) AS counted, sum(
            attendance_attended(m.attended, m.late, m.late_attended, p.late_weight, p.lates_per_absence)
        ) AS attended
        FROM (SELECT DISTINCT student_id, term_id, policy_id FROM ruled WHERE with_others) AS side
        JOIN attendance_attendancepolicy p ON p.id = side.policy_id
        JOIN enrollment_enrollment other ON other.student_id = side.student_id AND other.term_id = side.term_id
            AND other.status IN ('enrolled', 'completed')
        JOIN attendance_attendancesummary m ON m.enrollment_id = other.id
        LEFT JOIN ruled ON ruled.enrollment_id = other.id
        WHERE side.policy_id = CASE WHEN ruled.enrollment_id IS NULL THEN m.policy_id ELSE ruled.policy_id END
        GROUP BY side.student_id, side.term_id, side.policy_id
    ), judged AS (
        SELECT ruled.*, coalesce(together.counted, ruled.counted) AS judged_by,
            coalesce(together.attended, ruled.attended) * 100
                < ruled.bar * coalesce(together.counted, ruled.counted) AS falls_short
        FROM ruled LEFT JOIN together ON ruled.with_others AND together.student_id = ruled.student_id
            AND together.term_id = ruled.term_id AND together.policy_id = ruled.policy_id
    ), told AS (
        SELECT judged.*, falls_short AND (is_alerted OR judged_by >= alert_after) AS is_told FROM judged
    ), written AS (
        UPDATE attendance_attendancesummary m
        SET policy_id = told.policy_id, is_short = told.falls_short, is_alerted = told.is_told,
            percent = round(100 * told.attended / nullif(told.counted, 0), 2), updated_at = statement_timestamp()
        FROM told WHERE m.enrollment_id = told.enrollment_id
            AND (m.policy_id, m.is_short, m.is_alerted, m.percent) IS DISTINCT FROM (
                told.policy_id, told.falls_short, told.is_told,
                round(100 * told.attended / nullif(told.counted, 0), 2)
            )
        RETURNING m.enrollment_id, m.percent
    )
    INSERT INTO core_outboxevent (id, name, payload)
    SELECT gen_random_uuid(), 'attendance.threshold.crossed', jsonb_build_object(
        'enrollment_id', told.enrollment_id, 'student_id', told.student_id, 'section_id', told.section_id,
        'is_short', told.is_told, 'percent', written.percent::text, 'threshold', told.threshold::text,
        'happened_at', to_char(statement_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    )
    FROM written JOIN told USING (enrollment_id)
    WHERE told.is_told <> told.is_alerted AND told.lasts AND told.status = 'enrolled'
$$;
"""


def _replaced(text: str, *changes: tuple[str, str]) -> str:
    """Return a function of an earlier migration with some of its lines as they are from now on."""
    text = text.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    for before, after in changes:
        if text.count(before) != 1:
            raise ValueError(f"{before!r} is not there once")
        text = text.replace(before, after)
    return text


RECOUNT = _replaced(
    summaries.RECOUNT,
    ("LANGUAGE plpgsql AS $$\nBEGIN", ("LANGUAGE plpgsql AS $$\nDECLARE\n"
     "    along uuid[] := attendance_judged_along(ids);\nBEGIN")),
    ("PERFORM attendance_hold_summaries(ids);", "PERFORM attendance_hold_summaries(along);"),
    ("PERFORM attendance_judge(ids);", "PERFORM attendance_judge(along);"),
)  # fmt: skip
ADD_MARKS = _replaced(
    summaries.ADD_MARKS,
    (
        "ids uuid[] := ARRAY(SELECT DISTINCT id FROM unnest(enrollments) id ORDER BY id);",
        "ids uuid[] := attendance_judged_along(ARRAY(SELECT DISTINCT id FROM unnest(enrollments) id ORDER BY id));",
    ),
)
FILL = "UPDATE attendance_attendancesummary SET is_alerted = true WHERE is_short"
UNDO = [
    _replaced(judging.JUDGE.replace("CREATE OR REPLACE FUNCTION", "CREATE FUNCTION")),
    _replaced(summaries.RECOUNT),
    _replaced(summaries.ADD_MARKS),
    "DROP FUNCTION attendance_judged_along(uuid[])",
    "DROP FUNCTION attendance_usual_alert_after()",
]


class Migration(migrations.Migration):
    dependencies = [("attendance", "0021_keep_histories")]

    operations = [
        migrations.AddField(
            model_name="attendancepolicy",
            name="alert_after",
            field=models.PositiveSmallIntegerField(
                db_default=4,
                default=4,
                help_text="So many classes have to count before anybody is told that a student falls short.",
                validators=[django.core.validators.MinValueValidator(1)],
            ),
        ),
        migrations.AddField(
            model_name="attendancesummary",
            name="is_alerted",
            field=models.BooleanField(
                db_default=False, default=False, help_text="It has been announced that the student falls short."
            ),
        ),
        migrations.RunSQL([USUAL, ALONG, JUDGE, RECOUNT, ADD_MARKS, FILL], UNDO),
    ]
