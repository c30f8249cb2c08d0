"""Say who sees a row, and by which grant."""

from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from core.visibility import grants_for


class Command(BaseCommand):
    """`manage.py who_sees students.student <id>` asks every account's grants, as a request of theirs would."""

    help = "List the accounts that see (or manage) a row, the roles they hold, and the grants that open it to them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model", help="As app.model, such as students.student.")
        parser.add_argument("id")
        parser.add_argument("--to", choices=["view", "manage"], default="view")

    def handle(self, *args: Any, **options: Any) -> None:
        row = self._row(options["model"], options["id"])
        rows, total = type(row)._base_manager.filter(pk=row.pk), 0
        for user in User.objects.filter(is_active=True).for_api().order_by("email").iterator(chunk_size=500):
            opening = [
                rule.__name__
                for rule in grants_for(type(row), options["to"])
                if (opened := rule(user)) is not None and rows.filter(opened).exists()
            ]
            if opening:
                total += 1
                roles = ", ".join(sorted({held.role for held in user.assignments})) or "no role"
                self.stdout.write(f"{user.email} ({roles}): {', '.join(opening)}")
        self.stdout.write(f"{total} accounts.")

    def _row(self, label: str, key: str) -> Any:
        try:
            row = apps.get_model(label)._base_manager.filter(pk=key).first()
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except (LookupError, ValueError) as error:
            raise CommandError(str(error)) from error
        if row is None:
            raise CommandError(f"There is no {label} with the id {key}.")
        return row
