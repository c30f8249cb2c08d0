"""Say how the recurring chores stand."""

import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from core.chores import Standing, standings


class Command(BaseCommand):
    """`manage.py chores` lists them; it ends with 1 when one failed or is overdue, for whatever watches over it."""

    help = "List the recurring chores with their last success and failure; fail if one is not well."

    def handle(self, *args: Any, **options: Any) -> None:
        found = standings(at=timezone.now())
        for standing in found:
            self.stdout.write(_line(standing))
        if any(standing.word != "ok" for standing in found):
            sys.exit(1)


def _line(standing: Standing) -> str:
    last, facts = standing.last, [f"{standing.word:6} {standing.name}"]
    if last is not None and last.succeeded_at is not None:
        facts.append(f"last done {_when(last.succeeded_at)} ({last.count} rows)")
    if last is not None and standing.word == "failed":
        facts.append(f"failed {_when(last.failed_at)}: {last.failure}")
    return ", ".join(facts)


def _when(instant: Any) -> str:
    return f"{timezone.localtime(instant):%Y-%m-%d %H:%M:%S %Z}"
