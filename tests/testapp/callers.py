"""Callers without accounts, for tests of what `core` does for any of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from rest_framework.test import APIRequestFactory, force_authenticate

from core.ids import new_id
from tests.testapp.api import ItemViewSet


@dataclass(frozen=True)
class Caller:
    """Somebody authenticated who may do everything."""

    pk: UUID = field(default_factory=new_id)
    is_authenticated: bool = True
    is_active: bool = True

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return True


@dataclass(frozen=True)
class Answer:
    """The status and the document of a response."""

    status: int
    body: Mapping[str, Any]

    @property
    def names(self) -> list[str]:
        return [row["name"] for row in self.body["data"]]

    @property
    def ids(self) -> list[str]:
        return [row["id"] for row in self.body["data"]]

    @property
    def pages(self) -> Mapping[str, Any]:
        return self.body["meta"]["pagination"]

    @property
    def refusals(self) -> list[tuple[str, str]]:
        return [(error["field"], error["code"]) for error in self.body["errors"]]


def ask(
    query: Mapping[str, Any] | str = "", *, by: Caller, viewset: Any = ItemViewSet, path: str = "/api/v1/items/"
) -> Answer:
    """List a resource as `by`; `query` holds the parameters or is a link from an earlier answer."""
    parameters = urlsplit(query).query if isinstance(query, str) else query
    if isinstance(parameters, str):
        request = APIRequestFactory().get(path, QUERY_STRING=parameters)
    else:
        request = APIRequestFactory().get(path, parameters)
    force_authenticate(request, by)
    response = viewset.as_view({"get": "list"})(request).render()
    return Answer(response.status_code, json.loads(response.content))
