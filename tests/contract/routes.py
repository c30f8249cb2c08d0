"""Every route of the API as the router knows it, so that no test has a list of its own to forget one in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Model
from django.urls import URLPattern, URLResolver, get_resolver

from core.customfields.api.of_record import CustomFieldsOfRecordViewSet

ROOT = "/api/v1/"
# Where the documentation of the API answers, rather than the API.
PAGES = ("/api/v1/schema/", "/api/v1/docs/", "/api/v1/redoc/")


@dataclass(frozen=True)
class Route:
    """A path, the view behind it and what each method does there; placeholders stand in braces."""

    path: str
    view: Any
    actions: Mapping[str, str]

    def __str__(self) -> str:
        return self.path.removeprefix(ROOT)

    @property
    def names(self) -> list[str]:
        """Return the names of the placeholders."""
        return [part.partition("}")[0] for part in self.path.split("{")[1:]]

    @property
    def lists(self) -> bool:
        return self.actions.get("GET") == "list" and hasattr(self.view, "list_serializer_class")

    @property
    def model(self) -> type[Model]:
        model: type[Model] = self.view.queryset.model
        return model

    def url(self, **values: Any) -> str:
        return self.path.format(**values)

    def list_url(self) -> str:
        """Return the URL of the list; of a nested one, below the parent with the most rows."""
        if not self.names:
            return self.path
        if issubclass(self.view, CustomFieldsOfRecordViewSet):  # of which every parent has the same
            return self.url(parent=self.view.parents.order_by("pk")[0].pk)
        rows = self.view.queryset.order_by().exclude(**{self.view.parent_field: None})
        if self.view.parents is not None:
            rows = rows.filter(**{f"{self.view.parent_field}__in": self.view.parents.values(self.view.parent_key)})
        fullest = rows.values(self.view.parent_field).annotate(n=Count("pk")).order_by("-n", self.view.parent_field)
        return self.url(parent=self.parent_of(fullest[0][self.view.parent_field]))

    def parent_of(self, value: Any) -> Any:
        """Return the id of the parent that a row of this nested list names by a value."""
        parents = self.view.parents
        return value if parents is None else parents.get(**{self.view.parent_key: value}).pk

    def detail(self) -> "Route | None":
        """Return the route of one row of this list."""
        return next((route for route in routes() if route.path == self.path + "{pk}/" and "GET" in route.actions), None)


def routes() -> list[Route]:
    """Return every route of the API, without the pages that describe it."""
    found = [route for route in _walk(get_resolver().url_patterns, "/") if route.path.startswith(ROOT)]
    return [route for route in found if not route.path.startswith(PAGES)]


def _walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[Route]:
    for pattern in patterns:
        path = prefix + _template(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            if path == "/admin/":
                continue
            yield from _walk(pattern.url_patterns, path)
            continue
        view = getattr(pattern.callback, "cls", None)
        if view is not None:
            yield Route(path, view, _actions(pattern.callback, view))


def _template(route: str) -> str:
    """Turn `<uuid:pk>` into `{pk}`."""
    for part in route.split("<")[1:]:
        placeholder = part.partition(">")[0]
        route = route.replace(f"<{placeholder}>", "{" + placeholder.rpartition(":")[2] + "}")
    return route


def _actions(callback: Any, view: Any) -> dict[str, str]:
    mapped = getattr(callback, "actions", None)
    if mapped is None:
        mapped = {method: method for method in ("get", "post", "put", "patch", "delete") if hasattr(view, method)}
    return {method.upper(): action for method, action in mapped.items() if method != "head"}
