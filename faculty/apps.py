"""Who teaches and researches here, and the posts they hold. Stands on departments and accounts."""

from django.apps import AppConfig


class FacultyConfig(AppConfig):
    name = "faculty"
    verbose_name = "Faculty"

    def ready(self) -> None:
        from faculty import refusals, visibility  # noqa: F401 - register themselves
