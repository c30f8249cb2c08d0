"""Routing: every resource answers under the same URL structure, and only what it offers."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import ResolverMatch, URLPattern, URLResolver
from django.urls.resolvers import RoutePattern
from rest_framework.routers import SimpleRouter

WORD = re.compile(r"[\w-]+")
# An id in a path, in letters of either case: RFC 9562 (4) takes both.
ID = re.compile(r"(?<=/)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=/)", re.IGNORECASE | re.ASCII)
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


class FirstSegmentResolver(URLResolver):
    """Leads to patterns below a prefix, and tries only those that begin with the path's first segment.

    There are more than a hundred, and to try them all would be a good part of what a quick answer costs.
    """

    def __init__(self, prefix: str, patterns: Sequence[URLPattern | URLResolver]) -> None:
        super().__init__(RoutePattern(prefix), patterns)
        segments = [str(each.pattern).partition("/")[0] for each in patterns]
        self._by_segment = {
            segment: URLResolver(
                RoutePattern(prefix),
                [
                    each
                    for each, own in zip(patterns, segments, strict=True)
                    if own == segment or not WORD.fullmatch(own)
                ],
            )
            for segment in {"", *segments}
        }

    def resolve(self, path: str) -> ResolverMatch:
        path = ID.sub(lambda found: found[0].lower(), path)
        found = self.pattern.match(path)
        segment = found[0].partition("/")[0] if found else ""
        return self._by_segment.get(segment, self._by_segment[""]).resolve(path)
