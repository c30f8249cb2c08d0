"""The OpenAPI description of what this package does to every request and answer.

drf-spectacular reads serializers and filters; this class adds what they cannot tell: the envelope,
every refusal that an operation can meet, the headers, the parameters of lists. It reads the same
declarations on a resource that the resource itself works by, so that the two cannot differ.

A view says what it takes and gives by `get_request_serializer()` and `get_response_serializer()`
(None for no body), or by `@extend_schema`. Refusals that this module cannot foresee are declared as
`documented_statuses = {action or lower-case method: [status, …]}`.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from drf_spectacular.drainage import has_override
from drf_spectacular.plumbing import force_instance, safe_ref
from drf_spectacular.utils import Direction, OpenApiResponse

from core.api import schema_authentication  # noqa: F401 - registers the schemes
from core.api import schema_components as parts
from core.api.filters import StrictFilterBackend
from core.api.renderers import BODILESS, EnvelopeRenderer
from core.api.schema_fields import expandable_field
from core.api.schema_operation import OperationSchema
from core.api.schema_parameters import paging_parameters, row_parameters
from core.api.serializers import WriteSerializer, reader_of
from core.streams import EVENT_STREAM

Schema = dict[str, Any]

WRITES = ("POST", "PUT", "PATCH", "DELETE")
# A resource answers with these unless its action is declared otherwise.
DESCRIPTIONS: Mapping[str, str] = {"200": "Done.", "201": "Created.", "202": "Accepted.", "204": "Done; no body."}


class EnvelopeAutoSchema(OperationSchema):
    """Describes an operation as the client meets it."""

    # --- What it takes ---

    def get_request_serializer(self) -> Any:
        for described in ("get_described_serializer", "get_request_serializer"):
            if hasattr(self.view, described):
                return getattr(self.view, described)()
        return super().get_request_serializer()

    def _get_request_body(self, direction: Direction = "request") -> Schema | None:
        overridden = type(self).get_request_serializer is not EnvelopeAutoSchema.get_request_serializer
        if self.is_resource and not overridden and self.get_request_serializer() is None:
            return None
        body: Schema | None = super()._get_request_body(direction)  # type: ignore[no-untyped-call] # the library's
        return body

    def get_serializer_name(self, serializer: Any, direction: Direction) -> str:
        # The library and the envelope add these words themselves.
        name = super().get_serializer_name(serializer, direction)
        return name.removesuffix("Request").removesuffix("Response") or name

    def _get_paginator(self) -> None:
        # The envelope holds the rows and `meta` the pages, so the rows' own schema is a plain array.
        return None

    def get_filter_backends(self) -> list[Any]:
        backends: list[Any] = super().get_filter_backends()
        return backends if self._lists_rows else []

    def _get_filter_parameters(self) -> list[Schema]:
        if getattr(self.view, "downloads_rows", False) or getattr(self.view, "sums_up", False):
            return StrictFilterBackend().get_schema_operation_parameters(self.view)
        found: list[Schema] = super()._get_filter_parameters()  # type: ignore[no-untyped-call] # the library's
        if self._is_paginated:
            found += paging_parameters(self.view.pagination_class)
        return found

    def _get_parameters(self) -> list[Schema]:
        taken = {
            "RequestID": True,
            "IfNoneMatch": self.is_resource and self.method == "GET",
            "IfMatch": self._takes_if_match,
            "IdempotencyKey": self.is_idempotent_post,
        }
        shared = {name: parts.PARAMETERS[name] for name, is_taken in taken.items() if is_taken}
        shared |= self._row_parameters()
        return [
            *super()._get_parameters(),
            *(self._shared("parameters", name, parameter) for name, parameter in shared.items()),
        ]

    def _row_parameters(self) -> dict[str, Schema]:
        if (
            not self.is_resource
            or type(self).get_response_serializers is not EnvelopeAutoSchema.get_response_serializers
        ):
            return {}
        reader = force_instance(self.view.get_response_serializer())
        reader = getattr(reader, "child", reader)
        if not hasattr(reader, "expandable"):  # not a reader of rows, which narrows and widens itself
            return {}
        name = self._get_serializer_name(reader, "response")
        return {f"{name}{kind}": each for kind, each in row_parameters(self.view.expansions, reader).items()}

    @property
    def _takes_if_match(self) -> bool:
        changes = self.method in ("PUT", "PATCH", "DELETE") or self._is_stated
        return self.is_resource and self.is_versioned and changes

    @property
    def _is_stated(self) -> bool:
        """Whether the step is taken by those alone who say what they have read."""
        return self.view.action in getattr(self.view, "stated_steps", ()) if self.is_resource else False

    # --- What it gives ---

    def get_response_serializers(self) -> Any:
        if not self.is_resource:
            return super().get_response_serializers()
        serializer = self.view.get_response_serializer()
        status = getattr(self.view, "success_statuses", {}).get(self.action)
        if status is None and serializer is None:
            status = 204
        return serializer if status is None else {status: serializer}

    def _get_response_bodies(self, direction: Direction = "response") -> Schema:
        responses: Schema = super()._get_response_bodies(direction)
        if "204" in responses:
            responses["204"] = self._success({"description": DESCRIPTIONS["204"]}, "204")
        if self.is_resource and self.method == "GET":
            responses.setdefault("304", self._success({"description": "Not changed since `If-None-Match`."}, "304"))
        for status in self._refusals():
            responses.setdefault(str(status), self._refusal(status))
        return {status: responses[status] for status in sorted(responses)}

    def _refusals(self) -> set[int]:
        """Return the statuses with which this operation can refuse."""
        has_body = self.method in ("POST", "PUT", "PATCH")
        can_meet = {
            400: True,
            401: bool(self.view.get_authenticators()),
            403: not self.is_public,
            404: "{" in self.path or self._is_paginated or (self.method in WRITES and not self.is_public),
            409: self.method in WRITES and not self.is_public,
            412: self._takes_if_match,
            411: has_body,
            413: has_body,
            415: has_body,
            422: self.is_idempotent_post,
            428: self._takes_if_match and (self._is_stated or getattr(self.view, "if_match_required", False)),
            429: bool(self.view.get_throttles()),
            503: True,
        }
        declared: Sequence[int] = getattr(self.view, "documented_statuses", {}).get(self.action, ())
        return {status for status, can in can_meet.items() if can} | set(declared)

    def _refusal(self, status: int) -> Schema:
        for name in ("Violation", "Problem"):
            self._shared("schemas", name, parts.SCHEMAS[name])
        response = parts.problem_response(status)
        self._register_headers(response)
        return self._shared("responses", parts.response_name(status), response)

    def _postprocess_serializer_schema(self, schema: Schema, serializer: Any, direction: Direction) -> Schema:
        schema = super()._postprocess_serializer_schema(  # type: ignore[no-untyped-call] # the library's
            schema, serializer, direction
        )
        if not vars(type(serializer)).get("__doc__") and not has_override(serializer, "description"):
            schema.pop("description", None)  # a base class's, which speaks to programmers
        if direction == "request" and isinstance(serializer, WriteSerializer):
            schema["additionalProperties"] = False
            if serializer.always_required:
                schema["required"] = [*schema.get("required", ()), *serializer.always_required]
            if serializer.request_example:
                schema["examples"] = [dict(serializer.request_example)]
            if serializer.needs_one_of:
                schema["required"] = [name for name in schema["required"] if name not in serializer.needs_one_of]
                schema["anyOf"] = [{"required": [name]} for name in serializer.needs_one_of]
        if direction == "response":
            for name, prop in schema.get("properties", {}).items():
                prop.pop("readOnly", None)  # requests have shapes of their own
                schema["properties"][name] = safe_ref(prop)
            self._describe_expansions(schema.get("properties", {}), getattr(serializer, "expandable", {}), direction)
        return schema

    def _describe_expansions(self, shown: Schema, expandable: Mapping[str, Any], direction: Direction) -> None:
        for name, reader in expandable.items():
            if name in shown:
                full = self.resolve_serializer(reader_of(reader)(), direction).ref
                shown[name] = expandable_field(shown[name], full)

    def _get_response_for_code(
        self, serializer: Any, status_code: str, media_types: Any = None, direction: Direction = "response"
    ) -> Schema:
        if int(status_code) >= HTTPStatus.BAD_REQUEST:
            refusal = self._refusal(int(status_code))
            described = isinstance(serializer, OpenApiResponse) and serializer.description
            # A reference may carry a description of its own since OpenAPI 3.1.
            return {**refusal, "description": str(serializer.description)} if described else refusal
        response: Schema = super()._get_response_for_code(  # type: ignore[no-untyped-call] # the library's
            serializer, status_code, media_types, direction
        )
        if not response.get("description") or "content" not in response:
            response["description"] = DESCRIPTIONS.get(status_code, "Done.")
        if self._is_enveloped and int(status_code) not in BODILESS:
            content = response.setdefault("content", {"application/json": {"schema": {"type": "null"}}})
            for name, media in content.items():
                if name != EVENT_STREAM:
                    self._envelop(media, status_code)
        return self._success(response, status_code)

    @property
    def _is_enveloped(self) -> bool:
        return isinstance(self.view.get_renderers()[0], EnvelopeRenderer)

    def _envelop(self, media: Schema, status_code: str) -> None:
        data = media["schema"]
        paginated = self._is_paginated
        if paginated:
            for name in ("KeysetPagination", "NumberedPagination"):
                self._shared("schemas", name, parts.SCHEMAS[name])
        schema = parts.envelope_schema(data, paginated=paginated)
        referred = (data.get("items", {}) if data.get("type") == "array" else data).get("$ref")
        if referred:
            suffix = "Page" if paginated else ("List" if data.get("type") == "array" else "")
            name = f"{referred.rpartition('/')[2]}{suffix}Response"
            media["schema"] = self._shared("schemas", name, schema)
        else:
            media["schema"] = schema
        for example in media.get("examples", {}).values():
            example["value"] = {
                "success": True,
                "message": "Success",
                "data": example["value"],
                "timestamp": parts.EXAMPLE_TIME,
            }
            if paginated:
                pages = {"next": parts.CURSOR_URL, "previous": None, "page_size": 25}
                example["value"]["meta"] = {"pagination": pages}

    def _success(self, response: Schema, status_code: str) -> Schema:
        """Add the headers of a success."""
        headers = {"X-Request-ID": "RequestID"}
        if self.view.get_throttles():
            headers |= parts.COUNTED
        if self.is_resource and (self.method == "GET" or (self.is_versioned and status_code in ("200", "201"))):
            headers["ETag"] = "ETag"
        if self.is_idempotent_post:
            headers["Idempotent-Replayed"] = "IdempotentReplayed"
        response["headers"] = {**parts.header_references(headers), **response.get("headers", {})}
        self._register_headers(response)
        return response
