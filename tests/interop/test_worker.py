"""The import by a relay and a worker of their own, over the real broker."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from psycopg.conninfo import conninfo_to_dict

from core.db.notifications import direct_conninfo
from core.ids import new_id
from departments.models import Department

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE = 60


@contextmanager
def process(kind: str, **variables: str) -> Iterator[None]:
    """Run a relay or a worker against this test's database and see to its end."""
    database = conninfo_to_dict(direct_conninfo())
    url = "postgres://{user}:{password}@{host}:{port}/{dbname}".format(**{"password": "", **database})
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.interop.process", kind],
        cwd=CHECKOUT,
        env={**os.environ, **variables, "DATABASE_URL": url, "DATABASE_DIRECT_URL": url},
    )
    try:
        yield
    finally:
        started.kill()
        started.wait()


@pytest.mark.django_db(transaction=True)
def test_a_worker_validates_applies_and_takes_back_what_is_asked_for(
    registrar_client: Any, settings: Any, import_root: Path
) -> None:
    settings.DATABASE_DIRECT_URL = ""
    variables = {
        "IMPORT_ROOT": str(import_root),
        "TEST_BROKER": settings.REDIS_URL,
        "TEST_QUEUE": f"imports-{new_id()}",
    }

    def until(job: str, state: str) -> dict[str, Any]:
        limit = time.monotonic() + PATIENCE
        shown: dict[str, Any] = {}
        while shown.get("state") != state and time.monotonic() < limit:
            time.sleep(0.1)
            shown = registrar_client.get(f"/api/v1/imports/{job}/").json()["data"]
        assert shown["state"] == state
        return shown

    with process("relay", **variables), process("worker", **variables):
        file = SimpleUploadedFile("departments.csv", b"code,name\nPHY,Physics\n")
        form = {"file": file, "kind": "departments"}
        job = registrar_client.post("/api/v1/imports/", form, format="multipart").json()["data"]["id"]
        until(job, "validated")
        registrar_client.post(f"/api/v1/imports/{job}/apply/")
        shown = until(job, "applied")

        assert shown["counts"]["created"] == 1
        assert Department.objects.get().name == "Physics"
        registrar_client.post(f"/api/v1/imports/{job}/revert/")
        shown = until(job, "reverted")

    assert shown["reversal"]["deleted"] == 1
    assert not Department.objects.exists()
