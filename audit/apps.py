"""What happened, who saw whose record, and who changed what: kept for good. Stands on core alone."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        from audit.services import Keeper
        from core.recording import appoint

        appoint(Keeper())
