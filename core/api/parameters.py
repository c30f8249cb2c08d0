"""Which query parameters a request may carry, and the refusal of the others."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model
from rest_framework.request import Request
from rest_framework.views import APIView

from core.errors import DomainError, InvalidError, raise_all
from core.models import CustomizableModel

MAX_FILTERS = 20
CUSTOM = "custom."
# They choose what is shown of a row, so a single one takes them as well as a list.
SELECTION = frozenset({"fields", "include"})


class UnknownParameterError(InvalidError):
    """The resource does not know the parameter."""

    code = "unknown_parameter"
    title = "There is no such parameter."


class RepeatedParameterError(InvalidError):
    """A parameter occurs more than once, so that nobody knows which of its values was meant."""

    code = "repeated_parameter"
    title = "The parameter may occur only once; separate several values by commas."


class TooManyFiltersError(InvalidError):
    """The request filters by more than a list is prepared for."""

    code = "too_many_filters"
    title = f"At most {MAX_FILTERS} filters are taken."


def unknown_parameters(view: APIView, request: Request) -> list[str]:
    """Return the names of the query parameters that mean nothing to this action of the resource."""
    known = set(() if is_narrowed(view) else SELECTION)
    takes_custom = False
    filterset = filterset_of(view) if is_list(view, request) or is_narrowed(view) else None
    known.update(filterset.base_filters if filterset else ())
    if is_list(view, request):
        if getattr(view, "searchable", False):
            known.add("search")
        if orderings_of(view):
            known.add("ordering")
        if getattr(view, "paginator", None):
            known.update(("page", "page_size", "cursor"))
        takes_custom = issubclass(model_of(view), CustomizableModel)
    return [
        name for name in request.query_params if name not in known and not (takes_custom and name.startswith(CUSTOM))
    ]


def refuse_unusable_parameters(view: APIView, request: Request) -> None:
    """Raise what is wrong with the query parameters of a request, all of it at once and before any row is read."""
    parameters = request.query_params
    errors: list[DomainError] = [
        UnknownParameterError(f"There is no parameter {name!r} here.", field=name)
        for name in unknown_parameters(view, request)
    ]
    errors += [RepeatedParameterError(field=name) for name, values in parameters.lists() if len(values) > 1]
    if SELECTION & parameters.keys():
        errors += _refused_selection(view)
    if is_list(view, request) or is_narrowed(view):
        if too_many_filters(view, request):
            errors.append(TooManyFiltersError())
        for backend in getattr(view, "filter_backends", ()):
            errors += backend().refusals(request, view)
        if paginator := getattr(view, "paginator", None):
            errors += paginator.refusals(request)
    raise_all(errors)


def too_many_filters(view: APIView, request: Request) -> bool:
    """Say whether the request filters by more than a list is prepared for."""
    filterset = filterset_of(view)
    names = filterset.base_filters if filterset else {}
    return sum(name in names or name.startswith(CUSTOM) for name in request.query_params) > MAX_FILTERS


def _refused_selection(view: APIView) -> list[DomainError]:
    try:
        getattr(view, "selection", None)
    except DomainError as refused:
        return list(refused.violations)
    return []


def is_list(view: APIView, request: Request) -> bool:
    """Say whether the request asks for rows rather than for one."""
    is_one = getattr(view, "detail", False) or getattr(view, "action", None) == "retrieve"
    return request.method in ("GET", "HEAD") and not is_one


def is_narrowed(view: APIView) -> bool:
    """Say whether the view makes one answer of many rows, which its filters narrow."""
    return bool(getattr(view, "sums_up", False))


def filterset_of(view: APIView) -> Any:
    """Return the class of the resource's filters, or None."""
    return getattr(view, "filterset_class", None)


def orderings_of(view: APIView) -> Mapping[str, str]:
    """Return what the resource can be ordered by: public names and ORM paths."""
    return getattr(view, "ordering_fields", {})


def model_of(view: APIView) -> type[Model]:
    """Return the model of the resource's rows."""
    model: type[Model] = view.queryset.model  # type: ignore[attr-defined]  # every list is a generic view
    return model
