"""How long it takes until there are data: a year of the Open University imported, a small university made up.

Both are commands as somebody types them, each in a process of its own, over a database that is made for them and
dropped afterwards. Rate and memory of the import are those that the command prints; of the demo data, the whole run of
the command counts, its start included.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from psycopg import sql

from benchmarks.harness import Size, Target, never
from benchmarks.servers import REDIS_DATABASE, ServerError, database_url
from campushub360.local import CHECKOUT

FOLDER = CHECKOUT.parent / "shared" / "data" / "oulad_open"
ROWS_PER_SECOND = 1_500
PEAK_MB = 400
SEED_SECONDS = 20


def targets(size: Size, folder: Path = FOLDER) -> Iterator[Target]:
    """Measure the demo data and, where the dataset is there, its import beside them."""
    with _empty_database() as environment:
        began = time.perf_counter()
        manage(environment, "seed_demo", "--scale", "small")
        yield Target("seed_demo --scale small", "at most", SEED_SECONDS, time.perf_counter() - began, "s")
        if folder.exists():
            yield from importing(json.loads(manage(environment, "import_data", "oulad", str(folder), "--json")))
        else:
            sys.stderr.write(f"make bench: {folder} is not there, so no import was measured\n")


def importing(printed: Mapping[str, Any]) -> list[Target]:
    """Return the targets that what `import_data --json` has printed is held to."""
    rate = printed["rows"] / printed["seconds"]
    return [
        Target("import of OULAD: rate", "at least", ROWS_PER_SECOND, rate, "rows/s"),
        Target("import of OULAD: memory", "at most", PEAK_MB, printed["peak_mb"], "MiB"),
        never("import of OULAD: rows refused", printed["rejected"], printed["rows"]),
    ]


@contextmanager
def _empty_database() -> Iterator[dict[str, str]]:
    """Make a database with all tables and no row, and give the variables that lead a command to it."""
    name = f"{connection.settings_dict['NAME']}_imports"
    environment = leading_to(name)
    _drop(name)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        manage(environment, "migrate", "--verbosity", "0")
        yield environment
    finally:
        _drop(name)


def leading_to(name: str) -> dict[str, str]:
    """Return the environment of a command that works on a database of the server."""
    url = urlsplit(database_url("postgres"))._replace(path=f"/{name}").geturl()
    redis = {key: urlsplit(getattr(settings, key))._replace(path=REDIS_DATABASE).geturl()
             for key in ("REDIS_URL", "REDIS_STATE_URL")}  # fmt: skip
    variables = {"DJANGO_SETTINGS_MODULE": "campushub360.settings.development", "DATABASE_URL": url}
    return {**os.environ, **variables, "DATABASE_DIRECT_URL": url, **redis}


def _drop(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def manage(environment: Mapping[str, str], *arguments: str) -> str:
    """Run a command and return what it has printed; raise `ServerError` with its last words when it fails."""
    command = [sys.executable, "manage.py", *arguments]
    ran = subprocess.run(command, cwd=CHECKOUT, env=dict(environment), capture_output=True, text=True, check=False)
    if ran.returncode:
        raise ServerError(f"{' '.join(arguments)} failed: {ran.stderr[-2000:]}")
    return ran.stdout
