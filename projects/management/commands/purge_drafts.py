"""Delete drafts of projects that nobody has touched for long."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from core.management.chore import ChoreCommand
from projects import services


class Command(ChoreCommand):
    """`manage.py purge_drafts` does by hand what the schedule does; drafts with files go with `--with-files` alone."""

    help = "Delete drafts of projects that nobody has touched for some hours."
    chore = "purge_drafts"
    done = "{count} drafts deleted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--hours", type=float, default=settings.PROJECT_DRAFTS_KEPT / timedelta(hours=1))
        parser.add_argument("--with-files", action="store_true", help="Delete those that refer to files as well.")

    def work(self, **options: Any) -> int:
        return services.delete_abandoned_drafts(
            at=timezone.now(), kept=timedelta(hours=options["hours"]), with_files=options["with_files"]
        )
