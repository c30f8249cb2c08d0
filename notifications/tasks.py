"""What workers do for notifications: mails to one account, calls of one endpoint, and chores that say what is due."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from core.chores import carry_out
from notifications import services


# A mail that the server does not take is put off in its row, and due again later: nothing is to be tried again here.
@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def send_mails(user_id: str) -> None:
    """Send what is due to one account."""
    services.send_mails(UUID(user_id), at=timezone.now())


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def mail_notifications() -> None:
    """Wake workers for the mails that are due: digests, what quiet hours put off, and what failed before."""
    carry_out("mail_notifications", lambda: services.announce_due(at=timezone.now()))


# As with mails: what fails is put off in its row.
@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def call_endpoint(endpoint_id: str) -> None:
    """Tell one endpoint what is due."""
    services.call_endpoint(UUID(endpoint_id), at=timezone.now())


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def call_webhooks() -> None:
    """Wake workers for the calls that are due: those that failed before, and those that nobody came back from."""
    carry_out("call_webhooks", lambda: services.announce_calls(at=timezone.now()))
