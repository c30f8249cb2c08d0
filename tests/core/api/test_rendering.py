"""What leaves as JSON: exact values, the envelope, and nothing a client could misread."""

import json
import math
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType

import pytest
from django.db import models
from django.test import Client
from django.urls import path
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as some
from rest_framework import serializers, status
from rest_framework.decorators import api_view, authentication_classes, permission_classes, renderer_classes
from rest_framework.response import Response
from rest_framework.utils.serializer_helpers import ReturnDict, ReturnList

from core.api.permissions import PublicByName
from core.api.renderers import JSONRenderer, dumps
from core.api.responses import StandardResponse

EIGHT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
CHAIN = "\N{LINE SEPARATOR}"


class Colour(models.TextChoices):
    RED = "red", "Red"


def public(function):
    return api_view(["GET", "DELETE"])(permission_classes([PublicByName])(authentication_classes([])(function)))


@public
def plain(request):
    return Response({"amount": Decimal("12.50")})


@public
def listed(request):
    return StandardResponse.success([1, 2], message="Two rows", meta={"pagination": {"next": None}})


@public
def kept(request):
    return StandardResponse.success({}, timestamp=EIGHT)


@public
def gone(request):
    return Response(status=status.HTTP_204_NO_CONTENT)


@public
def refused(request):
    errors = [{"code": "too_small", "field": "capacity", "detail": "At least 1.", "meta": {"least": 1}}]
    return StandardResponse.error("Too small.", errors, 400, "too_small", detail="A capacity of 0 holds nobody.")


@public
@renderer_classes([JSONRenderer])
def bare(request):
    return Response({"keys": []})


urlpatterns = [
    path("plain/", plain),
    path("listed/", listed),
    path("kept/", kept),
    path("gone/", gone),
    path("refused/", refused),
    path("bare/", bare),
]
pytestmark = pytest.mark.urls(__name__)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("12.50"), '"12.50"'),
        (Decimal("1E+3"), '"1000"'),
        (uuid.UUID(int=7), '"00000000-0000-0000-0000-000000000007"'),
        (EIGHT, '"2026-03-02T08:00:00Z"'),
        (datetime(2026, 3, 2, 10, 0, tzinfo=timezone(timedelta(hours=2))), '"2026-03-02T08:00:00Z"'),
        (datetime(2026, 3, 2, 8, 0, 0, 250_000, tzinfo=UTC), '"2026-03-02T08:00:00.250000Z"'),
        (date(2026, 3, 2), '"2026-03-02"'),
        (time(8, 30), '"08:30:00"'),
        (timedelta(hours=1, minutes=30), '"P0DT01H30M00S"'),
        (gettext_lazy("Yes"), '"Yes"'),
        (Colour.RED, '"red"'),
        ({uuid.UUID(int=7): 1, 3: 2, Colour.RED: 3}, '{"00000000-0000-0000-0000-000000000007":1,"3":2,"red":3}'),
        (MappingProxyType({"a": (1, 2)}), '{"a":[1,2]}'),
        (ReturnDict({"a": 1}, serializer=None), '{"a":1}'),
        (ReturnList([1], serializer=None), "[1]"),
        (serializers.ErrorDetail("No.", code="no"), '"No."'),
        (0.1, "0.1"),
        (2**63 - 1, "9223372036854775807"),
        # Left as it is: every JSON reader takes it, and no answer is ever read as script.
        (f"</script>{CHAIN}é", f'"</script>{CHAIN}é"'),
        ({"nothing": None, "half": 0.5}, '{"nothing":null,"half":0.5}'),
    ],
)
def test_a_value_is_written_exactly(value, written):
    assert dumps(value).decode() == written


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        {"rows": [{"mean": -math.inf}]},
        [(math.nan,)],
        Decimal("NaN"),
        Decimal("Infinity"),
        datetime(2026, 3, 2, 8, 0),  # noqa: DTZ001 - the point
        {1, 2},
        b"bytes",
        object(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_json_cannot_say_is_refused_instead_of_bent(value):
    with pytest.raises((TypeError, ValueError)):
        dumps(value)


json_values = some.recursive(
    some.none()
    | some.booleans()
    | some.integers(-(2**63), 2**63 - 1)
    | some.floats(allow_nan=False, allow_infinity=False)
    | some.text(some.characters(exclude_categories=["Cs"])),
    lambda inner: (
        some.lists(inner, max_size=4)
        | some.dictionaries(some.text(some.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(json_values)
def test_every_json_value_survives_the_way_out(value):
    assert json.loads(dumps(value)) == value


def test_a_plain_answer_is_wrapped_in_the_envelope():
    response = Client().get("/plain/")

    body = response.json()
    assert response.headers["Content-Type"] == "application/json"
    assert set(body) == {"success", "message", "data", "timestamp"}
    assert (body["success"], body["message"], body["data"]) == (True, "Success", {"amount": "12.50"})
    assert datetime.fromisoformat(body["timestamp"]).utcoffset() == timedelta(0)


def test_a_list_says_more_beside_its_rows():
    body = Client().get("/listed/").json()

    assert (body["message"], body["data"]) == ("Two rows", [1, 2])
    assert body["meta"] == {"pagination": {"next": None}}


def test_a_document_whose_shape_another_standard_fixes_is_not_wrapped():
    assert Client().get("/bare/").json() == {"keys": []}


def test_data_read_earlier_keeps_its_time():
    assert Client().get("/kept/").json()["timestamp"] == "2026-03-02T08:00:00Z"


def test_an_answer_without_content_has_no_body_and_no_type():
    response = Client().delete("/gone/")

    assert (response.status_code, response.content) == (204, b"")
    assert "Content-Type" not in response.headers


def test_a_problem_document_carries_the_envelopes_members_and_is_not_wrapped_again():
    response = Client().get("/refused/", headers={"X-Request-ID": "abc-1"})

    body = response.json()
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    assert body.pop("timestamp").endswith("Z")
    assert body == {
        "type": "https://campushub360.example/problems/too_small",
        "title": "Too small.",
        "status": 400,
        "detail": "A capacity of 0 holds nobody.",
        "code": "too_small",
        "success": False,
        "message": "Too small.",
        "errors": [{"code": "too_small", "field": "capacity", "detail": "At least 1.", "meta": {"least": 1}}],
        "request_id": "abc-1",
    }


def test_the_type_of_a_problem_leads_to_where_the_deployment_explains_it(settings):
    settings.PROBLEM_TYPE_BASE = "https://docs.example/errors#"

    assert Client().get("/refused/").json()["type"] == "https://docs.example/errors#too_small"


@pytest.mark.parametrize("accepted", ["text/html", "application/xml;q=0.9", "image/*", "nonsense", ""])
def test_whatever_a_client_would_accept_the_answer_is_json(accepted):
    response = Client().get("/plain/", headers={"Accept": accepted})

    assert response.status_code == 200
    assert response.json()["success"] is True


def test_instants_leave_in_utc_wherever_the_institution_is(settings):
    settings.TIME_ZONE = "Asia/Kolkata"
    at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    shown = type("Shown", (serializers.Serializer,), {"at": serializers.DateTimeField()})({"at": at}).data

    assert dumps(shown) == b'{"at":"2026-03-02T09:00:00Z"}'
