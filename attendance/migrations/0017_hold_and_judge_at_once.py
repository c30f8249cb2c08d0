"""Hold the summaries that are there without trying to make them again, and look for each policy once a statement."""

from importlib import import_module

from django.db import migrations

summaries = import_module("attendance.migrations.0009_summaries")

HOLD = """
CREATE OR REPLACE FUNCTION attendance_hold_summaries(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO attendance_attendancesummary (id, enrollment_id, section_id, term_id)
    SELECT gen_random_uuid(), e.id, e.section_id, e.term_id FROM enrollment_enrollment e
    WHERE e.id = ANY (ids) AND NOT EXISTS (SELECT FROM attendance_attendancesummary m WHERE m.enrollment_id = e.id)
    ORDER BY e.id
    ON CONFLICT (enrollment_id) DO NOTHING;
    PERFORM FROM attendance_attendancesummary WHERE enrollment_id = ANY (ids) ORDER BY enrollment_id FOR NO KEY UPDATE;
END $$;
"""
# The students of a class are in a few programs: whatever decides about a section and a program is looked for once.
JUDGE = """
CREATE OR REPLACE FUNCTION attendance_judge(ids uuid[]) RETURNS void LANGUAGE sql AS $$
    WITH asked AS MATERIALIZED (
        SELECT m.enrollment_id, m.is_short, m.counted, m.attended, m.late, m.late_attended, m.policy_id,
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
    ), ruled AS (
        SELECT asked.enrollment_id, asked.is_short, asked.counted, asked.student_id, asked.term_id, asked.section_id,
            asked.status, asked.lasts, p.id AS policy_id,
            p.basis = 'aggregate' AND asked.status IN ('enrolled', 'completed') AS with_others,
            coalesce(p.bar, attendance_usual_threshold()) AS bar,
            coalesce(p.threshold, attendance_usual_threshold()) AS threshold,
            attendance_attended(
                asked.attended, asked.late, asked.late_attended, p.late_weight, p.lates_per_absence
            ) AS attended
        FROM asked
        LEFT JOIN policies ON NOT asked.is_settled AND policies.section_id = asked.section_id
            AND (policies.program_id IS NOT DISTINCT FROM asked.program_id)
        LEFT JOIN attendance_attendancepolicy p
            ON p.id = CASE WHEN asked.is_settled THEN asked.policy_id ELSE policies.policy_id END
    ), judged AS (
        SELECT ruled.*, (ruled.attended + coalesce(others.attended, 0)) * 100
            < ruled.bar * (ruled.counted + coalesce(others.counted, 0)) AS falls_short
        FROM ruled LEFT JOIN LATERAL (
            SELECT sum(m.counted) AS counted, sum(
                attendance_attended(m.attended, m.late, m.late_attended, p.late_weight, p.lates_per_absence)
            ) AS attended
            FROM enrollment_enrollment other
            JOIN attendance_attendancesummary m ON m.enrollment_id = other.id AND m.policy_id = ruled.policy_id
            JOIN attendance_attendancepolicy p ON p.id = m.policy_id
            WHERE other.student_id = ruled.student_id AND other.term_id = ruled.term_id
                AND other.id <> ruled.enrollment_id AND other.status IN ('enrolled', 'completed')
        ) others ON ruled.with_others
    ), written AS (
        UPDATE attendance_attendancesummary m
        SET policy_id = judged.policy_id, is_short = judged.falls_short, updated_at = statement_timestamp(),
            percent = round(100 * judged.attended / nullif(judged.counted, 0), 2)
        FROM judged WHERE m.enrollment_id = judged.enrollment_id
            AND (m.policy_id, m.is_short, m.percent) IS DISTINCT FROM (
                judged.policy_id, judged.falls_short, round(100 * judged.attended / nullif(judged.counted, 0), 2)
            )
        RETURNING m.enrollment_id, m.percent
    )
    INSERT INTO core_outboxevent (id, name, payload)
    SELECT gen_random_uuid(), 'attendance.threshold.crossed', jsonb_build_object(
        'enrollment_id', judged.enrollment_id, 'student_id', judged.student_id, 'section_id', judged.section_id,
        'is_short', judged.falls_short, 'percent', written.percent::text, 'threshold', judged.threshold::text,
        'happened_at', to_char(statement_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    )
    FROM written JOIN judged USING (enrollment_id)
    WHERE judged.falls_short <> judged.is_short AND judged.lasts AND judged.status = 'enrolled'
$$;
"""
UNDO = [text.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION") for text in (summaries.HOLD, summaries.JUDGE)]


class Migration(migrations.Migration):
    dependencies = [("attendance", "0016_feed_calendars")]

    operations = [migrations.RunSQL([HOLD, JUDGE], UNDO)]
