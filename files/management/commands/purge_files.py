"""Forget deleted files that have had their time, and delete bytes that no file has."""

from typing import Any

from django.utils import timezone

from core.management.chore import ChoreCommand
from files import services


class Command(ChoreCommand):
    """`manage.py purge_files` does by hand what the schedule does."""

    help = "Forget deleted files that have had their time, and delete bytes that no file has."
    chore = "purge_files"
    done = "{count} files and leftovers deleted."

    def work(self, **options: Any) -> int:
        return services.collect_garbage(at=timezone.now())
