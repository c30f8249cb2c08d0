"""Who takes what: the enrolments of students in sections. Stands on courses and students."""

from django.apps import AppConfig


class EnrollmentConfig(AppConfig):
    name = "enrollment"
    verbose_name = "Enrolment"

    def ready(self) -> None:
        from enrollment import refusals, subscribers, visibility  # noqa: F401 - register themselves
