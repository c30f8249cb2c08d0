"""Delete the files of exports that have had their time."""

from typing import Any

from django.utils import timezone

from core.management.chore import ChoreCommand
from privacy import services


class Command(ChoreCommand):
    """`manage.py purge_exports` does by hand what the schedule does."""

    help = "Delete files with everything about a person that have had their time."
    chore = "purge_exports"
    done = "{count} files deleted."

    def work(self, **options: Any) -> int:
        return services.purge_exports(at=timezone.now())
