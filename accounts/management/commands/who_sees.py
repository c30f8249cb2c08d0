"""Say who sees a row, and by which grant."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import ApiKey, User
from core.visibility import grants_for


class Command(BaseCommand):
    """`manage.py who_sees students.student <id>` asks every account's grants, as a request of theirs would.

    A program sees what each of its keys opens, so they are asked one by one and named by their prefixes.
    """

    help = "List the accounts that see (or manage) a row, the roles they hold, and the grants that open it to them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model", help="As app.model, such as students.student.")
        parser.add_argument("id")
        parser.add_argument("--to", choices=["view", "manage"], default="view")

    def handle(self, *args: Any, **options: Any) -> None:
        row = self._row(options["model"], options["id"])
        rows, accounts = type(row)._base_manager.filter(pk=row.pk), set()
        for user, name in _callers():
            opening = [
                rule.__name__
                for rule in grants_for(type(row), options["to"])
                if (opened := rule(user)) is not None and rows.filter(opened).exists()
            ]
            if opening:
                accounts.add(user.pk)
                roles = ", ".join(sorted({held.role for held in user.assignments})) or "no role"
                self.stdout.write(f"{name} ({roles}): {', '.join(opening)}")
        self.stdout.write(f"{len(accounts)} accounts.")

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


def _callers() -> Iterator[tuple[User, str]]:
    """Yield whoever may ask, and what to call them: people, and the keys of programs."""
    for user in User.objects.filter(is_active=True, is_service=False).for_api().order_by("email").iterator(500):
        yield user, user.email
    keys = ApiKey.objects.live(timezone.now()).filter(user__is_active=True, user__is_service=True).with_account()
    for key in keys.order_by("user__email", "prefix").iterator(500):
        yield key.account, f"{key.user.email} by chk_{key.prefix}"
