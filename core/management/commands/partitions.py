"""The tables kept by month: make the months to come, say how they stand, put old ones away, put them back."""

import sys
from argparse import ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from core import partitions
from core.db.locks import LockHeldError, LockTimeoutError
from core.management.chore import ChoreCommand
from core.partitions.making import ask
from core.partitions.months import read_month

REFUSALS = (
    partitions.DamagedArchiveError,
    partitions.KeptError,
    partitions.NotOwnerError,
    partitions.UnknownTableError,
)


class Command(ChoreCommand):
    """`manage.py partitions` does by hand what the schedule does: the months to come.

    `--status` lists them, and ends with 1 when something wants doing. `--archive` and `--restore` are for the owner of
    the tables, the role that migrates.
    """

    help = "Make the months to come of the tables kept by month; list them; put old ones away and back."
    chore = "partitions"
    done = "{count} months made."

    def add_arguments(self, parser: CommandParser) -> None:
        doing = parser.add_mutually_exclusive_group()
        doing.add_argument("--status", action="store_true", help="List the months of each table, and what is wrong.")
        doing.add_argument(
            "--archive", action="store_true", help="Put away the months that are older than their table keeps."
        )
        doing.add_argument("--restore", type=Path, metavar="PAGE.json", help="Put a month back from its files.")
        parser.add_argument("--table", help="With --archive: this table alone.")
        parser.add_argument("--before", type=_month, metavar="YYYY-MM", help="With --archive: months before this one.")

    def work(self, **options: Any) -> int:
        return partitions.make_months(at=timezone.now())

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["status"]:
                self._tell()
            elif options["archive"]:
                self._archive(options["table"], options["before"])
            elif options["restore"]:
                found = partitions.restore(options["restore"])
                self.stdout.write(f"{found.month} of {found.table} is back: {found.rows} rows.")
            else:
                super().handle(*args, **options)
        except REFUSALS as refused:
            raise CommandError(str(refused)) from refused
        except LockHeldError as busy:
            raise CommandError("Another run is at it.") from busy
        except LockTimeoutError as busy:
            raise CommandError("The table is in use; try again.") from busy

    def _archive(self, table: str | None, before: date | None) -> None:
        if before is not None and table is None:
            raise CommandError("--before is for one table: name it with --table.")
        for each in partitions.archive_old(at=timezone.now(), table=table, before=before):
            self.stdout.write(f"{each.month} of {each.table}: {each.rows} rows in {each.file}, sha256 {each.sha256}")

    def _tell(self) -> None:
        found = partitions.standings(ask, at=timezone.now())
        for each in found:
            months = sorted(each.months)
            span = f"{months[0]:%Y-%m} to {months[-1]:%Y-%m}" if months else "no month"
            size = sum(each.months.values()) / 1024 / 1024
            self.stdout.write(f"{each.table}: {span}, {each.ahead} ahead, {size:.1f} MiB")
            for month in sorted(each.detached):
                self.stdout.write(f"  {month:%Y-%m} was taken out and is not put away: --archive goes on with it")
            for fault in each.faults:
                self.stdout.write(f"  {fault}")
        if any(each.faults for each in found):
            sys.exit(1)


def _month(text: str) -> date:
    try:
        return read_month(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is no month such as 2026-03.") from error
