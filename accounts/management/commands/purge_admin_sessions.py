"""Forget the expired log-ins of the administration pages."""

from typing import Any

from django.utils import timezone

from accounts import services
from core.management.chore import ChoreCommand


class Command(ChoreCommand):
    """`manage.py purge_admin_sessions` does by hand what the schedule does: Django's `clearsessions`, in batches."""

    help = "Delete expired sessions of the administration pages."
    chore = "purge_admin_sessions"
    done = "{count} sessions purged."

    def work(self, **_options: Any) -> int:
        return services.purge_admin_sessions(at=timezone.now())
