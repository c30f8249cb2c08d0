"""The directory: whom everybody here may find. Stands on students and faculty."""

from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    name = "directory"
    verbose_name = "Directory"

    def ready(self) -> None:
        from directory import visibility  # noqa: F401 - registers itself
