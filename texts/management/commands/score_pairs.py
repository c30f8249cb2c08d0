"""Say of pairs of texts how much of the one stands in the other: for checking the measure against known answers."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from texts.analysis.pairs import BadTableError, scores

NEEDS_QUOTES = frozenset(',"\r\n')


class Command(BaseCommand):
    """`manage.py score_pairs FILE.csv` reads `id`, `text` and `source`, and touches no record."""

    help = (
        "Print id,score for each row of a CSV file in UTF-8 with the columns id, text and source: how much of the text "
        "stands in the source, from 0 to 1. Ids are printed as they stand in the file."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["file"]
        try:
            with path.open(newline="", encoding="utf-8-sig") as table:
                for name, score in scores(table):
                    self.stdout.write(f"{_field(name)},{score:.6f}")
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}") from error
        except BadTableError as error:
            raise CommandError(f"{path}: {error}.") from error


def _field(value: str) -> str:
    """Return a value as a field of CSV (RFC 4180)."""
    return '"{}"'.format(value.replace('"', '""')) if NEEDS_QUOTES & set(value) else value
