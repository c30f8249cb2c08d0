"""What keeps tests of several files on one worker names files that are there."""

import pytest

from campushub360.local import CHECKOUT
from tests.sharing import TOGETHER, shared_by


@pytest.mark.parametrize("start", TOGETHER)
def test_what_is_kept_together_is_there(start: str) -> None:
    assert (CHECKOUT / start).exists()


def test_a_file_that_shares_nothing_stays_by_itself() -> None:
    assert shared_by("tests/students/test_api.py::TestReading::test_one[a/b::c]") == "tests/students/test_api.py"
    assert shared_by("tests/contract/test_lists.py::test_one") == shared_by("tests/contract/test_openapi.py::test_two")
