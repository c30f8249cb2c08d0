"""Mark those excused in sessions that have begun and that nobody has opened or marked."""

from typing import Any

from django.utils import timezone

from attendance import services
from core.management.chore import ChoreCommand


class Command(ChoreCommand):
    """`manage.py apply_excuses` does by hand what the schedule does; running it twice is the same as once."""

    help = "Mark students excused in the sessions of the last 31 days that an approved excuse covers."
    chore = "apply_excuses"
    done = "Students were marked excused in {count} sessions."

    def work(self, **options: Any) -> int:
        return services.apply_excuses(at=timezone.now())
