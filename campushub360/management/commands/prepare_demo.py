"""The part of `make run` that needs Django: migrations, demo data for an empty database, and who may log in to it."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import OperationalError

from accounts.models import User
from campushub360.local.terminal import Terminal
from students.models import Student

DEMO_DOMAIN = "@demo.campushub360.example"


class Command(BaseCommand):
    help = "Migrate the database, fill it with demo data if it holds no student, and report the demo accounts."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--report", type=Path, help="write the demo accounts to this file, as JSON")

    def handle(self, *, report: Path | None, **options: Any) -> None:
        if not settings.DEMO_ACCOUNTS_ALLOWED:
            raise CommandError("demo data has no place here: DEMO_ACCOUNTS_ALLOWED is off")
        terminal = Terminal()
        try:
            with terminal.step("migrations"):
                call_command("migrate", interactive=False, verbosity=0)
        except OperationalError as error:
            raise CommandError(f"the database does not answer: {error}") from error
        if not Student.objects.exists():
            call_command("seed_demo", scale="small")
        accounts = User.objects.filter(email__endswith=DEMO_DOMAIN).order_by("email").values_list("email", flat=True)
        if report is not None:
            report.write_text(json.dumps({"accounts": list(accounts)}))
