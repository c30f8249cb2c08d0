"""Look for what is worth an alert."""

from typing import Any

from django.utils import timezone

from accounts import services
from core.management.chore import ChoreCommand


class Command(ChoreCommand):
    """`manage.py raise_alerts` does by hand what the schedule does."""

    help = "Raise the alerts that the audit logs give cause for since the last look."
    chore = "raise_alerts"
    done = "{count} alerts raised."

    def work(self, **_options: Any) -> int:
        return services.raise_alerts(at=timezone.now())
