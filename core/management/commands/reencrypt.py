"""Encrypt anew what stands under an old key, or say how much that is."""

import sys
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from core.security.rotation import EncryptedColumn, Outcome, encrypted_columns, reencrypt, rows_by_key

ROUNDS = 20
PAUSE_SECONDS = 0.25


class Command(BaseCommand):
    """`manage.py reencrypt` brings every encrypted value under the first key of `ENCRYPTION_KEYS`.

    It may run while everything else does, and may be stopped and begun again at any time. It ends with status 0 when
    no row needs another key than the first, and with status 1 as long as one does: only then may a key be removed.
    """

    help = "Encrypt protected values with the first key; status 0 means that the others may be removed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Count the rows of each key and change nothing.")
        parser.add_argument("--batch", type=int, default=500, metavar="N", help="Rows written at a time.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["batch"] < 1:
            raise CommandError("--batch is at least 1.")
        columns = encrypted_columns()
        if not options["dry_run"]:
            for column in columns:
                self._bring_up_to_date(column, options["batch"])
        self._report(columns)

    def _bring_up_to_date(self, column: EncryptedColumn, batch: int) -> None:
        """Go through a column until nothing is left; rows that others hold or change get some more rounds."""
        total = _behind(column)
        with tqdm(desc=str(column), total=total, unit=" rows", disable=not sys.stderr.isatty(), leave=False) as bar:
            for number in range(ROUNDS):
                if number:
                    time.sleep(PAUSE_SECONDS)
                outcome: Outcome = reencrypt(column, batch=batch, progress=lambda rows: _advance(bar, rows))
                if _behind(column) <= outcome.unreadable:
                    return

    def _report(self, columns: list[EncryptedColumn]) -> None:
        """Print the rows of each key, and fail while a key besides the first has any."""
        current = settings.ENCRYPTION_KEYS[0][0]
        totals = {key_id: 0 for key_id, _ in settings.ENCRYPTION_KEYS}
        for column in columns:
            for key_id, rows in sorted(rows_by_key(column).items()):
                totals[key_id] = totals.get(key_id, 0) + rows
                self.stdout.write(f"{column}: {rows:,} rows under key {key_id}")
        for key_id, rows in totals.items():
            if key_id != current:
                self.stdout.write(
                    f"Key {key_id} may be removed: no row needs it." if not rows else f"Key {key_id}: {rows:,} rows."
                )
        behind = sum(rows for key_id, rows in totals.items() if key_id != current)
        if behind:
            raise CommandError(f"{behind:,} rows stand under other keys than {current}: keep every key.")
        self.stdout.write(f"Every row stands under key {current}.")


def _advance(bar: "tqdm[Any]", rows: int) -> None:
    bar.update(rows)


def _behind(column: EncryptedColumn) -> int:
    current = settings.ENCRYPTION_KEYS[0][0]
    return sum(rows for key_id, rows in rows_by_key(column).items() if key_id != current)
