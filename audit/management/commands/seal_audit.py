"""Seal the entries of the logs."""

from typing import Any

from django.core.management.base import CommandParser

from audit import services
from core.management.chore import ChoreCommand


class Command(ChoreCommand):
    """`manage.py seal_audit` does by hand what the schedule does."""

    help = "Chain the entries of the audit logs by hashes, so that verify_audit can tell whether they were changed."
    chore = "seal_audit"
    done = "{count} entries sealed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--restored",
            action="store_true",
            help="Once, before anybody writes to a database that was restored from a dump into another server.",
        )

    def work(self, **options: Any) -> int:
        return services.seal_restored() if options["restored"] else services.seal_logs()
