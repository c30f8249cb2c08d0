"""Names of files: kept exactly as they were sent, or refused.

A name is shown to others and becomes a name on their disks, so it holds nothing that leads elsewhere, ends a header, or
shows another name than it is.
"""

import unicodedata

from core.errors import InvalidError
from files.models import LONGEST_NAME

SEPARATORS = frozenset("/\\")
# Control characters, unpaired surrogates, ends of lines and of paragraphs.
REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
# What turns the direction of writing makes `fdp.exe` look like `exe.pdf`.
TURNING = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Stands for bytes that were no text.
UNREADABLE = "\ufffd"


class InvalidFileNameError(InvalidError):
    """The name of the file is none that could be kept as it was sent."""

    code = "invalid_file_name"
    title = "The name of the file cannot be kept as it was sent."
    field = "file"


def require_name(name: str) -> None:
    """Raise `InvalidFileNameError` unless the name can be kept as it is."""
    if not name or name in (".", ".."):
        raise InvalidFileNameError("A file needs a name.")
    if len(name.encode("utf-8", "surrogatepass")) > LONGEST_NAME:
        raise InvalidFileNameError(f"A name has at most {LONGEST_NAME} bytes in UTF-8.")
    if SEPARATORS & set(name):
        raise InvalidFileNameError("A name has no slash or backslash.")
    if UNREADABLE in name:
        raise InvalidFileNameError("The name is not UTF-8.")
    if TURNING & set(name) or any(unicodedata.category(char) in REFUSED_CATEGORIES for char in name):
        raise InvalidFileNameError("A name has no control characters.")
