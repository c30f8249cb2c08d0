"""In which order a list comes: by the names that a resource declares, whatever columns stand behind them."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.views import APIView

from core.api.parameters import orderings_of
from core.errors import DomainError, InvalidError, raise_all

Schema = dict[str, Any]


class UnknownOrderingError(InvalidError):
    """The list cannot be ordered by that."""

    code = "unknown_ordering"
    title = "The list cannot be ordered by this."
    field = "ordering"


class OrderingBackend(BaseFilterBackend):
    """Applies `?ordering=`, or the resource's `default_ordering`, by the names in `ordering_fields`."""

    def refusals(self, request: Request, view: APIView) -> list[DomainError]:
        return self._read(request, view)[1]

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        names, errors = self._read(request, view)
        raise_all(errors)
        fields = orderings_of(view)
        paths = []
        for name in names:
            bare = name.removeprefix("-")
            paths.append(("-" if name != bare else "") + fields.get(bare, bare))
        return queryset.order_by(*paths) if paths else queryset

    def _read(self, request: Request, view: APIView) -> tuple[Sequence[str], list[DomainError]]:
        """Return the wanted names, with their signs, and what is wrong with them."""
        fields = orderings_of(view)
        if "ordering" not in request.query_params or not fields:
            return getattr(view, "default_ordering", ()), []
        names = request.query_params["ordering"].split(",", 2 * len(fields))
        bare = [name.removeprefix("-") for name in names]
        errors: list[DomainError] = [
            UnknownOrderingError(f"Expected some of: {', '.join(fields)}.") for name in bare if name not in fields
        ]
        if not errors and len(set(bare)) < len(bare):
            errors = [UnknownOrderingError("A field may be named only once.")]
        return names, errors[:1]

    def get_schema_operation_parameters(self, view: APIView) -> list[Schema]:
        fields = orderings_of(view)
        if not fields:
            return []
        schema: Schema = {
            "type": "array",
            "items": {"type": "string", "enum": [sign + name for name in fields for sign in ("", "-")]},
            "minItems": 1,
            "uniqueItems": True,
        }
        description = "Names separated by commas, `-` for descending. A unique tie-breaker is always added."
        if default := [name for name in getattr(view, "default_ordering", ()) if name.removeprefix("-") in fields]:
            description = f"{description} If left out: `{','.join(default)}`."
        return [
            {
                "name": "ordering",
                "in": "query",
                "description": description,
                "style": "form",
                "explode": False,
                "schema": schema,
            }
        ]
