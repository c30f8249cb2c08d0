"""A real scheduler and a real worker over a real broker: what the schedule names is done in the database."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from socket import gethostname
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db.models.functions import Now
from psycopg.conninfo import conninfo_to_dict

from core.db.notifications import direct_conninfo
from core.ids import new_id
from core.models import Chore, IdempotencyKey
from tests.local.conftest import eventually

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
CHECKOUT = Path(__file__).resolve().parents[2]
NOWHERE = "postgres://nobody@127.0.0.1:1/nothing"


@contextmanager
def process(kind: str, **variables: str) -> Iterator[None]:
    """Run a scheduler or a worker and see to its end."""
    command = [sys.executable, "-m", "tests.core.celery_process", kind]
    started = subprocess.Popen(command, cwd=CHECKOUT, env={**os.environ, **variables})
    try:
        yield
    finally:
        started.terminate()
        started.wait(30)


def answers(broker: str, node: str) -> bool:
    """Ask a node as the deployment's health check does."""
    celery = [sys.executable, "-m", "celery", "--app=campushub360.celery", f"--broker={broker}"]
    ask = [*celery, "inspect", "ping", f"--destination={node}", "--timeout=5"]
    return subprocess.run(ask, cwd=CHECKOUT, stdout=subprocess.DEVNULL, check=False).returncode == 0


def test_what_is_due_is_done_and_the_scheduler_needs_no_database(settings: Any) -> None:
    settings.DATABASE_DIRECT_URL = ""
    database = conninfo_to_dict(direct_conninfo())
    url = "postgres://{user}:{password}@{host}:{port}/{dbname}".format(**{"password": "", **database})
    queue = f"chores-{new_id()}"
    broker = {"TEST_BROKER": settings.REDIS_URL, "TEST_QUEUE": queue}
    IdempotencyKey.objects.create(
        principal="somebody",
        key="old",
        method="POST",
        path="/",
        request_sha256="0" * 64,
        status_code=201,
        response_body=b"",
        expires_at=Now() - timedelta(hours=1),
    )

    with (
        process("worker", **broker, DATABASE_URL=url, DATABASE_DIRECT_URL=url),
        process("beat", **broker, DATABASE_URL=NOWHERE, DATABASE_DIRECT_URL=NOWHERE),
    ):
        done = Chore.objects.filter(succeeded_at__isnull=False)
        assert eventually(lambda: done.count() == len(django_settings.CELERY_BEAT_SCHEDULE), seconds=60)
        assert answers(settings.REDIS_URL, f"{queue}@{gethostname()}")

    assert not IdempotencyKey.objects.exists()
    assert not Chore.objects.filter(failed_at__isnull=False).exists()
