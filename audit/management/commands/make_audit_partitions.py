"""Make room in the logs for the months to come."""

from typing import Any

from audit import services
from core.management.chore import ChoreCommand


class Command(ChoreCommand):
    """`manage.py make_audit_partitions` does by hand what the schedule does; months that are there stay as they are."""

    help = "Make the partitions of the audit logs for the months to come."
    chore = "make_audit_partitions"
    done = "{count} partitions made."

    def work(self, **options: Any) -> int:
        return services.make_partitions()
