"""Students, their programs and their standing. Stands on departments and accounts."""

from django.apps import AppConfig


class StudentsConfig(AppConfig):
    name = "students"
    verbose_name = "Students"

    def ready(self) -> None:
        from students import refusals, visibility  # noqa: F401 - register themselves
