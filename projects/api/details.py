"""The JSON shapes of what the kinds of projects add, made of what they say about themselves."""

from functools import cache
from typing import Any

from rest_framework import serializers

from core.api.serializers import BaseModelSerializer, ModelWriteSerializer
from projects.kinds import Kind


@cache
def reader_of(kind: Kind) -> type[BaseModelSerializer[Any]]:
    """Return what shows the row that a kind adds."""
    return type(f"{kind.model.__name__}Data", (BaseModelSerializer,), {"Meta": _meta(kind)})


@cache
def writer_of(kind: Kind) -> type[ModelWriteSerializer[Any]]:
    """Return what takes the values of that row; what is missing is asked for in the name of the kind."""
    options = {name: {"error_messages": dict.fromkeys(DEMANDS, kind.demand(name))} for name in kind.required}
    return type(f"{kind.model.__name__}Writer", (ModelWriteSerializer,), {"Meta": _meta(kind, extra_kwargs=options)})


DEMANDS = ("required", "blank", "null")


def _meta(kind: Kind, **options: Any) -> type:
    return type("Meta", (), {"model": kind.model, "fields": list(kind.fields), **options})


def shown(kind: Kind) -> serializers.Serializer[Any]:
    """Return the field of a project that shows what the kind adds; null for projects of others."""
    return reader_of(kind)(allow_null=True, help_text=f"Of a {kind.label}.")


def taken(kind: Kind) -> serializers.Serializer[Any]:
    """Return the field of a project's body that takes what the kind adds."""
    return writer_of(kind)(required=False, allow_null=True, help_text=f"Of a {kind.label}, and of no other.")
