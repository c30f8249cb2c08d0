"""What is taught: the catalogue of courses, their sections and timetable. Stands on faculty and departments."""

from django.apps import AppConfig


class CoursesConfig(AppConfig):
    name = "courses"
    verbose_name = "Courses and timetable"

    def ready(self) -> None:
        from accounts.assignments import register_unit
        from accounts.roles import ScopeKind
        from courses import refusals, visibility  # noqa: F401 - register themselves
        from courses.models import Section

        register_unit(ScopeKind.SECTION, Section)
