"""Hold the summaries of attendance against the marks they are made of."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from attendance import services
from core.management.chore import ChoreCommand
from departments.models import Term


class Command(ChoreCommand):
    """`manage.py verify_attendance` does by hand what the schedule does, and names what it found."""

    help = "Count attendance anew from the marks; report and mend every summary that says something else."
    chore = "verify_attendance"
    done = "{count} summaries mended."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--term", metavar="CODE", help="This term alone, whatever its state.")

    def work(self, **options: Any) -> int:
        term = None
        if options["term"]:
            term = Term.objects.filter(code=options["term"]).first()
            if term is None:
                raise CommandError(f"There is no term {options['term']}.")
        count = 0
        for one in services.verify_summaries(at=timezone.now(), term=term):
            count += 1
            off = ", ".join(
                f"{name} {one.said[name]} is {one.found[name]}"
                for name in one.said
                if one.said[name] != one.found[name]
            )
            self.stdout.write(f"{one.enrollment}: {off}")
        return count
