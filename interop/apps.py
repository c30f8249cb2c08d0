"""Data from elsewhere and for elsewhere: imports, external identifiers, exports. Stands on all whose rows these are."""

from django.apps import AppConfig


class InteropConfig(AppConfig):
    name = "interop"
    verbose_name = "Imports and exports"

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
        leave_out("How far a table has come; who asked for it and fetched it is in the log.", "interop.ExportJob")
        tags.leave_out("Rows on their way into others.", "interop.ImportRow")
