"""`manage.py import_data` as whoever types it runs it: a process of its own, over what this process has committed."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.test import override_settings
from psycopg.conninfo import conninfo_to_dict

from core.db.notifications import direct_conninfo
from interop.models import ImportJob
from tests.interop.data import dump

CHECKOUT = Path(__file__).resolve().parents[2]


def environment() -> dict[str, str]:
    """Return the variables that lead a process to this test's database."""
    with override_settings(DATABASE_DIRECT_URL=""):
        database = conninfo_to_dict(direct_conninfo())
    url = "postgres://{user}:{password}@{host}:{port}/{dbname}".format(**{"password": "", **database})
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "campushub360.settings.testing",
        "DATABASE_URL": url,
        "DATABASE_DIRECT_URL": url,
    }


def import_data(*arguments: Any) -> dict[str, Any]:
    """Run the command with `--json` and return the one line that it prints."""
    ran = subprocess.run(
        [sys.executable, "manage.py", "import_data", *map(str, arguments), "--json"],
        cwd=CHECKOUT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    (line,) = ran.stdout.splitlines()
    printed: dict[str, Any] = json.loads(line)
    return printed


@dataclass(frozen=True)
class Imported:
    """What was there before the command imported a file, the job it made, and what it printed."""

    before: dict[str, list[Any]]
    job: ImportJob
    printed: dict[str, Any]


def imported(kind: str, path: Path) -> Imported:
    """Import a file by the command."""
    before = dump()
    printed = import_data(kind, path)
    return Imported(before, ImportJob.objects.latest("created_at"), printed)


FACTS = ["kind", "created", "updated", "unchanged", "rejected", "rows", "seconds", "peak_mb", "by_type"]
# In MiB, of the whole process: what the largest import may take.
MEMORY = 400
