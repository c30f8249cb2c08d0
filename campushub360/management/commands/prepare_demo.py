"""What `make run` and `make stack` need Django for: migrations, demo data for an empty database, and demo accounts."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from accounts.models import User
from accounts.services import set_demo_password
from campushub360.demo.seed import is_empty
from campushub360.demo.university import MAIL, SCALES
from campushub360.local.terminal import Terminal

# From the beginning of a term, so that no class of it is unmarked for being too old. Of a larger university a month has
# millions of marks.
ATTENDANCE_MONTHS = {"small": 3}


class Command(BaseCommand):
    help = "Migrate the database, fill it with demo data if it is empty, and report the demo accounts."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--report", type=Path, help="write the demo accounts to this file, as JSON")
        parser.add_argument(
            "--scale", choices=SCALES, default="small", help="how much demo data an empty database gets"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO_ACCOUNTS_ALLOWED:
            raise CommandError("demo data has no place here: DEMO_ACCOUNTS_ALLOWED is off")
        try:
            with Terminal().step("migrations"):
                call_command("migrate", interactive=False, verbosity=0)
        except OperationalError as error:
            raise CommandError(f"the database does not answer: {str(error).strip()}") from error
        if is_empty():
            months = ATTENDANCE_MONTHS.get(options["scale"], 0)
            call_command("seed_demo", scale=options["scale"], attendance_months=months)
        emails = self._open_doors(settings.DEMO_PASSWORD)
        if options["report"] is not None:
            options["report"].write_text(json.dumps({"accounts": emails}))

    def _open_doors(self, password: str) -> list[str]:
        """Make `password` the one that is printed, whatever an earlier start was asked for; return the addresses."""
        accounts = list(User.objects.filter(email__endswith=f"@{MAIL}").order_by("email"))
        if accounts and not accounts[0].check_password(password):
            for account in accounts:
                set_demo_password(account, password=password)
        return [account.email for account in accounts]
