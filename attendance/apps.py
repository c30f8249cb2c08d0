"""What takes place on which day: the dated sessions of sections. Stands on courses, faculty and departments."""

from django.apps import AppConfig


class AttendanceConfig(AppConfig):
    name = "attendance"
    verbose_name = "Attendance"

    def ready(self) -> None:
        from attendance import visibility  # noqa: F401 - registers itself
