"""Every operation of the API that takes a body of JSON, with the names of the fields it takes."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator

from tests.contract.routes import Route, routes

WRITES = ("POST", "PUT", "PATCH")
JSON = "application/json"
NOTHING: dict[str, Any] = {"content": {}}


@dataclass(frozen=True)
class Operation:
    """A method of a route, the names that its body may have, and which of them hold lists of ids."""

    route: Route
    method: str
    fields: tuple[str, ...]
    lists_of_ids: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.method} {self.route}"

    @property
    def action(self) -> str:
        return self.route.actions[self.method]

    def url(self) -> str:
        """Return the URL with the id of a row that exists for each placeholder."""
        row = self.route.model._base_manager.order_by("-pk") if self.route.names else None
        if row is None:
            return self.route.path
        if self.route.names == ["parent"]:
            return self.route.list_url()
        return self.route.url(pk=row[0].pk)


def operations() -> list[Operation]:
    """Return every operation that takes a body of JSON."""
    return list(_operations())


def _operations() -> Iterator[Operation]:
    for route in routes():
        path = document()["paths"].get(route.path.replace("{pk}", "{id}"), {})
        for method in WRITES:
            described = path.get(method.lower())
            if method in route.actions and described and JSON in described.get("requestBody", NOTHING)["content"]:
                properties = _properties(described["requestBody"])
                ids = [name for name, each in properties.items() if each.get("items", {}).get("format") == "uuid"]
                yield Operation(route, method, tuple(properties), tuple(ids))


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document of the code as it is."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return schema


def _properties(body: dict[str, Any]) -> dict[str, Any]:
    schema = next(iter(body["content"].values()))["schema"]
    if "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    properties: dict[str, Any] = schema.get("properties", {})
    return properties
