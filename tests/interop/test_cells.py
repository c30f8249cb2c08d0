"""What is read of a single cell, and what is refused."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from interop.sources import cells
from interop.targets.values import UnreadableValueError, Value, encode


@pytest.mark.parametrize(
    ("read", "written", "meant"),
    [
        (cells.number, " 1.50 ", "1.50"),
        (cells.number, "-.5e2", "-.5e2"),
        (cells.whole, "3E1", 30),
        (cells.whole, "12.0", 12),
        (cells.day, "2026-01-31 ", "2026-01-31"),
        (cells.text, "\u00a0 Ada  Lovelace\n", "Ada  Lovelace"),
    ],
)
def test_a_cell_is_read_as_what_it_says(read: Callable[[str], Any], written: str, meant: Any) -> None:
    assert read(written) == meant


@pytest.mark.parametrize(
    ("read", "written"),
    [
        *(
            (cells.number, text)
            for text in ("1E+9999999", "1E-9999999", "9E+999", "1_0", "٣", "NaN", "Infinity", "1" * 41)
        ),
        *((cells.whole, text) for text in ("1E+9999999", "1E99", "1_0", "٣", "2.5")),
        *((cells.day, text) for text in ("20260101", "2026-W01-1", "2026-02-30", "٢٠٢٦-01-01")),
    ],
)
def test_what_only_a_programmer_would_read_is_refused(read: Callable[[str], Any], written: str) -> None:
    with pytest.raises(ValueError, match=r"not a|is written"):
        read(written)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("decimal", "1E+9999999"),
        ("decimal", "9E+999999"),
        ("decimal", "1E-999999"),
        ("integer", "1E+9999999"),
        ("instant", "0001-01-01T00:00:00+14:00"),
        ("instant", "9999-12-31T23:59:59-14:00"),
    ],
)
def test_a_value_that_no_field_could_hold_is_refused_before_it_costs_anything(kind: Any, given: str) -> None:
    with pytest.raises(UnreadableValueError):
        Value("field", kind).parse(given)


def test_a_value_that_was_read_can_be_written_out() -> None:
    assert encode(Value("field", "decimal").parse("-1.50E3")) == "-1500"
    assert encode(Value("field", "decimal").parse(Decimal("1E99"))) == "1" + "0" * 99
    instant = Value("field", "instant").parse("2026-03-01T01:00:00+02:00")
    assert (instant, encode(instant)) == (datetime(2026, 2, 28, 23, tzinfo=UTC), "2026-02-28T23:00:00+00:00")
