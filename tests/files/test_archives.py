"""Archives and packed documents that would hurt are refused, by what they are rather than by what they say."""

import bz2
import gzip
import io
import lzma
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from files.archives import MOST_MEMBERS, MOST_RATIO, MOST_UNPACKED, RATIO_FROM, UnsafeArchiveError, require_harmless
from files.models import FileAsset
from files.services import append, begin_upload
from tests.accounts.factories import UserFactory
from tests.files.contents import DOCX, kept, packed

pytestmark = pytest.mark.checklist(54)


def archive(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as made:
        for name, content in entries:
            made.writestr(name, content, compress_type=method)
    return target.getvalue()


def tape() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as made:
        made.addfile(tarfile.TarInfo("a.txt"), io.BytesIO())
    return target.getvalue()


def named(name: str) -> bytes:
    entry = zipfile.ZipInfo("x")
    entry.filename = name
    return archive((entry, b"x"))


def link() -> bytes:
    entry = zipfile.ZipInfo("a.txt")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return archive((entry, b"/etc/passwd"))


def encrypted() -> bytes:
    made = bytearray(archive(("a.txt", b"x")))
    made[6] |= 1
    made[made.rfind(b"PK\x01\x02") + 8] |= 1
    return bytes(made)


def understating() -> bytes:
    """Return an archive whose member is larger than its headers say, with the checksum of what they say."""
    made = bytearray(archive(("a.txt", b"a" * 5000)))
    at = made.rfind(b"PK\x01\x02")
    for place in (14, at + 16):
        made[place : place + 4] = struct.pack("<I", zlib.crc32(b"a" * 10))
    for place in (22, at + 24):
        made[place : place + 4] = struct.pack("<I", 4000)
    return bytes(made)


def overlapping() -> bytes:
    """Return an archive two members of which are one and the same (Fifield, A better zip bomb, 2019)."""
    made = archive(("a.txt", os.urandom(100)))
    at, end = made.rfind(b"PK\x01\x02"), made.rfind(b"PK\x05\x06")
    entry = made[at:end]
    other = entry.replace(b"a.txt", b"b.txt")
    last = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 2, 2, len(entry) * 2, at, 0)
    return made[:at] + entry + other + last


REFUSED = {
    "many times its size": archive(("a.txt", bytes(RATIO_FROM * 2))),
    "too large": archive(*[(f"{number}.bin", os.urandom(RATIO_FROM) + bytes(RATIO_FROM * 5)) for number in range(9)]),
    "too many": archive(*[(f"{number}.txt", b"") for number in range(MOST_MEMBERS + 1)]),
    "an archive in it": archive(("inner.zip", packed(a="b"))),
    "one by another name": archive(("inner.txt", packed(a="b"))),
    "an archive in a document in it": archive(("a.docx", archive(("[Content_Types].xml", b""), ("b.docx", DOCX)))),
    "gzip": archive(("a.txt", gzip.compress(b"x"))),
    "bzip2": archive(("a.txt", bz2.compress(b"x"))),
    "xz": archive(("a.txt", lzma.compress(b"x"))),
    "a tape": archive(("a.txt", tape())),
    "a way out": named("../a.txt"),
    "an absolute path": named("/etc/passwd"),
    "a drive": named("C:/a.txt"),
    "a way out by backslashes": named("..\\a.txt"),
    "a link": link(),
    "encrypted": encrypted(),
    "larger than it says": understating(),
    "overlapping": overlapping(),
    "lzma": archive(("a.txt", b"x"), method=zipfile.ZIP_LZMA),
    "macros": archive(("word/vbaProject.bin", b"x")),
    "cut": archive(("a.txt", os.urandom(1000)))[500:],
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_what_would_hurt_is_refused(content: bytes) -> None:
    with pytest.raises(UnsafeArchiveError):
        require_harmless(io.BytesIO(content))


def test_what_is_in_documents_counts_together() -> None:
    inner = archive(("[Content_Types].xml", b""), ("a.bin", os.urandom(MOST_UNPACKED // 3)))

    require_harmless(io.BytesIO(archive(("a.docx", inner))))
    with pytest.raises(UnsafeArchiveError):
        require_harmless(io.BytesIO(archive(("a.docx", inner), ("b.docx", inner))))


@pytest.mark.parametrize(
    "content",
    [
        packed(a__b="c"),
        DOCX,
        archive(("essay.docx", DOCX), ("notes.txt", b"x")),
        archive(("[Content_Types].xml", b""), ("word/embeddings/table.xlsx", DOCX)),
        archive(("blank.txt", b" " * RATIO_FROM)),
        archive(("photo.jpg", os.urandom(RATIO_FROM * 2)), method=zipfile.ZIP_STORED),
        archive(("dense.txt", os.urandom(RATIO_FROM // MOST_RATIO * 3) + bytes(RATIO_FROM))),
        archive(("BZhang.txt", b"BZhang wrote this.")),
    ],
)
def test_what_people_pack_is_taken(content: bytes) -> None:
    require_harmless(io.BytesIO(content))


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["all.zip", "essay.docx"])
def test_nothing_of_it_is_kept(registrar_client: Any, files_root: Any, name: str) -> None:
    bomb = archive(("[Content_Types].xml", b""), ("word/document.xml", bytes(RATIO_FROM * 2)))

    answer = registrar_client.post("/api/v1/files/", {"file": SimpleUploadedFile(name, bomb)}, format="multipart")

    assert (answer.status_code, answer.json()["code"]) == (400, "archive_unsafe")
    assert not FileAsset.objects.exists()
    assert kept(files_root) == set()


@pytest.mark.django_db
def test_one_that_comes_in_parts_is_over(files_root: Any) -> None:
    bomb = archive(("a.txt", bytes(RATIO_FROM * 2)))
    upload = begin_upload(by=UserFactory(), name="all.zip", size=len(bomb))

    with pytest.raises(UnsafeArchiveError):
        append(upload, offset=0, content=io.BytesIO(bomb))

    assert not type(upload).objects.exists()
