"""Forget outbox events that were delivered long ago."""

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser

from core.management.chore import ChoreCommand
from core.relay import KEPT_DAYS, purge_delivered


class Command(ChoreCommand):
    """`manage.py purge_outbox` does by hand what the schedule does; undelivered and dead events always stay."""

    help = "Delete outbox events delivered more than some days ago."
    chore = "purge_outbox"
    done = "{count} events purged."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than-days", type=float, default=KEPT_DAYS)

    def work(self, **options: Any) -> int:
        return purge_delivered(older_than=timedelta(days=options["older_than_days"]))
