"""What a caller may ask of a list, and the refusal of everything else.

A resource declares its filters, orderings and whether it can be searched; the backends apply them
and describe them for the OpenAPI document. Nothing is ignored: a parameter that the resource does
not know, that occurs twice or holds what it cannot hold is refused, all of them in one answer.

Apps import their filters from here (`from core.api import filters`), never from django-filter.
"""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from drf_spectacular.extensions import OpenApiFilterExtension
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.views import APIView

from core import customfields
from core.api.filter_types import (
    BooleanFilter,
    CharFilter,
    ChoiceFilter,
    DateFilter,
    DateTimeFilter,
    IntegerFilter,
    ModelChoiceFilter,
    MultipleChoiceFilter,
    NumberFilter,
    StrictFilter,
    UUIDFilter,
    filter_for,
)
from core.api.ordering import OrderingBackend
from core.api.parameters import (
    CUSTOM,
    filterset_of,
    model_of,
    refuse_unusable_parameters,
    too_many_filters,
    unknown_parameters,
)
from core.customfields.selectors import definitions_for
from core.errors import DomainError, InvalidError, raise_all
from core.models import CustomizableModel
from core.search import MAX_TEXT_LENGTH, refusal_of, search

__all__ = [
    "BooleanFilter",
    "CharFilter",
    "ChoiceFilter",
    "CustomFieldBackend",
    "DateFilter",
    "DateTimeFilter",
    "IntegerFilter",
    "ModelChoiceFilter",
    "MultipleChoiceFilter",
    "NumberFilter",
    "OrderingBackend",
    "SearchBackend",
    "StrictFilter",
    "StrictFilterBackend",
    "StrictFilterSet",
    "UUIDFilter",
    "refuse_unusable_parameters",
    "unknown_parameters",
]

Schema = dict[str, Any]


class StrictFilterSet(FilterSet):  # type: ignore[misc]  # django-filter is untyped
    """The filters of a resource: those it declares, and equality for the fields that `Meta.fields` names."""

    base_filters: dict[str, StrictFilter]

    def __init__(self, data: Mapping[str, str] | None = None, *args: Any, **options: Any) -> None:
        # django-filter copies every filter for each request, which costs more than the few that are asked for.
        asked = data or {}
        self.base_filters = {name: each for name, each in type(self).base_filters.items() if name in asked}
        super().__init__(data, *args, **options)

    @classmethod
    def get_filters(cls) -> dict[str, StrictFilter]:
        if cls._meta.exclude is not None or isinstance(cls._meta.fields, str):
            raise ImproperlyConfigured(f"{cls.__name__} names each field it filters by.")
        filters: dict[str, StrictFilter] = super().get_filters()
        for name, declared in filters.items():
            if not isinstance(declared, StrictFilter):
                raise ImproperlyConfigured(f"{cls.__name__}.{name} is not one of the filters of core.api.filters.")
        return filters

    @classmethod
    def filter_for_field(cls, field: Any, field_name: str, lookup_expr: str | None = None) -> StrictFilter:
        if lookup_expr not in (None, "exact"):
            raise ImproperlyConfigured(f"{cls.__name__}: declare {field_name} {lookup_expr} under a name of its own.")
        return filter_for(field)

    @classmethod
    def read(cls, parameters: Mapping[str, str]) -> tuple[dict[str, Any], list[DomainError]]:
        """Return the values of the parameters that are filters, and what is wrong with the others."""
        values: dict[str, Any] = {}
        errors: list[DomainError] = []
        for name in parameters:
            if name not in cls.base_filters:
                continue
            try:
                values[name] = cls.base_filters[name].read(parameters[name])
            except InvalidError as error:
                errors.append(error.under(name))
        return values, errors

    @property
    def qs(self) -> QuerySet[Any]:
        """The queryset narrowed by every filter; raises when a value is unusable."""
        values, errors = self.read(self.data)
        raise_all(errors)
        queryset: QuerySet[Any] = self.queryset
        for name, value in values.items():
            queryset = self.filters[name].filter(queryset, value)
        return queryset


class StrictFilterBackend(DjangoFilterBackend):  # type: ignore[misc]  # django-filter is untyped
    """Applies `filterset_class`."""

    def refusals(self, request: Request, view: APIView) -> list[DomainError]:
        filterset = filterset_of(view)
        return [] if filterset is None else filterset.read(request.query_params)[1]

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        filterset = filterset_of(view)
        if filterset is None or request.query_params.keys().isdisjoint(filterset.base_filters):
            return queryset
        found: QuerySet[Any] = filterset(request.query_params, queryset=queryset, request=request).qs
        return found

    def get_schema_operation_parameters(self, view: APIView) -> list[Schema]:
        filterset = filterset_of(view)
        return [] if filterset is None else [each.parameter(name) for name, each in filterset.base_filters.items()]


class StrictFilterExtension(OpenApiFilterExtension):
    """Lets the backend describe its parameters, rather than drf-spectacular guess them from form fields."""

    target_class = StrictFilterBackend
    priority = 1

    def get_schema_operation_parameters(self, auto_schema: Any, *_args: Any, **_options: Any) -> list[Schema]:
        found: list[Schema] = self.target.get_schema_operation_parameters(auto_schema.view)
        return found


class SearchBackend(BaseFilterBackend):
    """Applies `?search=` to a resource that is `searchable`."""

    def refusals(self, request: Request, view: APIView) -> list[DomainError]:
        refusal = refusal_of(request.query_params.get("search", ""))
        return [refusal] if refusal else []

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        text = request.query_params.get("search", "")
        if not text or not getattr(view, "searchable", False):
            return queryset
        model = queryset.model
        if not issubclass(model, CustomizableModel):
            return search(queryset, text)
        known = customfields.searchable(model, definitions_for(request, model), by=request.user)
        return search(queryset, text, known)

    def get_schema_operation_parameters(self, view: APIView) -> list[Schema]:
        if not getattr(view, "searchable", False):
            return []
        description = (
            "At most 10 words that begin words of the row; when no row has them, rows that resemble them are found."
        )
        schema = {"type": "string", "maxLength": MAX_TEXT_LENGTH}
        return [{"name": "search", "in": "query", "description": description, "schema": schema}]


class CustomFieldBackend(BaseFilterBackend):
    """Applies `?custom.<name>=` to a customizable model."""

    def refusals(self, request: Request, view: APIView) -> list[DomainError]:
        if too_many_filters(view, request):
            return []
        return self._applied(request, model_of(view)._default_manager.none())[1]

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        narrowed, errors = self._applied(request, queryset)
        raise_all(errors)
        return narrowed

    def _applied(self, request: Request, queryset: QuerySet[Any]) -> tuple[QuerySet[Any], list[DomainError]]:
        """Return the rows that have the values asked for, and what is wrong with what was asked."""
        wanted = [name for name in request.query_params if name.startswith(CUSTOM)]
        if not wanted or not issubclass(queryset.model, CustomizableModel):
            return queryset, []
        definitions = definitions_for(request, queryset.model)
        errors: list[DomainError] = []
        for name in wanted:
            try:
                value = request.query_params[name]
                queryset = customfields.filtered(
                    queryset, name.removeprefix(CUSTOM), value, definitions, by=request.user
                )
            except InvalidError as error:
                errors.append(error)
        return queryset, errors

    def get_schema_operation_parameters(self, view: APIView) -> list[Schema]:
        if not issubclass(model_of(view), CustomizableModel):
            return []
        # An object in exploded form is how OpenAPI says "parameters of these names".
        schema = {
            "type": "object",
            "propertyNames": {"pattern": r"^custom\.[a-z][a-z0-9]*(_[a-z0-9]+)*(__gte|__lte)?$"},
            "additionalProperties": {"type": "string"},
        }
        description = (
            "`custom.<name>=<value>`: rows whose custom field of that name has that value. A protected field is "
            "unknown to those whose role does not cover it."
        )
        return [
            {
                "name": "custom_fields",
                "in": "query",
                "description": description,
                "style": "form",
                "explode": True,
                "schema": schema,
                "example": {},
            }
        ]
