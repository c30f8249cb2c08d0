"""The OpenAPI document that is committed says what the code does; that it is a valid one, `make check` finds out."""

from pathlib import Path

from django.conf import settings
from django.core.management import call_command

COMMITTED = Path(settings.BASE_DIR) / "campushub360" / "openapi.yaml"


def test_the_committed_document_is_the_one_that_the_code_makes(tmp_path: Path) -> None:
    made = tmp_path / "openapi.yaml"

    call_command("spectacular", file=str(made), fail_on_warn=True)

    assert made.read_text() == COMMITTED.read_text(), "`make schema` records the change"
