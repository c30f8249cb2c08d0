"""Strings and tables that trouble programs, where they are kept."""

import json
import tarfile

from tests.interop.data import DATA, needs

FOLDER = DATA / "robustness"
needed = needs("robustness")


def strings() -> list[str]:
    """Return the big list of naughty strings."""
    found: list[str] = json.loads((FOLDER / "blns.json").read_text())
    return found


def tables() -> list[bytes]:
    """Return the tables of csv-spectrum."""
    with tarfile.open(FOLDER / "csv-spectrum.tar.gz") as archive:
        files = [archive.extractfile(name) for name in archive.getnames() if name.endswith(".csv")]
        return [file.read() for file in files if file is not None]
