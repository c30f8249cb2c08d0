"""An uploaded file lies on the disk exactly as long as there is an import of it."""

import io
from pathlib import Path

import pytest
from django.db import transaction

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
