"""Forget the log-ins that ended long ago."""

from typing import Any

from django.utils import timezone

from accounts import services
from core.management.chore import ChoreCommand


class Command(ChoreCommand):
    """`manage.py purge_sessions` does by hand what the schedule does; a live log-in always stays."""

    help = "Delete log-ins of the API that ended longer ago than ENDED_SESSIONS_KEPT."
    chore = "purge_sessions"
    done = "{count} sessions purged."

    def work(self, **_options: Any) -> int:
        return services.purge_sessions(at=timezone.now())
