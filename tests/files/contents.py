"""Small contents of each type, and what is none of them."""

import io
import struct
import zipfile
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from files import services
from files.models import FileAsset

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da6364f80f00010501012718e366"
    "0000000049454e44ae426082"
)
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def packed(**members: str) -> bytes:
    """Return an archive with these members, whose names may have `__` for a slash."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/"), text)
    return target.getvalue()


def many() -> bytes:
    """Return an archive with more members than are taken."""
    return packed(**{f"m{number}": "" for number in range(1001)})


def understated(archive: bytes) -> bytes:
    """Return an archive that says of itself that it has one member."""
    end = archive.rfind(b"PK\x05\x06")
    return archive[: end + 8] + struct.pack("<HH", 1, 1) + archive[end + 12 :]


def huge(*, comment: bytes) -> bytes:
    """Return an archive whose directory is found as that of a huge one is, before a comment."""
    archive = many()
    end = archive.rfind(b"PK\x05\x06")
    size, start = struct.unpack("<II", archive[end + 12 : end + 20])
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1001, 1001, size, start)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    last = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, 0, start, len(comment))
    return archive[:end] + record + locator + last + comment


DOCX = packed(**{"[Content_Types].xml": "<Types/>", "word__document.xml": "<document/>"})


def part(content: bytes = PNG, name: str = "photo.png", media_type: str = "application/octet-stream") -> Any:
    """Return the part of a form."""
    return {"file": SimpleUploadedFile(name, content, media_type)}


def uploaded(user: User, content: bytes = PNG, name: str = "photo.png") -> FileAsset:
    """Upload a content for somebody."""
    return services.upload_file(by=user, content=io.BytesIO(content), name=name)


def kept(root: Path) -> set[str]:
    """Return the digests of what lies in the store, and how what was left over is called."""
    return {path.name for path in root.rglob("*") if path.is_file()}
