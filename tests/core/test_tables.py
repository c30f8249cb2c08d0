"""Whatever stands in a table, a spreadsheet that opens it calculates nothing."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tables import DANGEROUS, line

NUMBERS = st.one_of(st.integers(), st.decimals(allow_nan=False, allow_infinity=False))
TEXTS = st.builds("".join, st.tuples(st.sampled_from(["", *DANGEROUS, "\n", " ", '"']), st.text(max_size=20)))


def read(text: str) -> list[str]:
    (row,) = csv.reader(io.StringIO(text, newline=""))
    return row


@pytest.mark.checklist(52)
@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_no_text_is_a_formula_and_none_is_lost(texts: list[str]) -> None:
    cells = read(line(texts))

    assert not [cell for cell in cells if cell.startswith(DANGEROUS)]
    assert [cell.removeprefix("'") for cell in cells] == [text.removeprefix("'") for text in texts]


@pytest.mark.checklist(52)
@given(NUMBERS)
def test_a_number_stays_a_number(number: Any) -> None:
    (cell,) = read(line([number]))

    assert Decimal(cell) == number
