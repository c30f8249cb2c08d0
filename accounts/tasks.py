"""What workers do for accounts: mails that are wanted, and the chores of the schedule."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from accounts import services, warming
from accounts.mailing import MailNotSentError
from core.chores import carry_out


# Tried again after seconds at first and ten minutes in the end, until the mail has had its time.
@shared_task(  # type: ignore[untyped-decorator]  # Celery has no types
    autoretry_for=(MailNotSentError,), retry_backoff=2, retry_backoff_max=600, max_retries=None
)
def send_mail(mail_id: str) -> None:
    """Send a mail to the owner of an account."""
    services.send_mail(UUID(mail_id), at=timezone.now())


@shared_task(  # type: ignore[untyped-decorator]  # Celery has no types
    autoretry_for=(MailNotSentError,), retry_backoff=2, retry_backoff_max=600, max_retries=100
)
def mail_alert(alert_id: int) -> None:
    """Mail an alert to those who look after the installation."""
    services.mail_alert(alert_id)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def raise_alerts() -> None:
    """Look for what is worth an alert."""
    carry_out("raise_alerts", lambda: services.raise_alerts(at=timezone.now()))


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def purge_account_mails() -> None:
    """Forget mails that were asked for some days ago."""
    carry_out("purge_account_mails", lambda: services.purge_account_mails(at=timezone.now()))


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def purge_sessions() -> None:
    """Forget the log-ins that ended long ago."""
    carry_out("purge_sessions", lambda: services.purge_sessions(at=timezone.now()))


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def purge_admin_sessions() -> None:
    """Forget the expired log-ins of the administration pages."""
    carry_out("purge_admin_sessions", lambda: services.purge_admin_sessions(at=timezone.now()))


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def purge_guess_counts() -> None:
    """Forget what people guessed wrong long ago."""
    carry_out("purge_guess_counts", lambda: services.purge_guess_counts(at=timezone.now()))


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def warm_caches() -> None:
    """Make what the commonest reads ask for before anybody asks."""
    carry_out("warm_caches", warming.warm_caches)
