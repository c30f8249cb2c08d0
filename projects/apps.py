"""Projects of every kind. Stands on files and accounts."""

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "projects"
    verbose_name = "Projects"

    def ready(self) -> None:
        from projects import visibility  # noqa: F401 - registers itself
