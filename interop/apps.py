"""Data from elsewhere: imports and external identifiers. Stands on every app whose rows it brings in."""

from django.apps import AppConfig


class InteropConfig(AppConfig):
    name = "interop"
    verbose_name = "Imports"

    def ready(self) -> None:
        from interop import subscribers, visibility  # noqa: F401 - register themselves
