"""The shape of the university: its departments, places, calendar and programs. Stands on accounts."""

from django.apps import AppConfig


class DepartmentsConfig(AppConfig):
    name = "departments"
    verbose_name = "Departments and calendar"

    def ready(self) -> None:
        from departments import refusals, visibility  # noqa: F401 - register themselves
