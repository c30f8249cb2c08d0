"""What a caller wants of a row: `?fields=` narrows it, `?include=` adds related rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

from rest_framework.request import Request

from core.api.serializers import BaseModelSerializer, expansions
from core.errors import DomainError, InvalidError, raise_all


class UnknownSelectionError(InvalidError):
    """`fields` or `include` names something the resource does not have."""

    code = "unknown_field"
    title = "There is no such field."


@dataclass(frozen=True)
class Selection:
    """The fields a caller wants (`None` for all) and the expansions, as the request names them."""

    only: Sequence[str] | None
    include: Sequence[str]

    @classmethod
    def of(cls, request: Request | None, reader: type[BaseModelSerializer[Any]]) -> Self:
        """Read the two parameters; raise `UnknownSelectionError` for names the reader lacks."""
        if request is None:
            return cls(only=None, include=())
        only, include = _names(request, "fields"), _names(request, "include") or []
        if only is None and not include:
            return cls(only=None, include=())
        known = _fields_of(reader, tuple(name for name in include if name in expansions(reader)))
        errors: list[DomainError] = [
            UnknownSelectionError(f"'{name}' is not a field of this resource.", field="fields")
            for name in only or ()
            if name not in known
        ]
        errors += [
            UnknownSelectionError(f"'{name}' cannot be included.", field="include")
            for name in include
            if name not in expansions(reader)
        ]
        raise_all(errors)
        if only is not None:
            only = [*only, *(name.partition(".")[0] for name in include)]
        return cls(only=only, include=include)


@lru_cache(maxsize=1_000)
def _fields_of(reader: type[BaseModelSerializer[Any]], include: tuple[str, ...]) -> frozenset[str]:
    """Return the names that a reader shows."""
    return frozenset(reader(include=include).fields)


def _names(request: Request, parameter: str) -> list[str] | None:
    value = request.query_params.get(parameter)
    return None if value is None else value.split(",")
