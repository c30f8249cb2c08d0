"""Say whether every file has its bytes, as they were uploaded: after a restore, and whenever a disk is in doubt."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from files import services


class Command(BaseCommand):
    """`manage.py verify_files` reads every content; it ends with 1 when one is missing or damaged."""

    help = "Read the content of every file and compare it with its digest; fail if one is not what it was."

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(services.verify())
        for sha256, fault in found:
            self.stdout.write(f"{fault} {sha256}")
        self.stdout.write(f"{len(found)} contents are missing or damaged.")
        if found:
            sys.exit(1)
