"""Who is expected in a session and how many are marked with what, as SQL."""

from django.db.models import Func, TextField

# Who is expected in a session `s`: whose enrolment `e` lasted while it took place, and counts.
EXPECTED = """
    e.status <> 'pending' AND (e.enrolled_at IS NULL OR e.enrolled_at < s.ends_at)
    AND (e.dropped_at IS NULL OR e.dropped_at > s.starts_at)
"""
# The day names the month in which to look for marks, and with the section the part of an index that holds them all.
_COUNTS = """(
    SELECT concat(
        '{',
        string_agg(to_json(n.code)::text || ':' || n.students || ',', '' ORDER BY n.code) FILTER (WHERE n.is_code),
        '"unmarked":', coalesce(sum(n.students) FILTER (WHERE NOT n.is_code), 0), '}'
    )
    FROM (
        SELECT c.code, coalesce(c.code <> 'unmarked', false) AS is_code, count(*) AS students
        FROM (VALUES (%(expressions)s)) s (id, section_id, local_date, starts_at, ends_at)
        JOIN enrollment_enrollment e ON e.section_id = s.section_id AND <expected>
        LEFT JOIN attendance_attendancerecord r ON r.section_id = s.section_id AND r.local_date = s.local_date
            AND r.session_id = s.id AND r.enrollment_id = e.id
        LEFT JOIN attendance_attendancecode c ON c.id = r.code_id
        GROUP BY c.code
    ) n
)""".replace("<expected>", EXPECTED)  # nosec B608 - made of constants


class SheetCounts(Func):
    """How many who are expected in a session are marked with each code that occurs, and how many are not: as JSON."""

    template = _COUNTS
    output_field = TextField()

    @classmethod
    def of(cls, prefix: str = "") -> "SheetCounts":
        """Return the counts of the session whose columns are reached by a prefix."""
        return cls(*(f"{prefix}{name}" for name in ("id", "section_id", "local_date", "starts_at", "ends_at")))
