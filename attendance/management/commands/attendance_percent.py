"""Compute percentages of attendance from a table, as the records compute them: for checking published figures."""

import csv
import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from attendance.calculation import percent_of

COLUMNS = ("id", "attended", "held")
MOST = 10**9


class Command(BaseCommand):
    """`manage.py attendance_percent FILE.csv --json` reads `id`, `attended` and `held`, and touches no record."""

    help = (
        "Print the percentage of each line of a CSV file with the columns id, attended and held, and of all together."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--json", action="store_true", help="Print JSON rather than lines.")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = list(_rows(options["file"]))
        attended, held = sum((row[1] for row in rows), Decimal(0)), sum((row[2] for row in rows), Decimal(0))
        lines = [_line(*row) for row in rows]
        total = {**_line("", attended, held), "rows": len(rows)}
        del total["id"]
        if options["json"]:
            self.stdout.write(json.dumps({"rows": lines, "total": total}, ensure_ascii=False))
            return
        for line in [*lines, {"id": "total", **total}]:
            self.stdout.write(f"{line['id']}: {line['percent'] or '-'} ({line['attended']} of {line['held']})")


def _line(name: str, attended: Decimal, held: Decimal) -> dict[str, Any]:
    percent = percent_of(attended, held)
    return {
        "id": name,
        "attended": str(attended),
        "held": str(held),
        "percent": None if percent is None else str(percent),
    }


def _rows(path: Path) -> Iterator[tuple[str, Decimal, Decimal]]:
    """Yield the lines of a file; raise `CommandError` with the number of the first that makes no sense."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as source:
            table = csv.DictReader(source)
            if missing := set(COLUMNS) - set(table.fieldnames or ()):
                raise CommandError(f"{path} has no column {', '.join(sorted(missing))}.")
            for row in table:
                yield row["id"], *_numbers(row, f"{path}, line {table.line_num}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error


def _numbers(row: dict[str, str | None], where: str) -> tuple[Decimal, Decimal]:
    try:
        attended, held = Decimal(row["attended"] or ""), Decimal(row["held"] or "")
    except InvalidOperation as error:
        raise CommandError(f"{where}: attended and held are numbers.") from error
    if not (attended.is_finite() and held.is_finite() and 0 <= attended <= held <= MOST):
        raise CommandError(f"{where}: attended lies between nothing and held, which is {MOST} at most.")
    return attended, held
