"""Let proposals of substitutes end that nobody has answered before the class."""

from typing import Any

from django.utils import timezone

from attendance import services
from core.management.chore import ChoreCommand


class Command(ChoreCommand):
    """`manage.py expire_substitutions` does by hand what the schedule does; running it twice is the same as once."""

    help = "End the open proposals of substitutes for classes that have begun or do not take place."
    chore = "expire_substitutions"
    done = "{count} proposals expired."

    def work(self, **options: Any) -> int:
        return services.expire_substitutions(at=timezone.now())
