"""JSON that keeps numbers exact on their way into and out of JSONB.

PostgreSQL stores JSON numbers as `numeric`; Python's own codec would pass them through binary
floats. With this pair a `Decimal` is written digit for digit and every number is read as one.
"""

import json
from decimal import Decimal
from typing import Any

import orjson


def _default(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f"))
    raise TypeError(f"{type(value).__name__} is not JSON")


class ExactEncoder(json.JSONEncoder):
    """Writes a `Decimal` as the JSON number with the same digits."""

    def encode(self, o: Any) -> str:
        return orjson.dumps(o, default=_default).decode()


def _whole(digits: str) -> int | Decimal:
    number = Decimal(digits)
    return int(number) if -(2**63) <= number < 2**63 else number


class PlainDecoder(json.JSONDecoder):
    """Reads whole numbers of 64 bits as they are and every other number as a `Decimal`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "parse_float": Decimal, "parse_int": _whole})


class ExactDecoder(json.JSONDecoder):
    """Reads every JSON number as a `Decimal`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "parse_float": Decimal, "parse_int": Decimal})
