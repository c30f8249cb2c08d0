"""The shape of the university: its departments, places, calendar and programs. Stands on accounts."""

from django.apps import AppConfig


class DepartmentsConfig(AppConfig):
    name = "departments"
    verbose_name = "Departments and calendar"

    def ready(self) -> None:
        from accounts.assignments import register_unit
        from accounts.roles import ScopeKind
        from departments import refusals, visibility  # noqa: F401 - register themselves
        from departments.models import Department, Program

        register_unit(ScopeKind.DEPARTMENT, Department)
        register_unit(ScopeKind.PROGRAM, Program)
