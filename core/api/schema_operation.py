"""What an operation of the API is: its name, its sentences, and the facts that its description rests on."""

import inspect
import re
from collections.abc import Mapping
from typing import Any

from django.db.models import Model
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, get_view_model
from rest_framework.permissions import AllowAny

from core.api import schema_components as parts
from core.api.permissions import takes_keys
from core.api.schema_authentication import ApiKeyScheme

Schema = dict[str, Any]

SUMMARIES: Mapping[str, str] = {
    "list": "List {many}",
    "retrieve": "Read one {one}",
    "create": "Create one {one}",
    "update": "Replace one {one}",
    "partial_update": "Change one {one}",
    "destroy": "Delete one {one}",
}


class OperationSchema(AutoSchema):
    """Names an operation, and puts what it shares with others among the document's components."""

    view: Any

    def get_operation_id(self) -> str:
        """Return `items_list`, `items_bulk_create`: the path's nouns, then the action."""
        url_path = getattr(getattr(self.view, self.action, None), "url_path", None)
        if self.action in SUMMARIES or url_path is None:
            return re.sub(r"\W+", "_", super().get_operation_id())
        nouns = [token.replace("-", "_") for token in self._tokenize_path()]
        own = [token.replace("-", "_") for token in url_path.split("/") if token and token[0] not in "{<("]
        if own and nouns[-len(own) :] == own:
            nouns = nouns[: -len(own)]
        return "_".join([*nouns, self.action])

    def get_summary(self) -> str | None:
        if self.action in SUMMARIES and self.model is not None:
            meta = self.model._meta
            return SUMMARIES[self.action].format(one=meta.verbose_name, many=meta.verbose_name_plural)
        documented = self._own_doc() or inspect.cleandoc(vars(type(self.view)).get("__doc__") or "")
        return documented.partition("\n\n")[0].replace("\n", " ").rstrip(".") or None

    def get_description(self) -> str:  # type: ignore[override] # the library overrides it so
        """Return the resource's sentence, the action's own, and the permission that it needs."""
        texts = [inspect.cleandoc(vars(type(self.view)).get("__doc__") or "")]
        if self.action not in SUMMARIES:
            texts.append(self._own_doc())
        permission = getattr(self.view, "required_permissions", {}).get(self.action)
        if permission:
            texts.append(f"Needs the permission `{permission}`.")
        return "\n\n".join(text for text in texts if text)

    def _own_doc(self) -> str:
        return inspect.getdoc(getattr(self.view, self.action, None)) or ""

    @property
    def action(self) -> str:
        """The action of a resource, or the lower-case method of a plain view."""
        return str(getattr(self.view, "action", None) or self.method.lower())

    @property
    def model(self) -> type[Model] | None:
        model: type[Model] | None = get_view_model(self.view, emit_warnings=False)
        return model

    @property
    def is_resource(self) -> bool:
        """Whether the view is one of `core.api.viewsets`, which keep the promises about headers."""
        return hasattr(self.view, "get_response_serializer")

    @property
    def is_versioned(self) -> bool:
        return self.model is not None and any(field.name == "version" for field in self.model._meta.fields)

    def _is_list_view(self, serializer: Any = None) -> bool:
        return getattr(self.view, "lists_rows", False) or super()._is_list_view(serializer)

    @property
    def _lists_rows(self) -> bool:
        return self.method == "GET" and self._is_list_view()

    @property
    def _is_paginated(self) -> bool:
        return self._lists_rows and bool(getattr(self.view, "pagination_class", None))

    @property
    def is_public(self) -> bool:
        return any(isinstance(permission, AllowAny) for permission in self.view.get_permissions())

    @property
    def is_idempotent_post(self) -> bool:
        return self.method == "POST" and getattr(self.view, "idempotent_posts", self.is_resource)

    def get_auth(self) -> list[Schema]:
        schemes: list[Schema] = super().get_auth()
        if not takes_keys(self.view, self.path):
            schemes = [scheme for scheme in schemes if ApiKeyScheme.name not in scheme]
        if schemes and self.is_public and {} not in schemes:
            schemes.append({})
        return schemes

    def _register_headers(self, response: Schema) -> None:
        for header in response.get("headers", {}).values():
            if "$ref" in header:
                name = header["$ref"].rpartition("/")[2]
                self._shared("headers", name, parts.HEADERS[name])

    def _shared(self, kind: str, name: str, schema: Schema) -> Schema:
        """Put a part among the document's components once, and return the reference to it."""
        component = ResolvedComponent(name=name, type=kind, schema=schema, object=name)
        self.registry.register_on_missing(component)
        reference: Schema = component.ref
        return reference
