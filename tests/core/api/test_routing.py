"""A path of the API is looked for among those that begin as it does, and nothing else is found than among all."""

import re
from uuid import UUID

import pytest
from django.urls import Resolver404, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from core.api.routers import FirstSegmentResolver

VALUES = {"uuid": str(UUID(int=1)), "int": "1", "str": "some", "slug": "some", "path": "some"}
ELSEWHERE = ["nowhere/", "", "students", "students/nobody/", "sections/1/2/3/", "../students/", "students//"]


@pytest.fixture
def narrow():
    return next(each for each in get_resolver().url_patterns if isinstance(each, FirstSegmentResolver))


def found(resolver, path):
    try:
        match = resolver.resolve(path)
    except Resolver404:
        return None
    return match.func, match.route, match.kwargs, match.url_name


def test_an_id_is_found_in_capitals_and_nothing_else_is(narrow):
    shown = narrow.resolve("api/v1/students/0195553E-9A70-7c3e-8E1E-2F6D5A1B7C44/status-history/")

    assert shown.kwargs == {"parent": UUID("0195553e-9a70-7c3e-8e1e-2f6d5a1b7c44")}
    assert found(narrow, "api/v1/STUDENTS/") is None
    assert found(narrow, "api/v1/students/0195553e9a707c3e8e1e2f6d5a1b7c44/") is None


def test_every_path_is_found_where_it_would_be_among_all(narrow):
    everything = URLResolver(RoutePattern("api/v1/"), narrow.url_patterns)
    patterns = [str(each.pattern) for each in narrow.url_patterns if not isinstance(each, URLResolver)]
    paths = [re.sub(r"<(?:(\w+):)?\w+>", lambda value: VALUES[value[1] or "str"], each) for each in patterns]

    assert len(paths) > 100
    assert all(found(narrow, f"api/v1/{path}") for path in paths)
    for path in [*paths, *ELSEWHERE]:
        assert found(narrow, f"api/v1/{path}") == found(everything, f"api/v1/{path}")
    assert found(narrow, "students/") is None
