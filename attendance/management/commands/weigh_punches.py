"""Mark by what readers saw of which the class has become known since."""

from typing import Any

from django.utils import timezone

from attendance import services
from core.management.chore import ChoreCommand


class Command(ChoreCommand):
    """`manage.py weigh_punches` does by hand what the schedule does; running it twice is the same as once."""

    help = "Weigh anew what readers saw in the last week that was of no class or of a locked sheet."
    chore = "weigh_punches"
    done = "{count} punches mark somebody now."

    def work(self, **options: Any) -> int:
        return services.weigh_punches(at=timezone.now())
