"""What becomes of files when somebody asks for everything about them, and when they are erased."""

import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from files.models import FileAsset, FileLink
from files.services import collect_garbage
from files.services.keeping import LEFT_ALONE
from files.store import store
from privacy.services import erase_person
from privacy.services.archive import write_archive
from privacy.services.subjects import subject_of
from students.services import update_student
from tests.accounts.factories import UserFactory
from tests.files.contents import PDF, PNG, kept, uploaded
from tests.files.test_keeping import age
from tests.students.factories import StudentFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def side(photo: Any) -> Any:
    """Somebody who has left, with files of every kind: theirs by upload, by their record, and by that of another."""
    student = StudentFactory(status="withdrawn")
    user, registrar = UserFactory(person=student.person), UserFactory()
    files = {
        "own": uploaded(user, b"own", "own.txt"),
        "about": uploaded(registrar, PNG, "about.png"),
        "shared": uploaded(user, PDF, "shared.pdf"),
        "other": uploaded(registrar, b"other", "other.txt"),
        "former": uploaded(registrar, b"former", "former.txt"),
        "moved": uploaded(registrar, b"moved", "moved.txt"),
        "once": uploaded(user, b"once", "once.txt"),
    }
    other = StudentFactory()
    for record, name in ((student, "former"), (student, "moved"), (other, "once"), (other, "moved")):
        update_student(record, by=None, custom_fields={"photo": str(files[name].pk)})
        record.refresh_from_db()
    update_student(StudentFactory(), by=None, custom_fields={"photo": str(files["moved"].pk)})
    update_student(student, by=None, custom_fields={"photo": str(files["about"].pk)})
    update_student(other, by=None, custom_fields={"photo": str(files["shared"].pk)})
    return student, files


@pytest.mark.checklist(87)
def test_the_archive_has_the_files_that_are_theirs_as_they_were_uploaded(side):
    student, files = side
    target = io.BytesIO()

    write_archive(target, subject_of(student.person_id), to_themselves=True, at=timezone.now())

    with zipfile.ZipFile(target) as archive:
        contents = {name: archive.read(name) for name in archive.namelist() if name.startswith("files.fileasset/")}
    assert contents == {
        f"files.fileasset/{files['own'].pk}.txt": b"own",
        f"files.fileasset/{files['about'].pk}.png": PNG,
        f"files.fileasset/{files['former'].pk}.txt": b"former",
    }


@pytest.mark.checklist(87)
def test_the_archive_names_a_content_that_is_missing(side):
    student, files = side
    store().delete(files["about"].sha256)
    target = io.BytesIO()

    write_archive(target, subject_of(student.person_id), to_themselves=True, at=timezone.now())

    with zipfile.ZipFile(target) as archive:
        note = archive.read(f"files.fileasset/{files['about'].pk}.missing.txt").decode()
        assert "about.png" in note
        assert archive.read(f"files.fileasset/{files['own'].pk}.txt") == b"own"


@pytest.mark.checklist(88)
def test_erasure_takes_the_files_that_are_theirs_and_leaves_those_of_others(side, files_root):
    student, files = side
    foreseen = erase_person(student.person_id, dry_run=True)

    erased = erase_person(student.person_id, dry_run=False)

    assert erased == foreseen
    left = {files[name] for name in ("shared", "other", "moved", "once")}
    assert set(FileAsset.objects.all()) == left
    assert not FileLink.objects.filter(people__overlap=[student.person_id]).exists()
    age(files_root, LEFT_ALONE + timedelta(minutes=1))
    collect_garbage(at=timezone.now())
    assert kept(files_root) == {asset.sha256 for asset in left}
