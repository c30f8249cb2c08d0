"""Wake workers for the webhook calls that are due."""

from typing import Any

from django.utils import timezone

from core.management.chore import ChoreCommand
from notifications import services


class Command(ChoreCommand):
    """`manage.py call_webhooks` does by hand what the schedule does."""

    help = "Wake workers for webhooks with calls that are due: those that failed before, and those that were lost."
    chore = "call_webhooks"
    done = "{count} webhooks have calls due."

    def work(self, **_options: Any) -> int:
        return services.announce_calls(at=timezone.now())
