"""What happened, who saw whose record, and who changed what: kept for good. Stands on core alone."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

SEALED = (
    "verify_audit chains the entries of a log from its first one on, and to whom records were disclosed is kept for as "
    "long as they are (34 CFR 99.32)."
)


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        from audit import checks  # noqa: F401 - registers itself
        from audit.models import Change, Disclosure, Event
        from audit.services import Keeper, allow_erasing
        from audit.tracking import follow
        from core import partitions
        from core.cache import tags
        from core.recording import appoint

        appoint(Keeper())
        partitions.declare(
            *(partitions.Monthly(model=log, refuses=lambda month: SEALED) for log in (Event, Disclosure, Change))
        )
        post_migrate.connect(follow, sender=self, dispatch_uid="audit.tracking")
        post_migrate.connect(allow_erasing, sender=self, dispatch_uid="audit.erasing")
        tags.leave_out(
            "Logs, of which each question is answered anew.", *(model._meta.label for model in self.get_models())
        )
