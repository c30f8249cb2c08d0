"""Find out whether the logs are what was sealed, and erased from by erasures alone."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import services
from audit.models import Seal


class Command(BaseCommand):
    """`manage.py verify_audit` reads every sealed entry; it ends with status 1 when one was touched."""

    help = "Find what was edited, deleted, inserted or reordered in the audit logs, or redacted without an erasure."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--expect",
            action="append",
            default=[],
            metavar="HASH",
            help="A hash that was noted elsewhere, as `audit.sealed` logs it; it must be one of the seals'.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        faults = [
            f"no seal has the hash {expected}"
            for expected in options["expect"]
            if not Seal.objects.filter(hash=expected).exists()
        ]
        for verdict in services.verify_logs():
            standing = f"{verdict.entries} entries sealed, {verdict.unsealed} not yet"
            self.stdout.write(f"{verdict.log}: {standing}, {verdict.head}")
            faults += [f"{verdict.log}: {fault}" for fault in verdict.faults]
        if faults:
            raise CommandError("\n".join(["The logs were touched.", *faults]))
