"""Data from elsewhere: imports and external identifiers. Stands on every app whose rows it brings in."""

from django.apps import AppConfig


class InteropConfig(AppConfig):
    name = "interop"
    verbose_name = "Imports"

    def ready(self) -> None:
        from audit.tracking import leave_out
        from core.cache import tags
        from interop import subscribers, visibility  # noqa: F401 - register themselves

        leave_out(
            "What an import read and wrote, kept with it; the records it wrote have their history.",
            "interop.ImportRow",
            "interop.ImportedValue",
            "interop.ImportJobEvent",
        )
        tags.leave_out("Rows on their way into others.", "interop.ImportRow")
