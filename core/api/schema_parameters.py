"""The query parameters of lists and rows, read from what a resource declares."""

from collections.abc import Iterable
from typing import Any

from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.extensions import OpenApiFilterExtension

Schema = dict[str, Any]


def list_parameters(auto_schema: Any) -> list[Schema]:
    """Describe the filters, search, ordering and paging of a list."""
    view = auto_schema.view
    backends = list(getattr(view, "filter_backends", ()))
    found: list[Schema] = []
    for backend in backends:
        if issubclass(backend, DjangoFilterBackend):
            extension = OpenApiFilterExtension.get_match(backend())
            found += extension.get_schema_operation_parameters(auto_schema) if extension else []
    if getattr(view, "searchable", False):
        found.append(_search())
    if orderings := getattr(view, "ordering_fields", None):
        found.append(_ordering(orderings, getattr(view, "default_ordering", ())))
    model = auto_schema.model
    if model is not None and any(field.name == "custom_data" for field in model._meta.fields):
        found.append(_custom_fields())
    if paginator := getattr(view, "pagination_class", None):
        found += _paging(paginator)
    return found


def row_parameters(view: Any, reader: Any) -> list[Schema]:
    """Describe how a caller narrows and widens the rows of an answer."""
    names = list(getattr(getattr(reader, "child", reader), "fields", {}))
    found: list[Schema] = []
    if names and hasattr(view, "expansions"):
        found.append(_choice("fields", names, "Only these fields of each row, separated by commas."))
    if expansions := list(getattr(view, "expansions", ())):
        found.append(_choice("include", expansions, "Related rows to show in full, separated by commas."))
    return found


def _choice(name: str, values: Iterable[str], description: str, **more: Any) -> Schema:
    schema = {"type": "array", "uniqueItems": True, "items": {"type": "string", "enum": list(values)}, **more}
    return {
        "name": name,
        "in": "query",
        "description": description,
        "style": "form",
        "explode": False,
        "schema": schema,
    }


def _search() -> Schema:
    return {
        "name": "search",
        "in": "query",
        "description": "Words that the rows contain, by their beginnings; near misses when nothing matches.",
        "schema": {"type": "string", "maxLength": 200},
    }


def _ordering(orderings: Iterable[str], default: Iterable[str]) -> Schema:
    values = [signed for name in orderings for signed in (name, f"-{name}")]
    usual = [name for name in default if name in values]
    return _choice(
        "ordering",
        values,
        "Fields to order by, separated by commas; `-` for descending. A unique tie-breaker is always added.",
        **({"default": usual} if usual else {}),
    )


def _custom_fields() -> Schema:
    # An object in exploded form is how OpenAPI says "parameters of these names".
    return {
        "name": "custom_fields",
        "in": "query",
        "description": "`custom.<name>=<value>`: rows whose custom field of that name has that value.",
        "style": "form",
        "explode": True,
        "schema": {
            "type": "object",
            "propertyNames": {"pattern": r"^custom\.[a-z][a-z0-9]*(_[a-z0-9]+)*$"},
            "additionalProperties": {"type": "string"},
            "examples": [{"custom.blood_group": "O+"}],
        },
    }


def _paging(paginator: Any) -> list[Schema]:
    size = {"type": "integer", "minimum": 1, "maximum": paginator.max_page_size, "default": paginator.page_size}
    return [
        {
            "name": "page_size",
            "in": "query",
            "description": "Rows on a page.",
            "schema": size,
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
