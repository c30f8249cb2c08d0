"""Forget what people guessed wrong long ago."""

from typing import Any

from django.utils import timezone

from accounts import services
from core.management.chore import ChoreCommand


class Command(ChoreCommand):
    """`manage.py purge_guess_counts` does by hand what the schedule does; a lock that holds always stays."""

    help = "Delete counts of wrong passwords that nothing was added to for sixty days."
    chore = "purge_guess_counts"
    done = "{count} counts of guesses purged."

    def work(self, **_options: Any) -> int:
        return services.purge_guess_counts(at=timezone.now())
