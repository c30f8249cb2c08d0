"""Empty exports that have had their time, and have those made that nobody is at."""

from typing import Any

from django.utils import timezone

from core.management.chore import ChoreCommand
from interop import services


class Command(ChoreCommand):
    """`manage.py tend_exports` does by hand what the schedule does."""

    help = "Delete files of tables that have had their time, and wake workers for those that nobody is making."
    chore = "tend_exports"
    done = "{count} exports emptied or woken."

    def work(self, **options: Any) -> int:
        return services.tend_exports(at=timezone.now())
