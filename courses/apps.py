"""What is taught: the catalogue of courses, their sections and timetable. Stands on faculty and departments."""

from django.apps import AppConfig


class CoursesConfig(AppConfig):
    name = "courses"
    verbose_name = "Courses and timetable"

    def ready(self) -> None:
        from courses import refusals, visibility  # noqa: F401 - register themselves
