"""Forget outbox events that were delivered long ago."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.relay import KEPT_DAYS, purge_delivered


class Command(BaseCommand):
    """`manage.py purge_outbox` is for a daily schedule; undelivered and dead events always stay."""

    help = "Delete outbox events delivered more than some days ago."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than-days", type=float, default=KEPT_DAYS)

    def handle(self, *args: Any, **options: Any) -> None:
        purged = purge_delivered(older_than=timedelta(days=options["older_than_days"]))
        self.stdout.write(f"{purged} events purged.")
