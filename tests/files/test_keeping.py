"""That no file is without its bytes, no bytes are kept for nothing, and nobody keeps more than they may."""

import hashlib
import io
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from files.models import FileAsset, FileLink
from files.services import collect_garbage, delete_file, upload_file
from files.services.keeping import LEFT_ALONE
from files.store import ABANDONED_AFTER, store
from privacy.models import LegalHold
from students.services import update_student
from tests.accounts.factories import UserFactory
from tests.files.contents import PDF, PNG, kept, uploaded
from tests.racing import at_once
from tests.students.factories import StudentFactory

DIGEST = hashlib.sha256(PNG).hexdigest()


def age(root: Path, by: timedelta) -> None:
    """Let everything in the store be older."""
    then = time.time() - by.total_seconds() - 60
    for path in root.rglob("*"):
        if path.is_file():
            os.utime(path, (then, then))


@pytest.mark.django_db
class TestCollecting:
    def test_a_deleted_file_has_its_time_and_its_bytes_go_with_the_last_one(self, files_root, settings):
        first, second = uploaded(UserFactory()), uploaded(UserFactory())
        age(files_root, LEFT_ALONE)
        later = timezone.now() + settings.FILES_DELETED_KEPT + timedelta(minutes=1)
        delete_file(first, by=None)
        assert collect_garbage(at=timezone.now()) == 0

        assert collect_garbage(at=later) == 1
        assert kept(files_root) == {DIGEST}

        delete_file(second, by=None)
        assert collect_garbage(at=later) == 2
        assert (FileAsset.objects.count(), kept(files_root)) == (0, set())

    def test_files_of_people_whose_records_are_held_stay(self, settings, registrar):
        asset = uploaded(registrar)
        LegalHold.objects.create(person=registrar.person, reason="A case", placed_at=timezone.now())
        delete_file(asset, by=None)

        collect_garbage(at=timezone.now() + settings.FILES_DELETED_KEPT * 2)

        assert FileAsset.objects.get() == asset

    @pytest.mark.parametrize("is_held", [True, False])
    def test_files_that_records_of_held_people_referred_to_stay(self, settings, photo, is_held):
        student, asset = StudentFactory(), uploaded(UserFactory())
        for value in (str(asset.pk), None):
            student.refresh_from_db()
            update_student(student, by=None, custom_fields={photo.name: value})
        if is_held:
            LegalHold.objects.create(person=student.person, reason="A case", placed_at=timezone.now())
        delete_file(asset, by=None)

        collect_garbage(at=timezone.now() + settings.FILES_DELETED_KEPT * 2)

        assert (FileAsset.objects.exists(), FileLink.objects.exists()) == (is_held, is_held)

    def test_what_came_lately_is_left_alone_and_what_was_abandoned_goes(self, files_root):
        draft = store().receive(io.BytesIO(PNG), largest=1000)
        store().keep(draft)
        half = store().receive(io.BytesIO(PDF), largest=1000)
        assert collect_garbage(at=timezone.now()) == 0

        age(files_root, ABANDONED_AFTER)

        assert half.path.exists()
        assert collect_garbage(at=timezone.now()) == 2
        assert kept(files_root) == set()

    def test_a_damaged_content_is_found_and_mended_by_the_next_upload(self, files_root, capsys):
        uploaded(UserFactory())
        [place] = (path for path in files_root.rglob(DIGEST))
        place.write_bytes(PNG[:-1])
        with pytest.raises(SystemExit):
            call_command("verify_files")
        assert f"damaged {DIGEST}" in capsys.readouterr().out

        uploaded(UserFactory())

        call_command("verify_files")

    def test_the_chore_does_by_hand_what_the_schedule_does(self, capsys):
        call_command("purge_files")

        assert capsys.readouterr().out == "0 files and leftovers deleted.\n"


class Blocks(io.RawIOBase):
    """A content that is made while it is read, so that no memory holds it whole."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.left, self.largest = size, 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0
        self.largest = max(self.largest, size)
        taken = min(size, self.left)
        self.left -= taken
        return b"a" * taken


@pytest.mark.django_db
def test_a_large_file_is_never_in_memory_whole(settings):
    settings.FILES_MAX_SIZE = settings.FILES_QUOTA = 64 * 1024 * 1024
    content = Blocks(settings.FILES_MAX_SIZE)

    asset = upload_file(by=UserFactory(), content=content, name="long.txt")  # type: ignore[arg-type]  # it is read alone

    assert asset.size == settings.FILES_MAX_SIZE
    assert content.largest <= 1024 * 1024


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    @pytest.mark.checklist(57)
    def test_a_quota_holds_when_uploads_come_at_once(self, settings):
        user = UserFactory()
        settings.FILES_QUOTA = len(PNG) * 3

        outcomes = at_once(*[lambda: uploaded(user).size for _ in range(8)])

        assert sorted(map(str, outcomes)) == sorted([str(len(PNG))] * 3 + ["quota_exceeded"] * 5)
        assert FileAsset.objects.count() == 3

    def test_no_upload_loses_its_bytes_to_the_collector(self, files_root):
        user = UserFactory()
        for _ in range(15):
            orphan = store().receive(io.BytesIO(PNG), largest=1000)
            store().keep(orphan)
            store().discard(orphan)
            age(files_root, LEFT_ALONE)

            at_once(lambda: uploaded(user), lambda: uploaded(user), lambda: collect_garbage(at=timezone.now()))

            assert kept(files_root) == {DIGEST}
            FileAsset.objects.all().delete()

    def test_the_collector_leaves_bytes_whose_row_is_on_the_way(self, files_root):
        user = UserFactory()
        with transaction.atomic():
            uploaded(user)
            age(files_root, LEFT_ALONE)
            [collected] = at_once(lambda: collect_garbage(at=timezone.now()))

        assert (collected, kept(files_root)) == (0, {DIGEST})

    def test_an_upload_that_is_rolled_back_leaves_bytes_for_the_collector_alone(self, files_root):
        with transaction.atomic():
            uploaded(UserFactory())
            transaction.set_rollback(True)
        assert kept(files_root) == {DIGEST}
        age(files_root, LEFT_ALONE)

        assert collect_garbage(at=timezone.now()) == 1
        assert kept(files_root) == set()

    @pytest.mark.parametrize("when", ["while it is received", "before its row is committed"])
    def test_a_process_killed_in_between_leaves_no_row_without_bytes(self, files_root, when):
        user = UserFactory()

        ended = killed_while_uploading(user, files_root, when)

        assert ended == -signal.SIGKILL
        assert FileAsset.objects.count() == 0
        assert len(kept(files_root)) == 1
        age(files_root, ABANDONED_AFTER)
        assert collect_garbage(at=timezone.now()) == 1
        assert kept(files_root) == set()


def killed_while_uploading(user: User, root: Path, when: str) -> int:
    """Upload in a process of its own, kill it, and return how it ended."""
    environment = {
        **os.environ,
        "FILES_ROOT_OF_TEST": str(root),
        "DATABASE_OF_TEST": connection.settings_dict["NAME"],
        "DJANGO_SETTINGS_MODULE": "campushub360.settings.testing",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.files.uploading", str(user.pk), when],
        env=environment,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"now\n"
    finally:
        process.kill()
    process.stdout.close()
    return process.wait()
