"""What people are called."""

import sys

from accounts.models.person import SPACE


def test_whatever_is_space_to_python_is_cut_off_the_ends_of_a_name() -> None:
    assert set(SPACE) == {character for character in map(chr, range(sys.maxunicode + 1)) if character.isspace()}
