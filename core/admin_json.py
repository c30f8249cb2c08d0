"""JSON that is typed into a field of the administration, read by the rules for the bodies of requests."""

import json
from typing import Any

from core.api.parsers import loads
from core.errors import InvalidError


class StorableJSONDecoder(json.JSONDecoder):
    """Reads one value that the database can hold; whatever else was typed is no JSON to the field."""

    def decode(self, s: str, *args: Any) -> Any:
        try:
            (value,) = loads(f"[{s}]".encode())  # within an array, as the body of a request is no single value
        except (InvalidError, ValueError) as refused:
            raise json.JSONDecodeError(str(refused), s, 0) from None
        return value
