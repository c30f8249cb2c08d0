"""Open the first account of an installation."""

from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import services
from core.errors import DomainError


class Command(BaseCommand):
    help = "Open an account with the role of system administrator; the password is asked for."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--password", help="For scripts; otherwise it is asked for on the terminal.")

    def handle(self, *args: Any, **options: Any) -> None:
        password = options["password"] or getpass("Password: ")
        try:
            user = services.create_administrator(email=options["email"], password=password)
        except DomainError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"{user.email} is a system administrator.")
