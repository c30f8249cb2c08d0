"""An import as a client takes it through the API, with a worker that comes when it is called."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

# The tables in which a client's account, role and session lie, what the token is signed with, and what it was shown.
OF_CLIENTS = {
    "accounts_user", "accounts_roleassignment", "accounts_session", "accounts_signingkey", "audit_disclosure",
}  # fmt: skip
URL = "/api/v1/imports/"
# What a client is answered about one import.
Shown = dict[str, Any]


def imported(
    client: Any, work: Callable[[], int], kind: str, name: str, content: bytes, *, force: bool = False
) -> Shown:
    """Upload a file, let it be validated and applied, and return what is shown of the import then.

    With `force` also one that was applied before.
    """
    form = {"kind": kind, "file": SimpleUploadedFile(name, content), "force": json.dumps(force)}
    uploaded = client.post(URL, form, format="multipart")
    assert uploaded.status_code == 201, uploaded.json()
    job = uploaded.json()["data"]["id"]
    work()
    assert read(client, job)["state"] == "validated"
    return _taken(client, work, job, "apply")


def taken_back(client: Any, work: Callable[[], int], job: Any) -> Shown:
    """Let an import be taken back, and return what is shown of it then."""
    return _taken(client, work, job, "revert")


def reported(client: Any, job: Any) -> Counter[tuple[str, str]]:
    """Count the lines of an import's report by resource and by what became of them."""
    report = client.get(f"{URL}{job}/report/")
    lines = csv.DictReader(io.StringIO(b"".join(report.streaming_content).decode("utf-8-sig")))
    return Counter((line["resource"], line["outcome"]) for line in lines)


def read(client: Any, job: Any) -> Shown:
    shown: Shown = client.get(f"{URL}{job}/").json()["data"]
    return shown


def without(client: Any, tables: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Return a dump of the database without the client, who was not there at first."""
    left = {name: [] if name in OF_CLIENTS else rows for name, rows in tables.items()}
    left["accounts_person"] = [row for row in left["accounts_person"] if str(client.person_id) not in row]
    return left


def _taken(client: Any, work: Callable[[], int], job: Any, step: str) -> Shown:
    asked = client.post(f"{URL}{job}/{step}/")
    assert asked.status_code == 202, asked.json()
    work()
    return read(client, job)
