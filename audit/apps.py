"""What happened, who saw whose record, and who changed what: kept for good. Stands on core alone."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        from audit.services import Keeper, allow_erasing
        from audit.tracking import follow
        from core.cache import tags
        from core.recording import appoint

        appoint(Keeper())
        post_migrate.connect(follow, sender=self, dispatch_uid="audit.tracking")
        post_migrate.connect(allow_erasing, sender=self, dispatch_uid="audit.erasing")
        tags.leave_out(
            "Logs, of which each question is answered anew.", *(model._meta.label for model in self.get_models())
        )
