"""Whoever may search finds out what is searched, so nothing is searched that they are not shown."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db.models import F, GeneratedField, Model
from django.db.models.constants import LOOKUP_SEP
from django.urls import URLPattern, get_resolver
from rest_framework.serializers import BaseSerializer

from courses.models import Course, CourseVersion

# What a property that is shown is made of, and so what is found by it.
MADE_OF = {"person.name": "person.search_name"}
# What everybody who may search reads as rows of their own, whatever the list shows of it.
OPEN = {Course, CourseVersion}


def searchable_views() -> list[Any]:
    def below(patterns: Any) -> Iterator[Any]:
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                yield getattr(pattern.callback, "cls", None)
            else:
                yield from below(pattern.url_patterns)

    views = {view for view in below(get_resolver().url_patterns) if getattr(view, "searchable", False)}
    return sorted(views, key=lambda view: (view.__module__, view.__name__))


def shown_by(serializer: BaseSerializer[Any], prefix: str = "") -> Iterator[str]:
    """Yield the path of each value that a serializer shows."""
    for name, field in serializer.fields.items():  # type: ignore[attr-defined]  # of a plain serializer
        source = field.source or name
        path = prefix if source == "*" else f"{prefix}{source}"
        if isinstance(field, BaseSerializer) and not hasattr(field, "child"):
            yield from shown_by(field, path if source == "*" else f"{path}.")
        else:
            yield path


def sources_of(model: type[Model], path: str) -> tuple[type[Model], str, set[str]]:
    """Return the model at the end of a search path, the way to it, and the columns its words come from."""
    *steps, column = path.split(LOOKUP_SEP)
    for step in steps:
        model = model._meta.get_field(step).related_model  # type: ignore[assignment]  # a foreign key
    field = model._meta.get_field(column)
    assert isinstance(field, GeneratedField)
    names = {node.name if isinstance(node, F) else node for node in _leaves(field.expression)}
    return model, "".join(f"{step}." for step in steps), names


def _leaves(expression: Any) -> Iterator[Any]:
    for part in expression.get_source_expressions():
        yield from [part] if isinstance(part, F) else _leaves(part)


@pytest.mark.parametrize("view", searchable_views(), ids=lambda view: view.__name__)
def test_a_list_is_searched_by_nothing_that_it_does_not_show(view: Any) -> None:
    model = view.queryset.model
    shown = set(shown_by(view.list_serializer_class()))
    whole = {path.replace(last, made) for path in shown for last, made in MADE_OF.items() if path.endswith(last)}

    for path in model.search_paths:
        found, way, columns = sources_of(model, path)
        if found in OPEN or path.replace(LOOKUP_SEP, ".") in whole:
            continue
        assert {f"{way}{column}" for column in columns} <= shown, path


def test_every_model_that_is_searched_has_a_list_to_search() -> None:
    searched = {view.queryset.model for view in searchable_views()}
    declared = {model for model in apps.get_models() if vars(model).get("search_paths")}

    # Versions of courses and people are found through the rows they belong to, and by the administration.
    listed = {model.__name__ for model in declared - searched if not model.__module__.startswith("tests.")}
    assert listed == {"CourseVersion", "Person"}
