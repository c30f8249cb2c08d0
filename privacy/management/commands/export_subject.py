"""Write everything that the records say about a person to a file."""

from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.errors import DomainError
from privacy import services


class Command(BaseCommand):
    """`manage.py export_subject PERSON --out FILE --reason WHY` answers a request that came by another way."""

    help = "Write everything that the records say about a person to a ZIP, or list how much that is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("person", type=UUID, metavar="PERSON", help="The id of the person.")
        parser.add_argument("--out", type=Path, metavar="FILE", help="Where to write it; must not be there yet.")
        parser.add_argument("--reason", default="", help="What for; it goes on record.")
        parser.add_argument(
            "--to-the-person",
            action="store_true",
            help="It is handed to the person and to nobody else: identity numbers are in the clear.",
        )
        parser.add_argument("--list", action="store_true", help="Say how many rows of each table there are; no file.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["list"]:
                for label, count in services.listed(services.subject_of(options["person"])).items():
                    self.stdout.write(f"{count:>8}  {label}")
                return
            self._write(options)
        except DomainError as refused:
            raise CommandError(refused.detail) from refused

    def _write(self, options: dict[str, Any]) -> None:
        place: Path | None = options["out"]
        if place is None or not options["reason"].strip():
            raise CommandError("--out says where to write it and --reason what for; --list writes nothing.")
        try:
            with place.open("xb") as target:
                services.write_for_operator(
                    target,
                    options["person"],
                    to_themselves=options["to_the_person"],
                    reason=options["reason"],
                    at=timezone.now(),
                )
        except FileExistsError as there:
            raise CommandError(f"{place} is there already.") from there
        except DomainError:
            place.unlink()
            raise
        self.stdout.write(f"Written to {place}.")
