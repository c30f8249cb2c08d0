"""What somebody is marked with who was seen to come: by the code on the wall, or by a reader."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from attendance.models import ClassSession
from attendance.services.marking import Mark

# Whoever comes within this is there from the beginning, where no policy says another time.
ON_TIME = timedelta(minutes=10)
PRESENT, LATE = "present", "late"
_LATE_AFTER = """
    SELECT e.id, p.late_after
    FROM enrollment_enrollment e
    LEFT JOIN students_programenrollment program ON program.student_id = e.student_id AND program.is_primary
    JOIN attendance_attendancepolicy p ON p.id = attendance_policy_of(e.section_id, program.program_id)
    WHERE e.id = ANY (%s) AND p.late_after IS NOT NULL
"""


def on_time(enrollments: Collection[UUID]) -> dict[UUID, timedelta]:
    """Return how long after the beginning each may come without being late: as the policies say, or as is usual."""
    with connection.cursor() as cursor:
        cursor.execute(_LATE_AFTER, [list(enrollments)])
        said = {pk: timedelta(minutes=minutes) for pk, minutes in cursor.fetchall()}
    return {pk: said.get(pk, ON_TIME) for pk in enrollments}


def arrived(session: ClassSession, enrollment: UUID, *, at: datetime, on_time: timedelta) -> Mark:
    """Return the mark of somebody who came to a session at an instant."""
    after = at - session.starts_at
    if after <= on_time:
        return Mark(enrollment=enrollment, code=PRESENT)
    return Mark(enrollment=enrollment, code=LATE, minutes_late=int(after.total_seconds()) // 60)
