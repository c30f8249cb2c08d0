"""What marks come to, kept by triggers along with them."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import core.ids

# What is asked for where no policy is; the same stands in `attendance.calculation`.
USUAL = """
CREATE FUNCTION attendance_usual_threshold() RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT 75::numeric'
"""
# One after another, in the order of their ids: two who write never wait for each other. What is read afterwards, by
# statements of their own, is as whoever came before has left it.
HOLD = """
CREATE FUNCTION attendance_hold_summaries(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO attendance_attendancesummary (id, enrollment_id, section_id, term_id)
    SELECT gen_random_uuid(), id, section_id, term_id FROM enrollment_enrollment WHERE id = ANY (ids) ORDER BY id
    ON CONFLICT (enrollment_id) DO NOTHING;
    PERFORM FROM attendance_attendancesummary WHERE enrollment_id = ANY (ids) ORDER BY enrollment_id FOR NO KEY UPDATE;
END $$
"""
# Once a term is over, who was marked in it stays judged by what judged them, wherever they study by then. The others
# that a course is judged with are read and not locked: they are judged anew with their own next mark, and every night.
JUDGE = """
CREATE FUNCTION attendance_judge(ids uuid[]) RETURNS void LANGUAGE sql AS $$
    WITH ruled AS (
        SELECT m.enrollment_id, m.is_short, m.counted, e.student_id, e.term_id, e.section_id, e.status,
            p.id AS policy_id, p.basis = 'aggregate' AND e.status IN ('enrolled', 'completed') AS with_others,
            coalesce(p.bar, attendance_usual_threshold()) AS bar,
            coalesce(p.threshold, attendance_usual_threshold()) AS threshold,
            attendance_attended(m.attended, m.late, m.late_attended, p.late_weight, p.lates_per_absence) AS attended,
            t.ends_on >= current_date AS lasts
        FROM attendance_attendancesummary m
        JOIN enrollment_enrollment e ON e.id = m.enrollment_id
        JOIN departments_term t ON t.id = e.term_id
        LEFT JOIN students_programenrollment program ON program.student_id = e.student_id AND program.is_primary
        LEFT JOIN attendance_attendancepolicy p ON p.id = CASE
            WHEN m.percent IS NOT NULL AND t.ends_on < current_date THEN m.policy_id
            ELSE attendance_policy_of(e.section_id, program.program_id)
        END
        WHERE m.enrollment_id = ANY (ids)
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
$$
"""
# From the marks, whatever the summary said before.
RECOUNT = """
CREATE FUNCTION attendance_recount(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM attendance_hold_summaries(ids);
    UPDATE attendance_attendancesummary m
    SET counted = n.counted, exempt = n.exempt, attended = n.attended, late = n.late,
        late_attended = n.late_attended, updated_at = statement_timestamp()
    FROM (
        SELECT id, coalesce(c.counted, 0), coalesce(c.exempt, 0), coalesce(c.attended, 0), coalesce(c.late, 0),
            coalesce(c.late_attended, 0)
        FROM unnest(ids) id LEFT JOIN attendance_counted(ids) c ON c.enrollment_id = id
    ) n (enrollment_id, counted, exempt, attended, late, late_attended)
    WHERE m.enrollment_id = n.enrollment_id
        AND (m.counted, m.exempt, m.attended, m.late, m.late_attended)
            IS DISTINCT FROM (n.counted, n.exempt, n.attended, n.late, n.late_attended);
    PERFORM attendance_judge(ids);
END $$
"""
# What one statement has marked, taken back or marked otherwise, added to what was there: a class of three hundred costs
# three hundred rows, and not every class that they have ever been in.
ADD_MARKS = """
CREATE FUNCTION attendance_add_marks(enrollments uuid[], sessions uuid[], codes uuid[], signs integer[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[] := ARRAY(SELECT DISTINCT id FROM unnest(enrollments) id ORDER BY id);
BEGIN
    PERFORM attendance_hold_summaries(ids);
    UPDATE attendance_attendancesummary m
    SET counted = m.counted + n.counted, exempt = m.exempt + n.exempt, attended = m.attended + n.attended,
        late = m.late + n.late, late_attended = m.late_attended + n.late_attended, updated_at = statement_timestamp()
    FROM (
        SELECT e.id,
            coalesce(sum(r.sign) FILTER (WHERE NOT c.is_exempt), 0),
            coalesce(sum(r.sign) FILTER (WHERE c.is_exempt), 0),
            sum(r.sign * c.weight),
            coalesce(sum(r.sign) FILTER (WHERE c.code = 'late' AND NOT c.is_exempt), 0),
            coalesce(sum(r.sign * c.weight) FILTER (WHERE c.code = 'late'), 0)
        FROM unnest(enrollments, sessions, codes, signs) r (enrollment_id, session_id, code_id, sign)
        JOIN enrollment_enrollment e ON e.id = r.enrollment_id
        JOIN attendance_classsession s ON s.id = r.session_id AND s.status = 'scheduled'
            AND (e.enrolled_at IS NULL OR e.enrolled_at < s.ends_at)
            AND (e.dropped_at IS NULL OR e.dropped_at > s.starts_at)
        JOIN attendance_attendancecode c ON c.id = r.code_id
        GROUP BY e.id
    ) n (enrollment_id, counted, exempt, attended, late, late_attended)
    WHERE m.enrollment_id = n.enrollment_id;
    PERFORM attendance_judge(ids);
END $$
"""
OF_RECORDS = """
CREATE FUNCTION attendance_follow_records() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    enrollments uuid[];
    sessions uuid[];
    codes uuid[];
    signs integer[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(enrollment_id), array_agg(session_id), array_agg(code_id), array_agg(1)
        INTO enrollments, sessions, codes, signs FROM after_rows;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(enrollment_id), array_agg(session_id), array_agg(code_id), array_agg(-1)
        INTO enrollments, sessions, codes, signs FROM before_rows;
    ELSE
        SELECT array_agg(enrollment_id), array_agg(session_id), array_agg(code_id), array_agg(sign)
        INTO enrollments, sessions, codes, signs FROM (
            SELECT enrollment_id, session_id, code_id, 1 AS sign FROM after_rows
            UNION ALL SELECT enrollment_id, session_id, code_id, -1 FROM before_rows
        ) AS changed;
    END IF;
    IF enrollments IS NOT NULL THEN
        PERFORM attendance_add_marks(enrollments, sessions, codes, signs);
    END IF;
    RETURN NULL;
END $$
"""
# Of a session that somebody was marked in: all in its section, since who is marking in it right now is not seen yet.
OF_SESSIONS = """
CREATE FUNCTION attendance_follow_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[] := ARRAY(
        SELECT e.id FROM enrollment_enrollment e WHERE e.section_id IN (
            SELECT after_rows.section_id FROM after_rows JOIN before_rows USING (id)
            WHERE (after_rows.status, after_rows.starts_at, after_rows.ends_at)
                IS DISTINCT FROM (before_rows.status, before_rows.starts_at, before_rows.ends_at)
                AND (before_rows.marking <> 'scheduled' OR EXISTS (
                    SELECT FROM attendance_attendancerecord r
                    WHERE r.session_id = after_rows.id AND r.local_date = after_rows.local_date
                ))
        ) ORDER BY e.id
    );
BEGIN
    IF cardinality(ids) > 0 THEN
        PERFORM attendance_recount(ids);
    END IF;
    RETURN NULL;
END $$
"""
OF_ENROLLMENTS = """
CREATE FUNCTION attendance_follow_enrollments() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[] := ARRAY(
        SELECT after_rows.id FROM after_rows JOIN before_rows USING (id)
        WHERE (after_rows.enrolled_at, after_rows.dropped_at, after_rows.status)
            IS DISTINCT FROM (before_rows.enrolled_at, before_rows.dropped_at, before_rows.status)
        ORDER BY after_rows.id
    );
BEGIN
    IF cardinality(ids) > 0 THEN
        PERFORM attendance_recount(ids);
    END IF;
    RETURN NULL;
END $$
"""
OF_CODES = """
CREATE FUNCTION attendance_follow_codes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[] := ARRAY(
        SELECT DISTINCT r.enrollment_id FROM attendance_attendancerecord r WHERE r.code_id IN (
            SELECT after_rows.id FROM after_rows JOIN before_rows USING (id)
            WHERE (after_rows.code, after_rows.weight, after_rows.is_exempt)
                IS DISTINCT FROM (before_rows.code, before_rows.weight, before_rows.is_exempt)
        ) ORDER BY r.enrollment_id
    );
BEGIN
    IF cardinality(ids) > 0 THEN
        PERFORM attendance_recount(ids);
    END IF;
    RETURN NULL;
END $$
"""
TRIGGERS = [
    (
        "CREATE TRIGGER attendance_records_made AFTER INSERT ON attendance_attendancerecord "
        "REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION attendance_follow_records()"
    ),
    (
        "CREATE TRIGGER attendance_records_gone AFTER DELETE ON attendance_attendancerecord "
        "REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION attendance_follow_records()"
    ),
    *(
        f"CREATE TRIGGER attendance_{what}_changed AFTER UPDATE ON {table} "
        f"REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows "
        f"FOR EACH STATEMENT EXECUTE FUNCTION attendance_follow_{what}()"
        for what, table in {
            "records": "attendance_attendancerecord",
            "sessions": "attendance_classsession",
            "enrollments": "enrollment_enrollment",
            "codes": "attendance_attendancecode",
        }.items()
    ),
]
# Section by section, so that no statement holds more than one of them.
FILL = """
DO $$
DECLARE
    section uuid;
BEGIN
    FOR section IN SELECT DISTINCT section_id FROM attendance_classsession ORDER BY section_id LOOP
        PERFORM attendance_recount(ARRAY(
            SELECT id FROM enrollment_enrollment e WHERE section_id = section AND EXISTS (
                SELECT FROM attendance_attendancerecord r WHERE r.enrollment_id = e.id
            ) ORDER BY id
        ));
    END LOOP;
END $$
"""
UNDO = [
    *(
        f"DROP FUNCTION {name} CASCADE"
        for name in (
            "attendance_follow_records()",
            "attendance_follow_sessions()",
            "attendance_follow_enrollments()",
            "attendance_follow_codes()",
            "attendance_add_marks(uuid[], uuid[], uuid[], integer[])",
            "attendance_recount(uuid[])",
            "attendance_judge(uuid[])",
            "attendance_hold_summaries(uuid[])",
            "attendance_usual_threshold()",
        )
    ),
]
BUILD = [USUAL, HOLD, JUDGE, RECOUNT, ADD_MARKS, OF_RECORDS, OF_SESSIONS, OF_ENROLLMENTS, OF_CODES, *TRIGGERS, FILL]


class Migration(migrations.Migration):
    dependencies = [
        ("attendance", "0008_tell_lateness_by_minutes"),
        ("courses", "0002_shares_and_histories"),
        ("departments", "0004_room_reservations"),
        ("enrollment", "0005_identify_enrolments_by_section"),
    ]

    operations = [
        migrations.CreateModel(
            name="AttendanceSummary",
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
                ("counted", models.IntegerField(db_default=0, default=0)),
                ("exempt", models.IntegerField(db_default=0, default=0)),
                ("attended", models.DecimalField(db_default=0, decimal_places=3, default=0, max_digits=9)),
                ("late", models.IntegerField(db_default=0, default=0)),
                ("late_attended", models.DecimalField(db_default=0, decimal_places=3, default=0, max_digits=9)),
                (
                    "percent",
                    models.DecimalField(
                        decimal_places=2, help_text="Null while nothing counts.", max_digits=5, null=True
                    ),
                ),
                ("is_short", models.BooleanField(db_default=False, default=False)),
                (
                    "enrollment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attendance_summary",
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
                "verbose_name_plural": "attendance summaries",
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_short", True)),
                        fields=["term", "percent", "id"],
                        name="attendance_short_of_term",
                    ),
                    models.Index(
                        condition=models.Q(("is_short", True)),
                        fields=["section", "percent", "id"],
                        name="attendance_short_in_section",
                    ),
                    models.Index(
                        condition=models.Q(("is_short", True)), fields=["percent", "id"], name="attendance_short"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("counted__gte", 0),
                            ("exempt__gte", 0),
                            ("late__gte", 0),
                            ("late__lte", models.F("counted")),
                            ("attended__lte", models.F("counted")),
                            ("late_attended__gte", 0),
                            ("late_attended__lte", models.F("attended")),
                        ),
                        name="attendance_attendancesummary_adds_up",
                        violation_error_code="summary_off",
                        violation_error_message="A summary says less than nothing, or more than all.",
                    )
                ],
            },
        ),
        migrations.RunSQL(BUILD, UNDO),
    ]
