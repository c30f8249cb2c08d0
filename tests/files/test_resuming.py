"""Uploads that go on where they broke off: whatever the cuts the same file, within its owner's room, no leftovers."""

import base64
import hashlib
import io
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.http import UnreadablePostError
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examined
from hypothesis import strategies as st

from accounts.roles import Role
from files import services
from files.models import FileAsset, FileUpload
from files.services import append, begin_upload, collect_garbage, resuming
from files.services.erasing import content_of
from files.services.keeping import LEFT_ALONE
from files.store import ABANDONED_AFTER
from tests.accounts.factories import UserFactory
from tests.files.contents import PNG, kept, uploaded
from tests.files.test_keeping import age
from tests.racing import at_once

pytestmark = pytest.mark.django_db
URL = "/api/v1/files/uploads/"
PART = "application/offset+octet-stream"
TEXT = b"".join(b"%d sheep\n" % number for number in range(500))


def encoded(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def begun(client: Any, size: int = len(TEXT), name: str = "sheep.txt") -> Any:
    return client.post(
        URL, HTTP_TUS_RESUMABLE="1.0.0", HTTP_UPLOAD_LENGTH=str(size),
        HTTP_UPLOAD_METADATA=f"filename {encoded(name)},filetype {encoded('text/plain')}",
    )  # fmt: skip


def sent(client: Any, place: str, part: bytes, offset: int, **headers: str) -> Any:
    return client.generic(
        "PATCH", place, part, PART, HTTP_TUS_RESUMABLE="1.0.0", HTTP_UPLOAD_OFFSET=str(offset), **headers
    )


def parts_of(root: Path) -> list[Path]:
    return list((root / "parts").glob("*"))


class TestOverHttp:
    def test_a_file_comes_in_parts(self, registrar_client, registrar, files_root):
        answer = begun(registrar_client)
        place = answer["Location"]
        assert (answer.status_code, answer["Upload-Offset"], answer["Tus-Resumable"]) == (201, "0", "1.0.0")

        first = sent(registrar_client, place, TEXT[:100], 0)
        head = registrar_client.head(place)
        last = sent(registrar_client, place, TEXT[100:], 100)

        assert (first.status_code, first["Upload-Offset"], "Content-Location" in first) == (204, "100", False)
        assert (head.status_code, head["Upload-Offset"], head["Upload-Length"]) == (200, "100", str(len(TEXT)))
        assert head["Cache-Control"] == "private, no-store"
        assert (last.status_code, last["Upload-Offset"]) == (204, str(len(TEXT)))
        file = registrar_client.get(last["Content-Location"]).json()["data"]
        assert (file["name"], file["media_type"], file["size"]) == ("sheep.txt", "text/plain", len(TEXT))
        assert file["sha256"] == hashlib.sha256(TEXT).hexdigest()
        assert registrar_client.get(place).json()["data"]["file"] == file["id"]
        assert b"".join(content_of(FileAsset.objects.get())[1]) == TEXT
        assert FileAsset.objects.get().owner == registrar

    def test_an_upload_is_begun_in_json_as_well(self, registrar_client):
        answer = registrar_client.post(URL, {"name": "sheep.txt", "size": len(TEXT)}, format="json")

        assert answer.status_code == 201
        assert answer.json()["data"] == registrar_client.get(answer["Location"]).json()["data"]
        assert [row["name"] for row in registrar_client.get(URL).json()["data"]] == ["sheep.txt"]

    @pytest.mark.parametrize(
        ("size", "name", "code"),
        [
            (0, "a.txt", "empty_file"),
            (10**9, "a.txt", "file_too_large"),
            (5, "a.exe", "file_type_not_allowed"),
            (5, "../a.txt", "invalid_file_name"),
            (5, "", "blank"),
        ],
    )
    def test_what_would_be_refused_in_the_end_is_not_begun(self, registrar_client, size, name, code):
        answer = begun(registrar_client, size, name)

        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert not FileUpload.objects.exists()

    @pytest.mark.parametrize(
        ("headers", "code"),
        [
            ({"HTTP_UPLOAD_LENGTH": "many"}, "invalid_header"),
            ({"HTTP_UPLOAD_LENGTH": "9" * 30}, "invalid_header"),
            ({"HTTP_UPLOAD_DEFER_LENGTH": "1"}, "invalid_header"),
            ({"HTTP_UPLOAD_LENGTH": "5", "HTTP_UPLOAD_METADATA": "filename §"}, "invalid_header"),
            ({"HTTP_UPLOAD_LENGTH": "5", "HTTP_UPLOAD_METADATA": "filename /w=="}, "invalid_header"),
            ({"HTTP_UPLOAD_LENGTH": "5", "HTTP_TUS_RESUMABLE": "0.2.2"}, "tus_version_unsupported"),
        ],
    )
    def test_headers_that_cannot_be_read_are_refused(self, registrar_client, headers, code):
        answer = registrar_client.post(URL, **headers)

        assert (answer.status_code, answer.json()["code"]) == (412 if code.startswith("tus") else 400, code)
        assert answer["Tus-Version"] == "1.0.0"

    def test_a_part_that_does_not_fit_is_refused_and_changes_nothing(self, registrar_client, files_root):
        place = begun(registrar_client)["Location"]
        sent(registrar_client, place, TEXT[:50], 0)

        again = sent(registrar_client, place, TEXT[:50], 0)
        more = sent(registrar_client, place, TEXT, 50)
        other = registrar_client.generic("PATCH", place, b"x", "text/plain", HTTP_UPLOAD_OFFSET="50")
        none = registrar_client.generic("PATCH", place, b"x", PART)

        assert (again.status_code, again.json()["errors"][0]["meta"]) == (409, {"offset": 50})
        assert (more.status_code, more.json()["code"]) == (400, "upload_too_long")
        assert (other.status_code, none.json()["code"]) == (415, "invalid_header")
        assert registrar_client.head(place)["Upload-Offset"] == "50"
        assert [path.read_bytes() for path in parts_of(files_root)] == [TEXT[:50]]

    @pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
    def test_a_part_with_a_checksum_is_kept_if_it_is_right_and_not_at_all_otherwise(self, registrar_client, algorithm):
        place = begun(registrar_client)["Location"]
        right = f"{algorithm} {encoded(hashlib.new(algorithm, TEXT[:99]).digest())}"

        wrong = sent(registrar_client, place, TEXT[1:100], 0, HTTP_UPLOAD_CHECKSUM=right)
        assert (wrong.status_code, wrong.json()["code"]) == (460, "checksum_mismatch")
        assert registrar_client.head(place)["Upload-Offset"] == "0"

        assert sent(registrar_client, place, TEXT[:99], 0, HTTP_UPLOAD_CHECKSUM=right)["Upload-Offset"] == "99"

    @pytest.mark.parametrize("checksum", ["crc32 AAAA", "sha1", "sha1 §", "sha256 "])
    def test_a_checksum_that_cannot_be_computed_is_refused(self, registrar_client, checksum):
        place = begun(registrar_client)["Location"]

        answer = sent(registrar_client, place, b"x", 0, HTTP_UPLOAD_CHECKSUM=checksum)

        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_header")

    def test_one_that_turns_out_to_be_something_else_is_over(self, registrar_client, files_root):
        place = begun(registrar_client, len(PNG), "photo.pdf")["Location"]

        answer = sent(registrar_client, place, PNG, 0)

        assert (answer.status_code, answer.json()["code"]) == (400, "file_type_mismatch")
        assert registrar_client.head(place).status_code == 404

    def test_one_that_is_given_up_leaves_nothing(
        self, registrar_client, files_root, django_capture_on_commit_callbacks
    ):
        place = begun(registrar_client)["Location"]
        sent(registrar_client, place, TEXT[:50], 0)

        with django_capture_on_commit_callbacks(execute=True):
            assert registrar_client.delete(place, HTTP_TUS_RESUMABLE="1.0.0").status_code == 204

        assert registrar_client.head(place).status_code == 404
        assert parts_of(files_root) == []

    @pytest.mark.checklist(2, 3)
    def test_those_of_others_are_as_if_they_were_not_there(self, registrar_client, user_with, client_for):
        place = begun(registrar_client)["Location"]
        other = client_for(user_with(Role.SYSTEM_ADMIN))

        answers = [other.head(place), sent(other, place, TEXT, 0), other.delete(place)]

        assert [answer.status_code for answer in answers] == [404, 404, 404]
        assert other.get(URL).json()["data"] == []
        assert FileUpload.objects.get().offset == 0


class Cut:
    """A body that comes in pieces of any size, and breaks off with its connection."""

    def __init__(self, content: bytes, *, breaks: bool) -> None:
        self.content, self.breaks = io.BytesIO(content), breaks

    def read(self, size: int, /) -> bytes:
        piece = self.content.read(size)
        if self.breaks and not piece:
            raise UnreadablePostError("gone")
        return piece


def standing(upload: FileUpload) -> int:
    upload.refresh_from_db()
    return upload.offset


class TestCuts:
    @examined(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(size=st.integers(1, 400), cuts=st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=8))
    def test_wherever_it_is_cut_it_becomes_the_same_file(self, files_root, monkeypatch, size, cuts):
        # Small blocks, of which there are several in a part.
        monkeypatch.setattr(resuming, "BLOCK", 32)
        monkeypatch.setattr(resuming, "PIECE", 8)
        text = TEXT[size : size * 2]
        upload = begin_upload(by=UserFactory(), name="any.txt", size=size)

        for cut, breaks in [*sorted(cuts), (size, False)]:
            offset = standing(upload)
            body = Cut(text[offset:cut], breaks=breaks)
            try:
                append(upload, offset=offset, content=body)
            except UnreadablePostError:
                assert breaks
            assert standing(upload) == max(offset, min(cut, size))

        asset = FileAsset.objects.get(pk=upload.file_id)
        assert asset.sha256 == hashlib.sha256(text).hexdigest()
        assert b"".join(content_of(asset)[1]) == text

    def test_what_was_written_and_not_counted_is_written_again(self, registrar, files_root):
        upload = begin_upload(by=registrar, name="sheep.txt", size=len(TEXT))
        append(upload, offset=0, content=io.BytesIO(TEXT[:100]))
        [part] = parts_of(files_root)
        part.write_bytes(TEXT[:100] + b"what a process had written when it was killed" * 100)

        append(upload, offset=100, content=io.BytesIO(TEXT[100:]))

        assert FileAsset.objects.get().sha256 == hashlib.sha256(TEXT).hexdigest()

    def test_a_part_that_the_disk_has_lost_is_never_a_file(self, registrar, files_root):
        upload = begin_upload(by=registrar, name="sheep.txt", size=len(TEXT))
        append(upload, offset=0, content=io.BytesIO(TEXT[:100]))
        parts_of(files_root)[0].write_bytes(TEXT[:50])

        with pytest.raises(FileNotFoundError):
            append(upload, offset=100, content=io.BytesIO(TEXT[100:]))

        assert not FileAsset.objects.exists()


class TestRoom:
    def test_is_kept_from_the_beginning_and_given_back_in_the_end(self, registrar, settings):
        settings.FILES_QUOTA = len(TEXT) + 10
        upload = begin_upload(by=registrar, name="sheep.txt", size=len(TEXT))
        with pytest.raises(services.QuotaExceededError):
            begin_upload(by=registrar, name="more.txt", size=11)
        with pytest.raises(services.QuotaExceededError):
            uploaded(registrar)

        append(upload, offset=0, content=io.BytesIO(TEXT))
        with pytest.raises(services.QuotaExceededError):
            begin_upload(by=registrar, name="more.txt", size=11)
        begin_upload(by=registrar, name="more.txt", size=10)
        FileUpload.objects.filter(file=None).update(expires_at=timezone.now())

        begin_upload(by=registrar, name="more.txt", size=10)

    def test_what_expired_is_forgotten_with_its_parts(self, registrar, registrar_client, files_root, settings):
        place = begun(registrar_client)["Location"]
        sent(registrar_client, place, TEXT[:50], 0)
        FileUpload.objects.update(expires_at=timezone.now())
        assert registrar_client.head(place).status_code == 404
        assert sent(registrar_client, place, TEXT[50:], 50).status_code == 404

        assert collect_garbage(at=timezone.now()) == 2

        assert (FileUpload.objects.count(), parts_of(files_root)) == (0, [])


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    @pytest.mark.checklist(57)
    def test_a_quota_holds_when_uploads_are_begun_at_once(self, settings):
        user = UserFactory()
        settings.FILES_QUOTA = 30

        outcomes = at_once(*[lambda: begin_upload(by=user, name="a.txt", size=10).size for _ in range(6)])

        assert sorted(map(str, outcomes)) == ["10"] * 3 + ["quota_exceeded"] * 3

    def test_one_of_two_parts_for_one_place_is_kept(self, files_root):
        upload = begin_upload(by=UserFactory(), name="sheep.txt", size=200)

        outcomes = at_once(
            *[lambda letter=letter: append(upload, offset=0, content=io.BytesIO(letter * 100)).offset
              for letter in (b"a", b"b")]
        )  # fmt: skip

        assert sorted(map(str, outcomes)) == ["100", "upload_offset_mismatch"]
        assert parts_of(files_root)[0].read_bytes() in (b"a" * 100, b"b" * 100)

    def test_the_collector_leaves_what_is_coming(self, files_root):
        upload = begin_upload(by=UserFactory(), name="sheep.txt", size=len(TEXT))
        for offset in range(0, len(TEXT), 500):
            age(files_root, ABANDONED_AFTER)
            at_once(
                lambda offset=offset: append(upload, offset=offset, content=io.BytesIO(TEXT[offset : offset + 500])),
                lambda: collect_garbage(at=timezone.now()),
            )

        assert kept(files_root) == {hashlib.sha256(TEXT).hexdigest()}
        assert FileAsset.objects.get().size == len(TEXT)

    def test_a_process_killed_in_between_loses_a_block_at_most_and_leaves_nothing(self, files_root):
        upload = begin_upload(by=UserFactory(), name="sheep.txt", size=len(TEXT))
        for _ in range(2):
            before = standing(upload)
            assert killed_while_appending(upload, files_root) == -signal.SIGKILL
            assert before < standing(upload) < len(TEXT)

        offset = standing(upload)
        append(upload, offset=offset, content=io.BytesIO(TEXT[offset:]))

        assert FileAsset.objects.get().sha256 == hashlib.sha256(TEXT).hexdigest()
        age(files_root, ABANDONED_AFTER + LEFT_ALONE)
        collect_garbage(at=timezone.now() + timedelta(minutes=1))
        assert kept(files_root) == {hashlib.sha256(TEXT).hexdigest()}


def killed_while_appending(upload: FileUpload, root: Path) -> int:
    """Go on with an upload in a process of its own, kill it in the middle, and return how it ended."""
    environment = {
        **os.environ,
        "FILES_ROOT_OF_TEST": str(root),
        "DATABASE_OF_TEST": connection.settings_dict["NAME"],
        "DJANGO_SETTINGS_MODULE": "campushub360.settings.testing",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.files.appending", str(upload.pk)],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        process.stdin.write(TEXT)
        process.stdin.flush()
        try:
            assert process.stdout.readline() == b"now\n"
        finally:
            process.kill()
    return process.wait()
