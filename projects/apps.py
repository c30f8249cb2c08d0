"""Projects of every kind. Stands on files and accounts."""

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "projects"
    verbose_name = "Projects"

    def ready(self) -> None:
        from audit.tracking import leave_out
        from core.cache import tags
        from projects import visibility  # noqa: F401 - registers itself

        leave_out("Words of rows that have a history.", "projects.ProjectWords")
        tags.leave_out("Words of rows that move tags of their own.", "projects.ProjectWords")
