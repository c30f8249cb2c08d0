"""A summary is written once for each mark, with its counts and what is judged by them, and not once for either."""

from importlib import import_module

from django.db import migrations

judging = import_module("attendance.migrations.0022_judge_together_and_tell_in_time")
judging_by_programs = import_module("attendance.migrations.0032_judge_by_programs_with_policies")

# `ids` are those that are judged, and held; the rest says what is added to the counts of some of them.
SETTLE = """
CREATE FUNCTION attendance_settle(
    ids uuid[], marked uuid[], counted integer[], exempt integer[], attended numeric[], late integer[],
    late_attended numeric[]
) RETURNS void LANGUAGE sql AS $$
    WITH asked AS MATERIALIZED (
        SELECT m.enrollment_id, m.is_alerted, m.policy_id, e.student_id, e.term_id, e.section_id, e.status,
            program.program_id, m.percent IS NOT NULL AND t.ends_on < current_date AS is_settled,
            t.ends_on >= current_date AS lasts,
            m.counted + coalesce(more.counted, 0) AS counted, m.exempt + coalesce(more.exempt, 0) AS exempt,
            m.attended + coalesce(more.attended, 0) AS attended, m.late + coalesce(more.late, 0) AS late,
            m.late_attended + coalesce(more.late_attended, 0) AS late_attended
        FROM attendance_attendancesummary m
        JOIN enrollment_enrollment e ON e.id = m.enrollment_id
        JOIN departments_term t ON t.id = e.term_id
        LEFT JOIN unnest(
            attendance_settle.marked, attendance_settle.counted, attendance_settle.exempt,
            attendance_settle.attended, attendance_settle.late, attendance_settle.late_attended
        ) AS more (enrollment_id, counted, exempt, attended, late, late_attended)
            ON more.enrollment_id = m.enrollment_id
        LEFT JOIN students_programenrollment program ON program.student_id = e.student_id AND program.is_primary
            AND program.program_id = ANY (
                ARRAY(SELECT program_id FROM attendance_attendancepolicy WHERE program_id IS NOT NULL)
            )
        WHERE m.enrollment_id = ANY (ids)
    ), policies AS MATERIALIZED (
        SELECT section_id, program_id, attendance_policy_of(section_id, program_id) AS policy_id
        FROM (SELECT DISTINCT section_id, program_id FROM asked WHERE NOT is_settled) AS pairs
    ), ruled AS MATERIALIZED (
        SELECT asked.enrollment_id, asked.is_alerted, asked.counted, asked.exempt, asked.attended, asked.late,
            asked.late_attended, asked.student_id, asked.term_id, asked.section_id, asked.status, asked.lasts,
            p.id AS policy_id,
            p.basis = 'aggregate' AND asked.status IN ('enrolled', 'completed') AS with_others,
            coalesce(p.bar, attendance_usual_threshold()) AS bar,
            coalesce(p.threshold, attendance_usual_threshold()) AS threshold,
            coalesce(p.alert_after, attendance_usual_alert_after()) AS alert_after,
            attendance_attended(
                asked.attended, asked.late, asked.late_attended, p.late_weight, p.lates_per_absence
            ) AS comes_to
        FROM asked
        LEFT JOIN policies ON NOT asked.is_settled AND policies.section_id = asked.section_id
            AND (policies.program_id IS NOT DISTINCT FROM asked.program_id)
        LEFT JOIN attendance_attendancepolicy p
            ON p.id = CASE WHEN asked.is_settled THEN asked.policy_id ELSE policies.policy_id END
    ), together AS MATERIALIZED (
        SELECT side.student_id, side.term_id, side.policy_id, sum(coalesce(ruled.counted, m.counted)) AS counted,
            sum(coalesce(ruled.comes_to, attendance_attended(
                m.attended, m.late, m.late_attended, p.late_weight, p.lates_per_absence
            ))) AS comes_to
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
            round(100 * ruled.comes_to / nullif(ruled.counted, 0), 2) AS percent,
            coalesce(together.comes_to, ruled.comes_to) * 100
                < ruled.bar * coalesce(together.counted, ruled.counted) AS falls_short
        FROM ruled LEFT JOIN together ON ruled.with_others AND together.student_id = ruled.student_id
            AND together.term_id = ruled.term_id AND together.policy_id = ruled.policy_id
    ), told AS (
        SELECT judged.*, falls_short AND (is_alerted OR judged_by >= alert_after) AS is_told FROM judged
    ), written AS (
        UPDATE attendance_attendancesummary m
        SET counted = told.counted, exempt = told.exempt, attended = told.attended, late = told.late,
            late_attended = told.late_attended, policy_id = told.policy_id, is_short = told.falls_short,
            is_alerted = told.is_told, percent = told.percent, updated_at = statement_timestamp()
        FROM told WHERE m.enrollment_id = told.enrollment_id
            AND (
                m.counted, m.exempt, m.attended, m.late, m.late_attended,
                m.policy_id, m.is_short, m.is_alerted, m.percent
            ) IS DISTINCT FROM (
                told.counted, told.exempt, told.attended, told.late, told.late_attended,
                told.policy_id, told.falls_short, told.is_told, told.percent
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
$$
"""
JUDGE = """
CREATE OR REPLACE FUNCTION attendance_judge(ids uuid[]) RETURNS void LANGUAGE sql AS $$
    SELECT attendance_settle(ids, '{}', '{}', '{}', '{}', '{}', '{}')
$$
"""
ADD_MARKS = """
CREATE OR REPLACE FUNCTION attendance_add_marks(enrollments uuid[], sessions uuid[], codes uuid[], signs integer[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[] := attendance_judged_along(ARRAY(SELECT DISTINCT id FROM unnest(enrollments) id ORDER BY id));
BEGIN
    PERFORM attendance_hold_summaries(ids);
    PERFORM attendance_settle(
        ids, array_agg(id), array_agg(counted), array_agg(exempt), array_agg(attended), array_agg(late),
        array_agg(late_attended)
    ) FROM (
        SELECT e.id,
            coalesce(sum(r.sign) FILTER (WHERE NOT c.is_exempt), 0)::integer,
            coalesce(sum(r.sign) FILTER (WHERE c.is_exempt), 0)::integer,
            sum(r.sign * c.weight),
            coalesce(sum(r.sign) FILTER (WHERE c.code = 'late' AND NOT c.is_exempt), 0)::integer,
            coalesce(sum(r.sign * c.weight) FILTER (WHERE c.code = 'late'), 0)
        FROM unnest(enrollments, sessions, codes, signs) r (enrollment_id, session_id, code_id, sign)
        JOIN enrollment_enrollment e ON e.id = r.enrollment_id
        JOIN attendance_classsession s ON s.id = r.session_id AND s.status = 'scheduled'
            AND (e.enrolled_at IS NULL OR e.enrolled_at < s.ends_at)
            AND (e.dropped_at IS NULL OR e.dropped_at > s.starts_at)
        JOIN attendance_attendancecode c ON c.id = r.code_id
        GROUP BY e.id
    ) more (id, counted, exempt, attended, late, late_attended);
END $$
"""
UNDO = [
    judging.ADD_MARKS,
    judging_by_programs.JUDGE,
    "DROP FUNCTION attendance_settle(uuid[], uuid[], integer[], integer[], numeric[], integer[], numeric[])",
]


class Migration(migrations.Migration):
    dependencies = [("attendance", "0032_judge_by_programs_with_policies")]

    operations = [migrations.RunSQL([SETTLE, JUDGE, ADD_MARKS], UNDO)]
