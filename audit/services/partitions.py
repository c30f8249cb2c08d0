"""Making room for the entries to come: the logs are partitioned by month."""

from datetime import timedelta

from django.db import connection
from django.utils import timezone

# Rooms are made this long before they are needed; until somebody makes them, entries go to the default partition.
AHEAD = timedelta(days=95)


def make_partitions() -> int:
    """Make the partitions of the months to come that are missing, and return how many there were."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_make_partitions(%s)", [timezone.now().date() + AHEAD])
        row = cursor.fetchone()
    return int(row[0])
