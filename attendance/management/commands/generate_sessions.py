"""Bring the sessions of what is taught in line with the timetable and the calendar."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from attendance import services
from core.management.chore import ChoreCommand
from departments.models import Term


class Command(ChoreCommand):
    """`manage.py generate_sessions` does by hand what the schedule does; running it twice is the same as once."""

    help = "Make, change and take away the dated sessions of sections as the timetable and the calendar say."
    chore = "generate_sessions"
    done = "{count} sessions made, changed or taken away."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--term", metavar="CODE", help="This term alone, whatever its state.")

    def work(self, **options: Any) -> int:
        term = None
        if options["term"]:
            term = Term.objects.filter(code=options["term"]).first()
            if term is None:
                raise CommandError(f"There is no term {options['term']}.")
        generated = services.generate_sessions(at=timezone.now(), term=term)
        for clash in generated.clashes:
            self.stdout.write(_line(clash))
        return generated.written


def _line(clash: dict[str, Any]) -> str:
    if "wanted_twice" in clash:
        return f"{clash['what']} {clash['starts_at']}: a teacher is wanted elsewhere, too"
    names = ", ".join(other["what"] for other in clash["taken_by"])
    return f"{clash['what']} {clash['starts_at']}: the room is taken by {names or 'something that left meanwhile'}"
