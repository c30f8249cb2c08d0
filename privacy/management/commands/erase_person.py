"""Erase a person: what is recorded of them stays, and who it was does not."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import DomainError
from privacy import services


class Command(BaseCommand):
    """`manage.py erase_person PERSON --dry-run` says what would be erased; without it, it is, and for good."""

    help = "Put a pseudonym in the place of a person, everywhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("person", type=UUID, metavar="PERSON", help="The id of the person.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be erased, and change nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            counts = services.erase_person(options["person"], dry_run=options["dry_run"])
        except DomainError as refused:
            raise CommandError(f"{refused.detail} [{refused.error_code}]") from refused
        for table, count in counts.items():
            self.stdout.write(f"{count:>8}  {table}")
        self.stdout.write("Nothing was changed." if options["dry_run"] or not counts else "Erased.")
