"""Wake workers for the mails that are due."""

from typing import Any

from django.utils import timezone

from core.management.chore import ChoreCommand
from notifications import services


class Command(ChoreCommand):
    """`manage.py mail_notifications` does by hand what the schedule does."""

    help = "Wake workers for notifications whose mails are due: digests, after quiet hours, and tried again."
    chore = "mail_notifications"
    done = "{count} accounts have mails due."

    def work(self, **_options: Any) -> int:
        return services.announce_due(at=timezone.now())
