"""Let the scanner look at files that it has not seen, and again at those it saw long ago."""

from typing import Any

from django.utils import timezone

from core.management.chore import ChoreCommand
from files import services


class Command(ChoreCommand):
    """`manage.py scan_files` does by hand what the schedule does."""

    help = "Scan files that nobody has scanned, and again those that were scanned long ago."
    chore = "scan_files"
    done = "{count} contents scanned."

    def work(self, **options: Any) -> int:
        return services.scan_due(at=timezone.now())
