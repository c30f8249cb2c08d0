"""Let what is personal go when its time is over."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from core.management.chore import ChoreCommand
from privacy import services


class Command(ChoreCommand):
    """`manage.py apply_retention` does by hand what the schedule does; `--dry-run` says how every period stands."""

    help = "Delete what has been kept for as long as it may be."
    chore = "apply_retention"
    done = "{count} rows and files deleted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Say what has had its time, and change nothing.")
        parser.add_argument("--json", action="store_true", help="With --dry-run: print one JSON array.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["dry_run"]:
            super().handle(*args, **options)
            return
        standings = services.retention_standings(at=timezone.now())
        if options["json"]:
            self.stdout.write(json.dumps([asdict(each) for each in standings]))
            return
        for each in standings:
            self.stdout.write(f"{each.due:>8}  {each.what}, kept {each.days:g} days ({each.chore})")

    def work(self, **options: Any) -> int:
        return services.apply_retention(at=timezone.now())
