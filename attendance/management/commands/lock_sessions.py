"""Lock the sheets of classes that are long over."""

from typing import Any

from django.utils import timezone

from attendance import services
from core.management.chore import ChoreCommand


class Command(ChoreCommand):
    """`manage.py lock_sessions` does by hand what the schedule does; running it twice is the same as once."""

    help = "Lock the sheets of classes since which as many days have gone as the policy says."
    chore = "lock_sessions"
    done = "{count} sheets locked."

    def work(self, **options: Any) -> int:
        return services.lock_sessions(at=timezone.now())
