"""An uploaded file lies on the disk exactly as long as there is an import of it."""

import gzip
import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from openpyxl import Workbook

from interop import services
from interop.models import ImportJob


def upload() -> ImportJob:
    content = io.BytesIO(b"code,name\nPHY,Physics\n")
    return services.upload(by=None, kind="departments", content=content, file_name="departments.csv")


@pytest.mark.django_db(transaction=True)
def test_the_file_goes_when_the_surrounding_transaction_is_rolled_back(import_root: Path) -> None:
    with transaction.atomic():
        upload()
        assert len(list(import_root.iterdir())) == 1
        transaction.set_rollback(True)

    assert not ImportJob.objects.exists()
    assert list(import_root.iterdir()) == []


@pytest.mark.django_db(transaction=True)
def test_the_file_goes_with_the_part_of_a_transaction_that_is_rolled_back(import_root: Path) -> None:
    with transaction.atomic():
        kept = upload()
        with transaction.atomic():
            upload()
            transaction.set_rollback(True)

    assert list(ImportJob.objects.all()) == [kept]
    assert [file.name for file in import_root.iterdir()] == [kept.stored_path]


@pytest.mark.django_db(transaction=True)
def test_the_file_stays_once_its_import_is_committed(import_root: Path) -> None:
    job = upload()

    assert [file.name for file in import_root.iterdir()] == [job.stored_path]


ROWS = 6_000


def workbook(content: bytes) -> bytes:
    book, saved = Workbook(), io.BytesIO()
    for line in content.decode().splitlines():
        book.active.append(line.split(","))
    book.save(saved)
    return saved.getvalue()


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "departments.csv": bytes,
    "departments.csv.gz": gzip.compress,
    "departments.xlsx": workbook,
}


def windows(data: bytes) -> set[bytes]:
    """Return every piece of 16 bytes."""
    return {data[begin : begin + 16] for begin in range(len(data) - 15)}


@pytest.mark.django_db
@pytest.mark.parametrize("name", FORMS)
def test_a_file_of_every_form_lies_encrypted_and_is_read_all_the_same(name: str, import_root: Path) -> None:
    lines = [f"D{number},Department {hashlib.sha256(b'%d' % number).hexdigest()}" for number in range(ROWS)]
    content = FORMS[name]("\n".join(["code,name", *lines]).encode())
    job = services.upload(by=None, kind="departments", content=io.BytesIO(content), file_name=name)

    job = services.validate(job.pk, by=None)

    (stored,) = import_root.iterdir()
    assert (job.state, job.rows_read) == ("validated", ROWS)
    assert job.sha256 == hashlib.sha256(content).hexdigest()
    assert stored.stat().st_size > len(content)
    assert not {content[begin : begin + 16] for begin in range(0, len(content), 10_000)} & windows(stored.read_bytes())


@pytest.mark.django_db
@pytest.mark.parametrize("harm", ["damaged", "key is gone"])
def test_a_stored_file_that_cannot_be_decrypted_is_refused_and_says_so(
    harm: str, import_root: Path, settings: Any
) -> None:
    job = upload()
    if harm == "damaged":
        (import_root / job.stored_path).write_bytes(b"code,name\nPHY,Physics\n")
    else:
        settings.ENCRYPTION_KEYS = [("another", bytes(32))]

    job = services.validate(job.pk, by=None)

    assert (job.state, [error["code"] for error in job.errors]) == ("failed", ["unreadable_file"])
