"""What the parts do together: hostile files over HTTP and a worker, a command on a terminal, and memory that stays."""

import os
import pty
import subprocess
import sys
import tarfile
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from departments.models import Department
from interop.models import ImportRow
from tests.interop import command
from tests.interop.data import DATA, needs

URL = "/api/v1/imports/"


def upload(client: Any, kind: str, name: str, content: bytes, **parts: str) -> Any:
    return client.post(URL, {"file": SimpleUploadedFile(name, content), "kind": kind, **parts}, format="multipart")


def spectrum() -> dict[str, bytes]:
    found = {}
    with tarfile.open(DATA / "robustness" / "csv-spectrum.tar.gz") as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() and member.name.endswith(".csv") else None
            if stream is not None:
                found[Path(member.name).name] = stream.read()
    return found


@needs("robustness")
@pytest.mark.django_db
def test_csv_of_every_kind_is_imported_whole_or_refused_and_nothing_is_half_written(
    registrar_client: Any, work: Callable[[], int]
) -> None:
    outcomes = {}
    for name, content in spectrum().items():
        columns = content.decode("utf-8-sig").splitlines()[0].split(",")
        mapping = f'{{"code": {_quoted(columns[0])}, "name": {_quoted(columns[-1])}}}'
        answer = upload(registrar_client, "departments", name, content, mapping=mapping)
        if answer.status_code != 201:
            assert 400 <= answer.status_code < 500, name
            outcomes[name] = answer.json()["code"]
            continue
        job = answer.json()["data"]["id"]
        work()
        registrar_client.post(f"{URL}{job}/apply/")
        work()
        outcomes[name] = registrar_client.get(f"{URL}{job}/").json()["data"]["state"]
        written = ImportRow.objects.filter(job=job, action="create", applied_at__isnull=False)
        assert set(written.values_list("object_id", flat=True)) <= set(Department.objects.values_list("pk", flat=True))

    assert len(outcomes) == len(spectrum())
    assert not set(outcomes.values()) & {"validating", "applying"}
    created = ImportRow.objects.filter(action="create", applied_at__isnull=False).count()
    assert Department.objects.count() == created > 0


def _quoted(text: str) -> str:
    bare = text.strip().strip('"')
    return f'"{bare}"'


def departments(path: Path, number: int, notes: str = "") -> Path:
    lines = (f"D{at},Department {at},{notes}" for at in range(number))
    path.write_text("code,name,notes\n" + "\n".join(lines) + "\n")
    return path


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_longer_file_takes_no_more_memory(tmp_path: Path) -> None:
    # The note is in every row that is read, staged and reported, and more of a row than all the rest.
    notes, chunks = "x" * 20_000, ("--chunk-size", "250")
    short = command.import_data("departments", departments(tmp_path / "short.csv", 500, notes), *chunks)
    long = command.import_data("departments", departments(tmp_path / "long.csv", 3_000, notes), *chunks)

    assert (short["created"], long["created"]) == (500, 2_500)
    # Whoever held the rows that are more, in whatever form, would hold 48 MiB of notes alone.
    assert long["peak_mb"] - short["peak_mb"] < 20
    assert long["peak_mb"] <= command.MEMORY


@pytest.mark.django_db(transaction=True)
def test_the_command_shows_its_progress_on_a_terminal_and_nowhere_else(tmp_path: Path) -> None:
    file = departments(tmp_path / "departments.csv", 30)
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    arguments = [sys.executable, "manage.py", "import_data", "departments", str(file), "--chunk-size", "10", "--json"]
    ran = subprocess.Popen(
        arguments, cwd=command.CHECKOUT, env=command.environment(), stdout=subprocess.PIPE, stderr=theirs, text=True
    )
    os.close(theirs)
    seen = _everything_on(ours)
    printed, _ = ran.communicate()

    assert ran.returncode == 0, seen
    assert "Reading" in seen
    assert "Writing" in seen
    assert "rows" in seen
    assert printed.startswith("{")
    silent = subprocess.run(
        arguments, cwd=command.CHECKOUT, env=command.environment(), capture_output=True, text=True, check=True
    )
    assert "Reading" not in silent.stderr


def _everything_on(terminal: int) -> str:
    """Read a terminal until nobody writes to it any more."""
    said = b""
    while True:
        try:
            more = os.read(terminal, 4096)
        except OSError:  # Linux: the other side is closed
            more = b""
        if not more:
            os.close(terminal)
            return said.decode(errors="replace")
        said += more
