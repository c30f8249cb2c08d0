"""Look after the keys of programs from a shell."""

from argparse import ArgumentTypeError
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from accounts import services
from accounts.models import ApiKey, User
from core.errors import DomainError


def days(text: str) -> datetime:
    """Return the instant so many days from now."""
    if not text.isdecimal() or len(text) > len("9999"):
        raise ArgumentTypeError(f"{text} is no number of days")
    return timezone.now() + timedelta(days=int(text))


class Command(BaseCommand):
    """`manage.py api_keys` lists them; `create EMAIL NAME SCOPE…`, `rotate PREFIX` and `revoke PREFIX` change them."""

    help = "List the API keys that open something, make one, replace one or take one back. A key is printed once."

    def add_arguments(self, parser: CommandParser) -> None:
        steps = parser.add_subparsers(dest="step")
        steps.add_parser("list", help="show every key that has not ended")
        create = steps.add_parser("create", help="make a key for the account of a program")
        create.add_argument("email", help="the address of the account")
        create.add_argument("name", help="which program uses the key")
        create.add_argument("scopes", nargs="+", help="permissions, such as courses.view_course")
        create.add_argument("--days", type=days, required=True, dest="expires_at", help="how long it lives")
        create.add_argument("--network", action="append", default=[], dest="networks", help="where it may come from")
        for step, does in (("rotate", "make the successor of a key"), ("revoke", "take a key back at once")):
            steps.add_parser(step, help=does).add_argument("prefix", help="what stands between chk_ and the next _")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with transaction.atomic():
                self._take(**options)
        except DomainError as error:
            raise CommandError("; ".join(violation.detail for violation in error.violations)) from error

    def _take(self, *, step: str | None, **options: Any) -> None:
        match step:
            case "create":
                self._tell(self._created(**options))
            case "rotate":
                self._tell(services.rotate_api_key(self._key(options["prefix"]), by=None, at=timezone.now()))
            case "revoke":
                services.revoke_api_key(self._key(options["prefix"]), by=None)
            case _:
                for key in ApiKey.objects.live(timezone.now()).for_api().order_by("user__email", "created_at"):
                    used = f"{key.use.last_used_at:%Y-%m-%d %H:%M}" if key.use.last_used_at else "never"
                    until = f"{key.expires_at:%Y-%m-%d %H:%M} UTC"
                    self.stdout.write(f"{key.prefix}  {key.user.email}  {key.name}  until {until}  used {used}")

    def _created(self, *, email: str, networks: list[str], **values: Any) -> ApiKey:
        user = User.objects.addressed(email).first()
        if user is None:
            raise CommandError(f"There is no account {email}.")
        given = {name: values[name] for name in ("name", "scopes", "expires_at")}
        return services.create_api_key(by=None, user=user, ip_networks=networks, **given)

    def _key(self, prefix: str) -> ApiKey:
        key = ApiKey.objects.select_for_update(of=("self",)).select_related("user").filter(prefix=prefix).first()
        if key is None:
            raise CommandError(f"There is no key with the prefix {prefix}.")
        return key

    def _tell(self, key: ApiKey) -> None:
        self.stdout.write(key.secret)
