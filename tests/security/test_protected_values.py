"""A protected value goes through everything that the product does with it, and is then looked for everywhere."""

import gzip
import io
import logging

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.test import Client

from accounts.models import PersonIdentifier
from core.models import IdempotencyKey, OutboxEvent
from tests.accounts.factories import PersonFactory
from tests.security.traces import FIRST, SECOND, THIRD, cached, pg_dump, statements, traces_in

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.checklist(90),
    pytest.mark.usefixtures("own_database"),
]
LIST = "/api/v1/person-identifiers/"


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
    assert not traces_in(cached())


def test_the_search_finds_what_is_written_in_the_clear():
    """What the test above finds nowhere is found in all these places when it is there."""
    with statements() as sent:
        PersonFactory(last_name=FIRST)

    assert traces_in(pg_dump("--data-only", "--inserts"))
    assert traces_in(b"".join(sent))


def test_the_search_reads_what_is_logged(logged):
    logging.getLogger("core.anything").debug("It is %s", FIRST)

    assert traces_in(logged())
