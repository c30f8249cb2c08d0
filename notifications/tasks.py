"""What workers do for notifications: mails to one account, and the chore that says whose are due."""

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
