"""No secret that is sent, wherever and however, is found afterwards where it has no business."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services, totp
from tests.accounts.keys import caller, program
from tests.authorization import canaries, matrix
from tests.authorization.canaries import BODIES, MONTH, TRACES
from tests.authorization.expectations import reviewed
from tests.authorization.world import OWN, World
from tests.security.conftest import logged
from tests.security.traces import cached, counted, forms_of, kept_files, mark, traces_in, written_with

__all__ = ["logged"]

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.sweep,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.checklist(94),
]
PASSWORD, BETTER = "an owl counts seven lanterns", "a heron folds paper kayaks"
ROOTS = ("IMPORT_ROOT", "EXPORT_ROOT", "FILES_ROOT", "MEDIA_ROOT", "ARCHIVE_ROOT")


@pytest.fixture
def sinks(logged: Any, settings: Any, tmp_path: Any) -> Any:
    """Return what reads everything that outlives a request, what the world of refusals keeps quiet included."""
    for name in ROOTS:
        setattr(settings, name, tmp_path / name)
    before, logging.root.manager.disable = logging.root.manager.disable, logging.NOTSET
    yield lambda: {
        "the log": logged(),
        "Redis": cached(),
        "metrics": counted(),
        "files": kept_files(tmp_path),
        "mails": b"".join(each.message().as_bytes() for each in mail.outbox),
    }
    logging.root.manager.disable = before


def test_secrets_sent_through_every_route_are_found_nowhere(world: World, sinks: Any) -> None:
    faults: list[str] = []
    answered: dict[str, bytes] = {}
    for op in matrix.operations():
        for attempt in canaries.attempts(world, op):
            faults += canaries.faults(world, op, attempt, answered)

    assert not faults, "\n" + "\n".join(faults)
    said = sinks()
    found = told_by(said, [*TRACES, *BODIES])
    assert found == {}
    assert said["the log"].count(b"\n") > len(answered)
    meant = {
        str(op) for op in matrix.operations() if reviewed().line(op).cell(canaries.whoever_may(op)).status(OWN) < 300
    }
    refused = {name: answer for name, answer in answered.items() if name in meant and answer}
    assert not refused, f"What was meant to be accepted was not, so that it shows little: {refused}"


def test_secrets_that_open_something_are_found_nowhere(world: World, sinks: Any) -> None:
    before, since = matrix.written(records=True), mark()
    secrets = [PASSWORD, BETTER, *of_a_person(world), *of_a_program(world)]
    touched = {table for table, _ in set(matrix.written(records=True).items()) - set(before.items())}

    assert len(secrets) > 20
    traces = forms_of(*secrets)
    rows = {MONTH.sub("", table): held for table in touched if (held := written_with(table, traces, since=since))}
    assert rows == {}
    assert {"accounts_user", "accounts_session", "accounts_secondfactor", "accounts_apikey"} <= touched
    found = told_by(sinks(), traces)
    assert found == {}


def told_by(said: dict[str, bytes], traces: list[bytes]) -> dict[str, list[bytes]]:
    """Return which traces are found where."""
    return {name: found for name, text in said.items() if (found := traces_in(text, traces))}


def of_a_person(world: World) -> list[str]:
    """Let somebody log in, add a second factor, change their password and log in with both; return all secrets."""
    services.create_user(by=None, email="owl@example.org", password=PASSWORD)
    client = APIClient()
    first = told(client, "token", {"email": "owl@example.org", "password": PASSWORD})
    second = told(client, "token/refresh", {"refresh": first["refresh"]})
    told(client, "token/verify", {"token": second["access"]})
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {second['access']}")
    app = told(client, "mfa/totp", {"password": PASSWORD})
    code = totp.code_at(app["secret"], totp.step_at(timezone.now()))
    confirmed = told(client, "mfa/totp/confirm", {"code": code})
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {confirmed['access']}")
    changed = told(client, "password/change", {"current_password": PASSWORD, "new_password": BETTER})
    client.credentials()
    waiting = told(client, "token", {"email": "owl@example.org", "password": BETTER})
    recovery = confirmed["recovery_codes"]
    last = told(client, "token/mfa", {"mfa_token": waiting["mfa_token"], "code": recovery[0]})
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {last['access']}")
    assert client.get("/api/v1/auth/me/").status_code == 200
    told(client, "logout", {}, 204)
    answers = (first, second, app, confirmed, changed, waiting, last)
    names = ("access", "refresh", "device", "secret", "mfa_token")
    return [*recovery, *(each[name] for each in answers for name in names if each.get(name))]


def of_a_program(world: World) -> list[str]:
    """Let an administrator make a key and another in its place, and a program use both; return the keys."""
    administrator, user = world.clients["system_admin"], program("integration")
    new = {
        "user": str(user.pk),
        "name": "Owls",
        "scopes": ["departments.view_campus"],
        "expires_at": timezone.now() + timedelta(days=9),
    }
    first = administrator.post("/api/v1/api-keys/", new, format="json", headers={"Idempotency-Key": "owls"}).json()[
        "data"
    ]
    url = f"/api/v1/api-keys/{first['id']}/rotate/"
    second = administrator.post(
        url, {"overlap_seconds": 60}, format="json", headers={"Idempotency-Key": "kites"}
    ).json()
    keys = [first["key"], second["data"]["key"]]
    assert [caller(key).get("/api/v1/campuses/").status_code for key in keys] == [200, 200]
    return keys


def told(client: APIClient, name: str, body: dict[str, str], status: int = 200) -> dict[str, Any]:
    """Post something of one's account, insist on it, and return what is answered."""
    answer = client.post(f"/api/v1/auth/{name}/", body, format="json", headers={"Idempotency-Key": f"owl {name}"})
    assert answer.status_code == status, answer.content
    data: dict[str, Any] = answer.json()["data"] if answer.content else {}
    return data


def test_the_search_finds_what_is_written_in_the_clear(world: World, sinks: Any) -> None:
    """What the tests above find nowhere is found in these places when it is there."""
    before, since = matrix.written(records=True), mark()
    logging.getLogger("core.anything").warning("It is %s", canaries.BODY)
    services.create_user(by=None, email="zq7391xvw8264@example.org", password=PASSWORD)
    touched = {table for table, _ in set(matrix.written(records=True).items()) - set(before.items())}

    said = sinks()
    found = {table for table in touched if written_with(table, forms_of("zq7391xvw8264"), since=since)}
    assert traces_in(said["the log"], BODIES)
    assert "accounts_user" in found
    assert said["Redis"]
    assert b"campushub360" in said["metrics"]
