"""The parts that operations of the OpenAPI document share, each stated once and referred to."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from core.api.renderers import PROBLEM_TYPE
from core.api.responses import REASONS, problem

Schema = dict[str, Any]

EXAMPLE_TIME = "2026-03-02T09:00:00Z"
EXAMPLE_REQUEST_ID = "0195553e-9a70-7c3e-8e1e-2f6d5a1b7c44"
CURSOR_URL = "/api/v1/rows/?cursor=pQ7zK0fW"

SCHEMAS: Mapping[str, Schema] = {
    "Violation": {
        "type": "object",
        "description": "One reason for a refusal.",
        "required": ["code", "field", "detail", "meta"],
        "properties": {
            "code": {"type": "string", "description": "Stable name of the rule."},
            "field": {
                "type": "string",
                "description": "Dotted path of the input it concerns, such as `items.3.name`; empty for all of it.",
            },
            "detail": {"type": "string", "description": "What is wrong, for a person."},
            "meta": {"type": "object", "description": "Facts a client may act upon.", "additionalProperties": {}},
        },
    },
    "Problem": {
        "type": "object",
        "description": "A problem document (RFC 9457) that also carries the envelope's members.",
        "required": [
            *("type", "title", "status", "detail", "code", "success", "message", "errors", "request_id", "timestamp"),
        ],
        "properties": {
            "type": {"type": "string", "format": "uri", "description": "Identifies and explains the code."},
            "title": {"type": "string", "description": "What the code means."},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "What is wrong with this request."},
            "code": {"type": "string", "description": "The violations' code if they share one, else `invalid`."},
            "success": {"type": "boolean", "const": False},
            "message": {"type": "string", "description": "The same as `title`."},
            "errors": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Violation"}},
            "request_id": {"type": "string", "description": "Name it when you report the problem."},
            "timestamp": {"type": "string", "format": "date-time"},
        },
    },
    "KeysetPagination": {
        "type": "object",
        "description": "Where the neighbouring pages are, relative to this server.",
        "required": ["next", "previous", "page_size"],
        "properties": {
            "next": {"type": ["string", "null"], "format": "uri-reference", "examples": [CURSOR_URL]},
            "previous": {"type": ["string", "null"], "format": "uri-reference", "examples": [None]},
            "page_size": {"type": "integer", "minimum": 1, "maximum": 200, "examples": [25]},
        },
    },
    "NumberedPagination": {
        "description": "The answer to `?page=`: the neighbours, and how many rows and pages there are.",
        "allOf": [
            {"$ref": "#/components/schemas/KeysetPagination"},
            {
                "type": "object",
                "required": ["total", "page", "pages"],
                "properties": {
                    "total": {"type": "integer", "minimum": 0},
                    "page": {"type": "integer", "minimum": 1},
                    "pages": {"type": "integer", "minimum": 1},
                },
            },
        ],
    },
}

HEADERS: Mapping[str, Schema] = {
    "RequestID": {"description": "The request's id, echoed or made.", "schema": {"type": "string"}},
    "ETag": {
        "description": "Tag of this representation, for `If-None-Match` and `If-Match`.",
        "schema": {"type": "string"},
    },
    "IdempotentReplayed": {
        "description": "Present, and `true`, when this is the kept answer to an earlier request with the same key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "RateLimit": {
        "description": "By limit: how many more requests may come at once (`r`), and seconds until one more (`t`).",
        "schema": {"type": "string"},
        "example": '"account";r=299;t=1, "address";r=599;t=1',
    },
    "RateLimitPolicy": {
        "description": "The limits that the request counted against: `q` requests in `w` seconds.",
        "schema": {"type": "string"},
        "example": '"account";q=1200;w=60, "address";q=3000;w=60',
    },
    "RetryAfter": {"description": "Seconds to wait before trying again.", "schema": {"type": "integer", "minimum": 0}},
    "WWWAuthenticate": {"description": "How to authenticate.", "schema": {"type": "string"}},
}

PARAMETERS: Mapping[str, Schema] = {
    "RequestID": {
        "name": "X-Request-ID",
        "in": "header",
        "description": (
            "Your own id for this request, of up to 128 letters, digits, dots, dashes and underscores; "
            "it is echoed and stands in every log line about it. Any other is replaced."
        ),
        "schema": {"type": "string"},
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "An `ETag` seen before; the answer is 304 without a body while nothing has changed.",
        "schema": {"type": "string"},
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "description": "The `ETag` that was read; the request is refused with 412 if the row has changed since.",
        "schema": {"type": "string"},
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Makes a repetition safe: the same key and body get the first answer again for 72 hours.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    },
}

# The status, the name of its component, and the code and sentence of its example.
_PROBLEMS: Mapping[int, tuple[str, str, str]] = {
    400: ("BadRequest", "required", "This field is required."),
    401: ("Unauthorized", "not_authenticated", "Authentication credentials were not provided."),
    403: ("Forbidden", "permission_denied", "You do not have permission to do this."),
    404: ("NotFound", "not_found", "Not found."),
    406: (
        "NotAcceptable",
        "events_not_accepted",
        "This is a stream of events: say in Accept that you take text/event-stream.",
    ),
    409: ("Conflict", "in_use", "Other records still refer to this one."),
    412: ("PreconditionFailed", "precondition_failed", "The row was changed since it was read; read it again."),
    411: ("LengthRequired", "length_required", "Say the length of the body in Content-Length."),
    413: ("PayloadTooLarge", "payload_too_large", "The body is larger than this service accepts."),
    415: ("UnsupportedMediaType", "unsupported_media_type", 'Unsupported media type "text/plain" in request.'),
    416: ("RangeNotSatisfiable", "range_not_satisfiable", "The content ends before that part."),
    422: ("IdempotencyKeyReused", "idempotency_mismatch", "This idempotency key was used for another request."),
    428: ("PreconditionRequired", "precondition_required", "Send If-Match with the tag that you read."),
    429: ("TooManyRequests", "throttled", "Request was throttled. Expected available in 3 seconds."),
    460: ("ChecksumMismatch", "checksum_mismatch", "What came is not what the checksum says; none of it is kept."),
    503: ("Unavailable", "unavailable", "The service cannot answer now; try again in a moment."),
}
# What every answer to a request that was counted carries.
COUNTED: Mapping[str, str] = {"RateLimit": "RateLimit", "RateLimit-Policy": "RateLimitPolicy"}
_EXTRA_HEADERS: Mapping[int, Mapping[str, str]] = {
    401: {"WWW-Authenticate": "WWWAuthenticate"},
    429: {"Retry-After": "RetryAfter", **COUNTED},
    503: {"Retry-After": "RetryAfter"},
}


def response_name(status: int) -> str:
    """Return the name of the component that describes a refusal with `status`."""
    return _PROBLEMS[status][0] if status in _PROBLEMS else f"Status{status}"


def problem_response(status: int) -> Schema:
    """Return the response component for a refusal with `status`, with its example."""
    _, code, sentence = _PROBLEMS[status]
    field = "name" if status == HTTPStatus.BAD_REQUEST else ""
    example = {
        **problem(
            status=status,
            code=code,
            title=sentence,
            errors=[{"code": code, "field": field, "detail": sentence, "meta": {}}],
        ),
        "request_id": EXAMPLE_REQUEST_ID,
        "timestamp": EXAMPLE_TIME,
    }
    return {
        "description": f"{REASONS[status]}.",
        "headers": header_references({"X-Request-ID": "RequestID", **_EXTRA_HEADERS.get(status, {})}),
        "content": {
            PROBLEM_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": {code: {"value": example}},
            }
        },
    }


def header_references(names: Mapping[str, str]) -> Schema:
    """Refer to header components by the names of the headers."""
    return {header: {"$ref": f"#/components/headers/{component}"} for header, component in names.items()}


def envelope_schema(data: Schema, *, paginated: bool = False) -> Schema:
    """Return the schema of the success envelope around `data`."""
    properties: Schema = {
        "success": {"type": "boolean", "const": True},
        "message": {"type": "string", "examples": ["Success"]},
        "data": data,
        "timestamp": {"type": "string", "format": "date-time", "description": "When the data was read."},
    }
    if paginated:
        properties["meta"] = {
            "type": "object",
            "required": ["pagination"],
            "properties": {
                "pagination": {
                    "anyOf": [
                        {"$ref": "#/components/schemas/KeysetPagination"},
                        {"$ref": "#/components/schemas/NumberedPagination"},
                    ]
                }
            },
        }
    else:
        properties["meta"] = {
            "type": "object",
            "description": "What is said about the data.",
            "additionalProperties": {},
        }
    required = ["success", "message", "data", "timestamp", *(["meta"] if paginated else [])]
    return {"type": "object", "required": required, "properties": properties}
