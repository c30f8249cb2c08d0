"""The directory: whom everybody here may find. Stands on students and faculty."""

from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    name = "directory"
    verbose_name = "Directory"

    def ready(self) -> None:
        from audit.tracking import leave_out
        from directory import visibility  # noqa: F401 - registers itself

        leave_out("A view of tables that have a history.", "directory.DirectoryEntry")
