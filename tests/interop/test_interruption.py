"""An import that is killed and resumed comes to the same end as one that was left alone."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from psycopg.conninfo import conninfo_to_dict

from core.db.notifications import direct_conninfo
from interop import services
from interop.models import ImportJob, ImportRow, ImportState
from interop.services import SupersededError
from students.models import Student
from tests.departments.factories import DepartmentFactory, ProgramFactory
from tests.interop.data import dump
from tests.interop.importing import imported, table, totals, validated

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE = 60
ROWS = 400
# What differs between two imports of the same file into the same records.
OF_ITS_OWN = {"id", "object_id", "person_id", "student_id", "created_at", "updated_at", "happened_at"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = [
        {"student_no": f"S{number:04}", "last_name": f"Name {number}", "department": "SCI", "program": "BSC",
         "birth_date": "" if number % 50 else "nonsense"}
        for number in range(ROWS)
    ]  # fmt: skip
    return table(tmp_path / "students.csv", *rows)


@pytest.fixture(autouse=True)
def department(transactional_db: None, settings: Any) -> None:
    settings.DATABASE_DIRECT_URL = ""  # so that other processes are sent to the database of the tests
    ProgramFactory(code="BSC", department=DepartmentFactory(code="SCI"))


@contextmanager
def command(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `import_data` in a process of its own against this test's database, and see to its end."""
    database = conninfo_to_dict(direct_conninfo())
    url = "postgres://{user}:{password}@{host}:{port}/{dbname}".format(**{"password": "", **database})
    process = subprocess.Popen(
        [sys.executable, "manage.py", "import_data", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, "DATABASE_URL": url, "DATABASE_DIRECT_URL": url},
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.001)


def content() -> dict[str, list[str]]:
    """Return the database as a value in which the same import is the same whenever it was made."""
    tables = {}
    for name, rows in dump().items():
        plain = [{key: value for key, value in json.loads(row).items() if key not in OF_ITS_OWN} for row in rows]
        tables[name] = sorted(json.dumps(row, sort_keys=True) for row in plain)
    return tables


def killed(moment: Callable[[ImportJob], bool], *arguments: str) -> ImportJob:
    """Kill an import at a moment, the hard way."""
    with command(*arguments) as process:
        wait_until(lambda: any(moment(job) for job in ImportJob.objects.all()))
        process.send_signal(signal.SIGKILL)
        assert process.wait(PATIENCE) == -signal.SIGKILL
    return ImportJob.objects.get()


def test_killed_while_it_writes_it_goes_on_where_it_stopped(file: Path) -> None:
    arguments = ("students", str(file), "--chunk-size", "20")
    job = killed(lambda job: job.state == ImportState.APPLYING and job.rows_done >= ROWS // 4, *arguments)
    written = Student.objects.count()
    assert job.state == ImportState.APPLYING
    assert 0 < written < ROWS - ROWS // 50
    assert ImportRow.objects.filter(job=job, action="create", applied_at__isnull=False).count() == written

    with command("--resume", str(job.pk), "--chunk-size", "30") as process:
        assert process.wait(PATIENCE) == 0

    job.refresh_from_db()
    resumed = content()
    assert totals(job) == (ROWS - ROWS // 50, 0, 0, ROWS // 50)
    services.revert(job.pk, by=None)
    assert Student.objects.count() == 0
    assert totals(imported("students", file)) == totals(job)
    assert content() == resumed


def test_killed_while_it_reads_it_begins_anew(file: Path) -> None:
    arguments = ("students", str(file), "--chunk-size", "10")
    job = killed(lambda job: job.state == ImportState.VALIDATING and job.rows_done >= ROWS // 4, *arguments)
    assert job.state == ImportState.VALIDATING
    assert 0 < ImportRow.objects.filter(job=job).count() < ROWS

    services.validate(job.pk, by=None)
    job = services.apply(job.pk, by=None)

    assert totals(job) == (ROWS - ROWS // 50, 0, 0, ROWS // 50)
    assert ImportRow.objects.filter(job=job).count() == ROWS


def test_killed_while_it_is_taken_back_everything_is_as_it_was_and_it_can_be_taken_back_again(file: Path) -> None:
    before = content()
    job = imported("students", file)
    applied = dump()
    arguments = ("--revert", str(job.pk), "--chunk-size", "20")

    job = killed(lambda job: job.state == ImportState.REVERTING and job.rows_done >= ROWS // 4, *arguments)

    assert job.state == ImportState.REVERTING
    assert dump() == applied
    with command("--resume", str(job.pk), "--chunk-size", "30") as process:
        assert process.wait(PATIENCE) == 0
    job.refresh_from_db()
    assert job.state == ImportState.REVERTED
    assert content() == before


def test_one_that_is_taken_over_while_it_takes_back_changes_nothing(file: Path) -> None:
    job = imported("students", file)
    applied = dump()

    def take_over(_: Any) -> None:
        with closing(connection.copy()) as elsewhere, elsewhere.cursor() as cursor:
            cursor.execute("UPDATE interop_importjob SET run_id = gen_random_uuid()")

    with pytest.raises(SupersededError):
        services.revert(job.pk, by=None, chunk_size=100, progress=take_over)

    assert dump() == applied


def test_an_error_that_nobody_foresaw_while_it_is_taken_back_leaves_it_in_force(file: Path) -> None:
    job = imported("students", file)
    applied = dump()
    services.request_reversal(job, by=None)
    run_id = uuid4()

    def fail(_: Any) -> None:
        raise MemoryError

    with pytest.raises(MemoryError) as error:
        services.take_back(job.pk, run_id=run_id, chunk_size=100, progress=fail)
    services.fail(job.pk, run_id, error.value, by=None)

    job.refresh_from_db()
    assert job.state == ImportState.PARTIALLY_APPLIED
    assert [fault["code"] for fault in job.errors] == ["internal_error"]
    assert dump() == applied


def test_one_that_is_taken_over_stops(file: Path) -> None:
    job = validated("students", file)

    def take_over(_: Any) -> None:
        if Student.objects.count() == 20:
            services.apply(job.pk, by=None, chunk_size=50)

    with pytest.raises(SupersededError):
        services.apply(job.pk, by=None, chunk_size=20, progress=take_over)

    job.refresh_from_db()
    assert job.state == ImportState.PARTIALLY_APPLIED
    assert totals(job) == (ROWS - ROWS // 50, 0, 0, ROWS // 50)
    assert Student.objects.count() == ROWS - ROWS // 50


def test_one_that_is_taken_over_does_not_fail_the_later_run(file: Path) -> None:
    job = validated("students", file)
    superseded, later = uuid4(), uuid4()
    for run_id in (superseded, later):
        services.apply(job.pk, by=None, run_id=run_id, chunk_size=100, until=0)

    with pytest.raises(SupersededError):
        services.fail(job.pk, superseded, MemoryError(), by=None)

    job.refresh_from_db()
    assert (job.state, job.run_id, job.errors) == (ImportState.APPLYING, later, [])


def test_one_that_has_run_long_enough_leaves_the_rest_to_the_next(file: Path) -> None:
    job = validated("students", file)

    rounds = 0
    while services.apply(job.pk, by=None, chunk_size=150, until=0).state == ImportState.APPLYING:
        rounds += 1

    job.refresh_from_db()
    assert rounds > 1
    assert totals(job) == (ROWS - ROWS // 50, 0, 0, ROWS // 50)


def test_an_error_that_nobody_foresaw_leaves_an_import_that_can_be_resumed_or_taken_back(file: Path) -> None:
    before = content()
    job = validated("students", file)

    def fail(_: Any) -> None:
        raise MemoryError

    run_id = uuid4()
    with pytest.raises(MemoryError) as error:
        services.apply(job.pk, by=None, run_id=run_id, chunk_size=100, progress=fail)
    services.fail(job.pk, run_id, error.value, by=None)

    job.refresh_from_db()
    assert job.state == ImportState.FAILED
    assert [fault["code"] for fault in job.errors] == ["internal_error"]
    assert 0 < Student.objects.count() < ROWS // 2
    services.revert(job.pk, by=None)
    assert content() == before


def test_the_same_again_after_an_unforeseen_error(file: Path) -> None:
    job = validated("students", file)
    run_id = uuid4()
    services.apply(job.pk, by=None, run_id=run_id, chunk_size=100, until=0)
    services.fail(job.pk, run_id, MemoryError(), by=None)

    resumed = services.apply(job.pk, by=None)

    assert resumed.state == ImportState.PARTIALLY_APPLIED
    assert resumed.errors == []
    assert Student.objects.count() == ROWS - ROWS // 50
