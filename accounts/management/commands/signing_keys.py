"""Look after the keys that sign access tokens."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts import services
from accounts.models import SigningKey
from core.errors import DomainError


class Command(BaseCommand):
    """`manage.py signing_keys` lists them, `rotate` lets the next one sign, `revoke KID` removes one at once."""

    help = "List the keys that sign access tokens, let the next one sign, or stop believing one at once."

    def add_arguments(self, parser: CommandParser) -> None:
        steps = parser.add_subparsers(dest="step")
        steps.add_parser("list", help="show every key that is still trusted")
        steps.add_parser("rotate", help="let the next key sign from now on; nobody notices")
        revoke = steps.add_parser("revoke", help="refuse whatever a compromised key has signed")
        revoke.add_argument("kid")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["step"] == "rotate":
                services.rotate_signing_key(at=timezone.now())
            elif options["step"] == "revoke":
                services.revoke_signing_key(kid=options["kid"], at=timezone.now())
        except DomainError as error:
            raise CommandError(error.detail) from error
        for key in SigningKey.objects.trusted().order_by("published_at", "id"):
            self.stdout.write(f"{key.kid}  {key.state:8}  since {_since(key):%Y-%m-%d %H:%M:%S} UTC")


def _since(key: SigningKey) -> Any:
    return key.retired_at or key.activated_at or key.published_at
