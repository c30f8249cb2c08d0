"""What comes in as JSON: one meaning or a refusal with its code, whatever is sent."""

import json
import os
from contextlib import suppress
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.test import Client
from django.urls import path
from hypothesis import given
from hypothesis import strategies as some
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.parsers import StrictJSONParser, loads, refuse_unreadable_query
from core.api.permissions import PublicByName
from core.errors import DomainError

HOSTILE_STRINGS = Path(__file__).resolve().parents[4] / "shared" / "data" / "robustness" / "blns.json"


class Note(serializers.Serializer):
    text = serializers.CharField()


class PublicView(APIView):
    authentication_classes = ()
    permission_classes = (PublicByName,)

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        refuse_unreadable_query(request)


class Echo(PublicView):
    def get(self, request):
        return Response(request.query_params.dict())

    def post(self, request):
        return Response(request.data)


class Notes(PublicView):
    def post(self, request):
        note = Note(data=request.data)
        note.is_valid(raise_exception=True)
        return Response(note.validated_data)


urlpatterns = [path("echo/", Echo.as_view()), path("notes/", Notes.as_view())]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.checklist(45)]


def post(body, content_type="application/json", url="/echo/", **headers):
    return Client().post(url, body, content_type=content_type, headers=headers)


def code_of(body):
    with pytest.raises(DomainError) as refused:
        loads(body)
    return refused.value.error_code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "invalid_json"),
        (b"{} {}", "invalid_json"),
        (b"[1,]", "invalid_json"),
        (b"{'a': 1}", "invalid_json"),
        (b"   ", "invalid_json"),
        (b'["a\nb"]', "invalid_json"),
        (b"[NaN]", "invalid_json"),
        (b"[-Infinity]", "invalid_json"),
        (b"[01]", "invalid_json"),
        (b"\xef\xbb\xbf{}", "invalid_json"),
        (b'["' + b'\\"' * 500_000, "invalid_json"),
        (b'{"a": 1, "a": 2}', "duplicate_key"),
        (b'{"a": 1, "\\u0061": 2}', "duplicate_key"),
        (b'[{"deep": {"a": 1, "b": 2, "a": 1}}]', "duplicate_key"),
        (b"[" * 21 + b"]" * 21, "too_deep"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a":' * 100_000, "too_deep"),
        (b'["' + b"]" * 50 + b'",' + b"[" * 100_000, "too_deep"),
        (b'["\xff"]', "invalid_unicode"),
        (b'["\xed\xa0\x80"]', "invalid_unicode"),
        (b'["\\ud800"]', "invalid_unicode"),
        (b'["\\udc00\\ud800"]', "invalid_unicode"),
        (b'{"\\udfff": 1}', "invalid_unicode"),
        ('["a"]'.encode("utf-16"), "invalid_unicode"),
        (b'["\x00"]', "nul_character"),
        (b'["\\u0000"]', "nul_character"),
        (b'[{"a\\u0000": 1}]', "nul_character"),
        (b"[9223372036854775808]", "number_out_of_range"),
        (b"[-9223372036854775809]", "number_out_of_range"),
        (b"[" + b"9" * 500_000 + b"]", "number_out_of_range"),
        (b"[1e400]", "number_out_of_range"),
        (b"[0." + b"1" * 500_000 + b"]", "number_out_of_range"),
        (b"5", "object_expected"),
        (b'"text"', "object_expected"),
        (b"null", "object_expected"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_an_ambiguous_or_boundless_body_is_refused_by_its_own_code(body, code):
    assert code_of(body) == code


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b" [ ] ", []),
        (b"[" * 20 + b"]" * 20, [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]),
        (b'{"a": {"a": 1}, "b": [{"a": 2}, {"a": 3}]}', {"a": {"a": 1}, "b": [{"a": 2}, {"a": 3}]}),
        (b'["' + b"[{" * 1000 + b'"]', ["[{" * 1000]),
        (b'["\\"[[[[[[[[[[[[[[[[[[[[[[[[[[\\\\"]', ['"[[[[[[[[[[[[[[[[[[[[[[[[[[\\']),
        (b'["\\ud83d\\ude00", "\xf0\x9f\x98\x80"]', ["😀", "😀"]),
        (b"[9223372036854775807, -9223372036854775808]", [2**63 - 1, -(2**63)]),
        (b"[1.50, -0.0, 1e3]", [1.5, -0.0, 1000.0]),
        ('["\N{LINE SEPARATOR}\x7f\N{ZERO WIDTH SPACE}"]'.encode(), ["\N{LINE SEPARATOR}\x7f\N{ZERO WIDTH SPACE}"]),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_body_with_one_meaning_is_read_exactly(body, value):
    assert loads(body) == value


storable = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
documents = some.dictionaries(
    storable,
    some.recursive(
        some.none()
        | some.booleans()
        | some.integers(-(2**63), 2**63 - 1)
        | some.floats(allow_nan=False, allow_infinity=False)
        | storable,
        lambda inner: some.lists(inner, max_size=4) | some.dictionaries(storable, inner, max_size=4),
        max_leaves=12,
    ),
    max_size=5,
)


@given(documents, some.booleans())
def test_every_document_that_can_be_stored_is_read_as_it_was_meant(document, escaped):
    text = json.dumps(document, ensure_ascii=escaped)

    assert loads(text.encode()) == json.loads(text, parse_float=Decimal)


@given(some.binary(max_size=200) | some.text(alphabet='[]{}",:\\u0dt1eE+-.', max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused_and_nothing_else(body):
    with suppress(DomainError):
        assert loads(body) == json.loads(body, parse_float=Decimal)


@pytest.mark.parametrize("sent", [b'{"a": 1}', b'{"a": "b'])
def test_a_body_that_ends_before_it_is_as_long_as_was_said_is_refused(sent):
    request = SimpleNamespace(headers={"Content-Length": str(len(sent) + 100)})

    with pytest.raises(DomainError) as refused:
        StrictJSONParser().parse(BytesIO(sent), "application/json", {"request": request})

    assert refused.value.error_code == "incomplete_body"


def test_a_refusal_over_http_is_a_problem_document():
    response = post(b'{"a": 1, "a": 2}')

    body = response.json()
    assert (response.status_code, body["code"]) == (400, "duplicate_key")
    assert body["errors"] == [
        {
            "code": "duplicate_key",
            "field": "",
            "detail": "An object in the body names a key twice.",
            "meta": {"key": "a"},
        }
    ]


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "application/json-patch+json",
        "nonsense",
    ],
)
def test_a_body_of_another_type_is_unsupported(content_type):
    response = post(b"{}", content_type)

    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


def test_a_compressed_body_is_unsupported():
    response = post(b"{}", **{"Content-Encoding": "gzip"})

    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


def test_utf_8_may_be_named():
    assert post('{"a": "é"}'.encode(), 'application/json; charset="UTF-8"').json()["data"] == {"a": "é"}


def test_a_body_over_the_limit_is_too_large_and_one_at_the_limit_is_not(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    exact = post(b'{"a": "' + b"x" * 991 + b'"}')
    larger = post(b'{"a": "' + b"x" * 992 + b'"}')

    assert exact.status_code == 200
    assert (larger.status_code, larger.json()["code"]) == (413, "payload_too_large")


def test_a_body_of_two_megabytes_is_too_large():
    response = post(b'{"a": "' + b"x" * 2_000_000 + b'"}')

    assert (response.status_code, response.json()["code"]) == (413, "payload_too_large")


@pytest.mark.parametrize("body", [b"[]", b"[1, 2]", b'[{"text": "a"}]', b"5", b"null"])
def test_a_body_that_is_no_object_is_refused_by_one_code(body):
    response = post(body, url="/notes/")

    assert (response.status_code, response.json()["code"]) == (400, "object_expected")


def test_a_missing_body_lacks_its_fields():
    response = post(b"", url="/notes/")

    assert response.status_code == 400
    assert [(error["code"], error["field"]) for error in response.json()["errors"]] == [("required", "text")]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("a=%00", "nul_character"),
        ("%00=a", "nul_character"),
        ("a=%FF", "invalid_unicode"),
        ("a=%ED%A0%80", "invalid_unicode"),
        ("a=%C3", "invalid_unicode"),
        ("%E9t%E9=1", "invalid_unicode"),
    ],
)
def test_an_unreadable_query_is_refused_rather_than_guessed(query, code):
    response = Client().get(f"/echo/?{query}")

    assert (response.status_code, response.json()["code"]) == (400, code)


def test_a_readable_query_is_read():
    assert Client().get("/echo/?n%C3%A9=O%2B+%F0%9F%98%80&empty=").json()["data"] == {"né": "O+ 😀", "empty": ""}


@pytest.mark.skipif(
    not HOSTILE_STRINGS.exists() and not os.environ.get("REAL_DATA_REQUIRED"),
    reason="../shared/data/robustness is not there",
)
def test_hostile_strings_are_kept_exactly():
    strings = [text for text in json.loads(HOSTILE_STRINGS.read_text(encoding="utf-8")) if "\x00" not in text]

    for text in strings:
        answer = post(json.dumps({"text": text}).encode()).json()["data"]
        assert answer == {"text": text}
