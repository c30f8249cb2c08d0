"""Archives that would hurt are refused by what their directory says, before anything is unpacked."""

import gzip
import io
import stat
import zipfile
from pathlib import Path

import pytest

from campushub360.local import CHECKOUT
from interop.faults import TooLargeError, UnreadableFileError, UnsafeArchiveError
from interop.reading import spreadsheets
from interop.reading.archives import MAX_ENTRIES, MAX_RATIO, MAX_UNPACKED, open_archive, open_text
from interop.reading.filesets import open_fileset

pytestmark = pytest.mark.checklist(54)


def archive(path: Path, entries: dict[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries.items():
            packed.writestr(name, content)
    return path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "archive.zip"


def link() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("users.csv")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    "name", ["../users.csv", "a/../../users.csv", "/users.csv", "C:/users.csv", "a\\..\\users.csv"]
)
def test_an_entry_outside_of_the_archive_is_refused(place: Path, name: str) -> None:
    entry = zipfile.ZipInfo("x")
    entry.filename = name
    archive(place, {entry: b"a,b\n"})

    with pytest.raises(UnsafeArchiveError), open_archive(place, "archive.zip"):
        pass


@pytest.mark.parametrize("name", ["inner.zip", "users.csv.gz", "all.tar", "all.7z"])
def test_an_entry_that_is_itself_packed_is_refused(place: Path, name: str) -> None:
    archive(place, {name: b"x"})

    with pytest.raises(UnsafeArchiveError), open_archive(place, "archive.zip"):
        pass


def test_packed_entries_are_accepted_where_a_set_has_them(place: Path) -> None:
    archive(place, {"folder/course.csv.gz": gzip.compress(b"a,b\n1,2\n")})

    with open_fileset(place, "archive.zip") as files:
        name = files.need("course")
        with files.table(name) as table:
            assert [row.cells for row in table.rows] == [["1", "2"]]
        assert files.count_rows([name]) == 1


def test_a_link_is_refused(place: Path) -> None:
    archive(place, {link(): b"/etc/passwd"})

    with pytest.raises(UnsafeArchiveError), open_archive(place, "archive.zip"):
        pass


def test_an_encrypted_entry_is_refused(place: Path) -> None:
    archive(place, {"users.csv": b"a,b\n"})
    content = bytearray(place.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 0x1
    place.write_bytes(bytes(content))

    with pytest.raises(UnsafeArchiveError), open_archive(place, "archive.zip"):
        pass


def test_an_entry_that_occurs_twice_is_refused(place: Path) -> None:
    archive(place, {"users.csv": b"a", "USERS.csv": b"b"})

    with pytest.raises(UnsafeArchiveError), open_archive(place, "archive.zip"):
        pass


def test_too_many_entries_are_refused(place: Path) -> None:
    archive(place, {f"{number}.csv": b"" for number in range(MAX_ENTRIES + 1)})

    with pytest.raises(UnsafeArchiveError), open_archive(place, "archive.zip"):
        pass


def test_the_limits_are_those_that_are_documented() -> None:
    assert (MAX_RATIO, MAX_ENTRIES, spreadsheets.UNPACKED_LIMIT) == (100, 1_000, 50 << 20)
    assert MAX_UNPACKED == 500 << 20  # a set of a whole university's records
    documented = " ".join((CHECKOUT / "docs/how-to/import-data.md").read_text().split())
    assert "1,000 entries, unpacks to at most 500 MB (a workbook to 50 MB) and to at most 100 times" in documented


def test_a_bomb_is_refused_unopened(place: Path) -> None:
    archive(place, {"users.csv": b"0" * 1_000_000})

    with pytest.raises(UnsafeArchiveError), open_archive(place, "archive.zip"):
        pass


def test_more_than_the_limit_is_refused(place: Path) -> None:
    archive(place, {"users.csv": bytes(range(256)) * 100})

    with pytest.raises(UnsafeArchiveError), open_archive(place, "archive.zip", unpacked_limit=25_599):
        pass


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04 and then nothing", b"a,b\n1,2\n"])
def test_what_is_no_archive_is_refused(place: Path, content: bytes) -> None:
    place.write_bytes(content)

    with pytest.raises(UnreadableFileError), open_archive(place, "archive.zip"):
        pass


def test_a_gzip_bomb_is_stopped_while_it_is_read(tmp_path: Path) -> None:
    place = tmp_path / "bomb.csv.gz"
    place.write_bytes(gzip.compress(b"0" * 20_000_000))

    with open_text(place, "bomb.csv.gz") as stream, pytest.raises(TooLargeError):
        stream.read()


def test_a_gzip_file_cut_short_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "cut.csv.gz"
    place.write_bytes(gzip.compress(b"a,b\n" * 10_000)[:-20])

    with open_text(place, "cut.csv.gz") as stream, pytest.raises(UnreadableFileError):
        stream.read()


def test_a_packed_and_a_plain_file_read_alike(tmp_path: Path) -> None:
    plain, packed = tmp_path / "plain.csv", tmp_path / "packed.csv"
    plain.write_bytes(b"a,b\n1,2\n")
    packed.write_bytes(gzip.compress(plain.read_bytes()))

    with open_text(plain, "plain.csv") as first, open_text(packed, "packed.csv") as second:
        assert first.read() == second.read() == io.BytesIO(plain.read_bytes()).read()
