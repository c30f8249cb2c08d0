"""Routing: every resource answers under the same URL structure, and only what it offers."""

from collections.abc import Mapping
from typing import Any

from rest_framework.routers import SimpleRouter

# The action that a method map names, by the service it needs.
NEEDS = {
    "create": "create",
    "bulk_create": "create",
    "update": "update",
    "partial_update": "update",
    "bulk_update": "update",
    "destroy": "delete",
    "bulk_delete": "delete",
}


def offers(viewset: Any, action: str) -> bool:
    """Say whether a resource has the service that an action calls."""
    crud = getattr(viewset, "crud", None)
    return crud is None or action not in NEEDS or getattr(crud, NEEDS[action]) is not None


class ApiRouter(SimpleRouter):
    """Routes the actions of each resource, leaving out those without a service."""

    def get_method_map(self, viewset: Any, method_map: Mapping[str, str]) -> dict[str, str]:
        routed = super().get_method_map(viewset, method_map)
        return {method: action for method, action in routed.items() if offers(viewset, action)}
