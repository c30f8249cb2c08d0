"""What takes place on which day, and who was there. Stands on enrollment, courses, faculty and departments."""

from django.apps import AppConfig


class AttendanceConfig(AppConfig):
    name = "attendance"
    verbose_name = "Attendance"

    def ready(self) -> None:
        from attendance import refusals, visibility  # noqa: F401 - register themselves
        from attendance.models import AttendanceRecord
        from core import partitions
        from core.cache import tags

        # Part of the academic record, which is kept for good.
        partitions.declare(partitions.Monthly(model=AttendanceRecord))
        tags.leave_out("Written all day long, and every answer is made anew.", "attendance.AttendanceRecord")
