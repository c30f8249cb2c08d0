"""Make what the commonest reads ask for before anybody asks."""

from typing import Any

from django.core.management.base import CommandParser

from accounts.warming import MOST, warm_caches
from core.management.chore import ChoreCommand


class Command(ChoreCommand):
    """`manage.py warm_caches` does by hand what the schedule does: after a release, or when Redis was lost."""

    help = "Remember the lists that all who may ask are shown alike."
    chore = "warm_caches"
    done = "{count} answers made; what was remembered already was left alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--most", type=int, default=MOST, help="how many roles, with what they are held for")

    def work(self, **options: Any) -> int:
        return warm_caches(most=options["most"])
