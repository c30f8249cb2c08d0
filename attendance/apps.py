"""What takes place on which day, and who was there. Stands on enrollment and on all that enrollment stands on."""

from django.apps import AppConfig


class AttendanceConfig(AppConfig):
    name = "attendance"
    verbose_name = "Attendance"

    def ready(self) -> None:
        from attendance import refusals, subscribers, topics, visibility, webhooks  # noqa: F401 - register themselves
        from attendance.models import AttendanceRecord
        from audit.tracking import leave_out
        from core import partitions
        from core.cache import tags

        # Part of the academic record, which is kept for good.
        partitions.declare(partitions.Monthly(model=AttendanceRecord, column="local_date"))
        tags.leave_out("Written all day long, and every answer is made anew.", "attendance.AttendanceRecord")
        tags.leave_out("Read by few, and every answer is made anew.", "attendance.CheckInEvent", "attendance.Punch")
        tags.leave_out("Written all day long, and every answer is made anew.", "attendance.AttendanceSummary")
        leave_out("Follows from marks, of which each has a history.", "attendance.AttendanceSummary")
        leave_out("Logs of their own, forgotten after some months.", "attendance.CheckInEvent", "attendance.Punch")
