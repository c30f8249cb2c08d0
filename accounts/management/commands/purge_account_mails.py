"""Forget mails that were asked for some days ago."""

from typing import Any

from django.utils import timezone

from accounts import services
from core.management.chore import ChoreCommand


class Command(ChoreCommand):
    """`manage.py purge_account_mails` does by hand what the schedule does."""

    help = "Delete mails to the owners of accounts that were asked for a week ago, with their links."
    chore = "purge_account_mails"
    done = "{count} mails purged."

    def work(self, **_options: Any) -> int:
        return services.purge_account_mails(at=timezone.now())
