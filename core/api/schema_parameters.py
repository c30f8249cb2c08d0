"""The query parameters that filter backends do not describe: which page, and how much of each row."""

from collections.abc import Iterable
from typing import Any

Schema = dict[str, Any]


def paging_parameters(paginator: Any) -> list[Schema]:
    """Describe how a caller moves through a list."""
    # Pages that try requests out send every default they are told of, so defaults are told in words.
    return [
        {
            "name": "page_size",
            "in": "query",
            "description": f"Rows on a page; {paginator.page_size} if left out.",
            "schema": {"type": "integer", "minimum": 1, "maximum": paginator.max_page_size},
        },
        {
            "name": "cursor",
            "in": "query",
            "description": "A place in the list, taken from `next` or `previous` and never made by hand.",
            "schema": {"type": "string"},
        },
        {
            "name": "page",
            "in": "query",
            "description": "Switches to numbered pages, which also say how many rows there are.",
            "schema": {"type": "integer", "minimum": 1},
        },
    ]


def row_parameters(expansions: Iterable[str], reader: Any) -> dict[str, Schema]:
    """Describe how a caller narrows and widens the rows of an answer that `reader` shows."""
    found = {"Fields": _choice("fields", list(reader.fields), "Only these fields of each row, separated by commas.")}
    if expansions := list(expansions):
        found["Include"] = _choice("include", expansions, "Related rows to show in full, separated by commas.")
    return found


def _choice(name: str, values: list[str], description: str) -> Schema:
    return {
        "name": name,
        "in": "query",
        "description": description,
        "style": "form",
        "explode": False,
        "schema": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string", "enum": values}},
    }
