"""Whatever the type checker is told to overlook says why, after it and on the same line."""

import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).parents[2]
FOLDERS = (*settings.FIRST_PARTY_APPS, "campushub360", "tests", "benchmarks")
IGNORED = re.compile(r"#\s*(type:\s*ignore|mypy:)")
REASONED = re.compile(r"# type: ignore\[[\w-]+(, [\w-]+)*\] +# \S.*")


def ignored(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the comment of whatever is overlooked in a file."""
    with path.open("rb") as source:
        for token in tokenize.tokenize(source.readline):
            if token.type == tokenize.COMMENT and IGNORED.match(token.string):
                yield token.start[0], token.string


def test_every_type_that_is_overlooked_is_named_and_has_a_reason() -> None:
    files = {path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")}
    found = {f"{path.relative_to(ROOT)}:{line}": text for path in files for line, text in ignored(path)}

    assert found
    assert {place: text for place, text in found.items() if not REASONED.fullmatch(text)} == {}


@pytest.mark.parametrize(
    "text", ["# type: ignore", "# type: ignore[misc]", "# type: ignore  # why", "# mypy: ignore-errors"]
)
def test_what_is_looked_for_is_found(text: str, tmp_path: Path) -> None:
    path = tmp_path / "source.py"
    path.write_text(f"a = 1  {text}\n")

    assert [text for _, text in ignored(path) if not REASONED.fullmatch(text)] == [text]
