"""Fill an empty database with a made-up university."""

import time
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from attendance.models import AttendanceRecord, AttendanceSummary, ClassSession
from campushub360.demo.seed import is_empty, open_accounts, seed
from campushub360.demo.university import MOST_MONTHS, SCALES


class Command(BaseCommand):
    help = "Fill an empty database with a made-up university: the same seed, scale and day give the same rows."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--scale", choices=SCALES, default="small", help="small: 1,000 students (default)")
        parser.add_argument("--seed", type=int, default=1, help="another number makes another university")
        parser.add_argument(
            "--attendance-months", type=int, default=0, metavar="N",
            help=f"the classes of so many months and who was there, {MOST_MONTHS} at most (default: none)",
        )  # fmt: skip
        parser.add_argument("--today", type=date.fromisoformat, help="the day to make it up for (default: today)")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO_ACCOUNTS_ALLOWED:
            raise CommandError("demo data has no place here: DEMO_ACCOUNTS_ALLOWED is off")
        if not 0 <= options["attendance_months"] <= MOST_MONTHS:
            raise CommandError(
                f"--attendance-months is a number from 0 to {MOST_MONTHS}: so long the university has been"
            )
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise CommandError("the database lacks migrations: run `manage.py migrate` first")
        if not is_empty():
            raise CommandError("the database already holds a university; demo data goes into an empty one")
        began = time.monotonic()
        with transaction.atomic():
            counts = seed(
                scale=options["scale"], seed=options["seed"], today=options["today"] or timezone.localdate(),
                attendance_months=options["attendance_months"],
            )  # fmt: skip
            users = open_accounts(password=settings.DEMO_PASSWORD)
        if options["attendance_months"] and not connection.in_atomic_block:
            self._vacuum()
        for kind, count in counts.items():
            self.stdout.write(f"{count:>10,}  {kind}")
        self.stdout.write(f"{len(users):>10,}  demo accounts")
        self.stdout.write(f"in {time.monotonic() - began:.1f} s")

    def _vacuum(self) -> None:
        """Let indexes alone answer what they can: until somebody has done this, the rows are looked at as well."""
        quote = connection.ops.quote_name
        tables = (quote(model._meta.db_table) for model in (AttendanceRecord, AttendanceSummary, ClassSession))
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM (ANALYZE) {', '.join(tables)}")
