"""Projects of every kind. Stands on files, notifications and accounts."""

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "projects"
    verbose_name = "Projects"

    def ready(self) -> None:
        from audit.tracking import leave_out
        from core.cache import tags
        from projects import subscribers, topics, visibility  # noqa: F401 - register themselves

        leave_out("Words of rows that have a history.", "projects.ProjectWords")
        tags.leave_out("Words of rows that move tags of their own.", "projects.ProjectWords")
