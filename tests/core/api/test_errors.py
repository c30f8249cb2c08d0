"""Every refusal is a problem document with a stable code; every bug stays a bug and tells nothing."""

import logging
import re
from pathlib import Path

import psycopg
import psycopg_pool
import pytest
from django.contrib import admin
from django.core import exceptions as django_errors
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent
from django.core.management import CommandError, call_command
from django.db import DataError, InternalError, OperationalError, connection
from django.http import Http404, HttpResponse, UnreadablePostError
from django.test import Client
from django.urls import path
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from core.api.codes import known_codes
from core.api.exceptions import violations_of
from core.api.permissions import PublicByName
from core.db.constraints import refusing
from core.errors import ConflictError, ForbiddenError, InvalidError, MissingError, ViolationsError
from tests.testapp.models import Item, Parent


class RoomTakenError(ConflictError):
    code = "room_taken"
    title = "The room is taken."


class TooSmallError(InvalidError):
    code = "too_small"
    title = "The room is too small."
    field = "capacity"


class Line(serializers.Serializer):
    amount = serializers.IntegerField()
    note = serializers.CharField(max_length=3, required=False)


class Sheet(serializers.Serializer):
    title = serializers.CharField()
    lines = Line(many=True)
    numbers = serializers.ListField(child=serializers.IntegerField(), required=False)

    def validate(self, values):
        raise serializers.ValidationError("The sheet does not balance.", code="unbalanced")


class Failing(APIView):
    """Raises what the test put into `failure`."""

    authentication_classes = ()
    permission_classes = (PublicByName,)
    failure = None

    def get(self, request):
        raise type(self).failure

    def post(self, request):
        sheet = Sheet(data=request.data)
        sheet.is_valid(raise_exception=True)
        return Response()


class Database(APIView):
    """Lets the database refuse."""

    authentication_classes = ()
    permission_classes = (PublicByName,)

    def get(self, request):
        getattr(self, request.query_params["act"])()
        return Response()

    def duplicate(self):
        Parent.objects.create(code="A", name="First")
        Parent.objects.create(code="A", name="Second")

    def remove_used(self):
        parent = Parent.objects.create(code="B", name="Used")
        Item.objects.create(name="User", parent=parent)
        parent.delete()

    def unknown_kind(self):
        Item.objects.create(name="Odd", kind="odd")

    def beyond(self):
        Item.objects.create(name="Large", rank=2**31)

    def nul(self):
        Item.objects.create(name="a\x00b")

    def too_long(self):
        Item.objects.create(name="x" * 201)

    def slow(self):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 10; SELECT pg_sleep(5)")


class Locked(APIView):
    def get(self, request):
        return Response()


def boom(request):
    raise ZeroDivisionError("secret 42")


def unreachable(request):
    raise OperationalError("connection to server at 10.0.0.7 failed: password=hunter2")


def oversized(request):
    raise RequestDataTooBig("too big")


def forbidden(request):
    raise django_errors.PermissionDenied


urlpatterns = [
    path("admin/unreachable/", unreachable),
    path("admin/", admin.site.urls),
    path("failing/", Failing.as_view()),
    path("database/", Database.as_view()),
    path("locked/", Locked.as_view()),
    path("api/boom/", boom),
    path("api/unreachable/", unreachable),
    path("api/oversized/", oversized),
    path("api/forbidden/", forbidden),
    path("page/", lambda request: HttpResponse("page")),
]
handler400 = "core.api.exceptions.bad_request"
handler403 = "core.api.exceptions.permission_denied"
handler404 = "core.api.exceptions.not_found"
handler500 = "core.api.exceptions.server_error"
pytestmark = pytest.mark.urls(__name__)


def failing(error, monkeypatch):
    monkeypatch.setattr(Failing, "failure", error)
    return Client().get("/failing/")


def caused(error, cause):
    error.__cause__ = cause
    return error


def quiet(url, **headers):
    return Client(raise_request_exception=False).get(url, headers=headers)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidError("No."), 400, "invalid"),
        (TooSmallError("Holds 3."), 400, "too_small"),
        (RoomTakenError(), 409, "room_taken"),
        (ForbiddenError(), 403, "permission_denied"),
        (MissingError(), 404, "not_found"),
        (Http404("No Parent matches the given query."), 404, "not_found"),
        (django_errors.PermissionDenied("secret"), 403, "permission_denied"),
        (django_errors.ValidationError("Odd.", code="odd"), 400, "odd"),
        (exceptions.ParseError(), 400, "parse_error"),
        (exceptions.NotFound(), 404, "not_found"),
        (exceptions.MethodNotAllowed("BREW"), 405, "method_not_allowed"),
        (exceptions.UnsupportedMediaType("text/plain"), 415, "unsupported_media_type"),
        (exceptions.Throttled(wait=7), 429, "throttled"),
        (RequestDataTooBig("2621440"), 413, "payload_too_large"),
        (TooManyFieldsSent("1000"), 400, "too_many_parameters"),
        (UnreadablePostError("gone"), 400, "incomplete_body"),
        (SuspiciousOperation("odd"), 400, "parse_error"),
        (DataError("out of range"), 400, "invalid_value"),
        (OperationalError("server closed the connection"), 503, "unavailable"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
@pytest.mark.django_db  # which a refusal of 403 is put on record in
def test_an_anticipated_failure_answers_with_its_status_and_code(monkeypatch, error, status, code):
    response = failing(error, monkeypatch)

    body = response.json()
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (response.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["type"].endswith(f"/{code}")
    assert [entry["code"] for entry in body["errors"]] == [code]
    assert (body["success"], body["message"]) == (False, body["title"])
    assert "secret" not in response.text
    assert "Parent" not in response.text


def test_a_domain_error_names_its_field_its_facts_and_what_its_code_means(monkeypatch):
    body = failing(TooSmallError("Holds 3 of 40.", meta={"seats": 3}), monkeypatch).json()

    assert (body["title"], body["detail"]) == ("The room is too small.", "Holds 3 of 40.")
    assert body["errors"] == [
        {"code": "too_small", "field": "capacity", "detail": "Holds 3 of 40.", "meta": {"seats": 3}}
    ]


def test_several_violations_come_together_with_the_first_ones_status(monkeypatch):
    several = ViolationsError([RoomTakenError(field="room"), TooSmallError().under("items.3")])

    response = failing(several, monkeypatch)

    body = response.json()
    assert (response.status_code, body["code"], body["title"]) == (409, "invalid", "The request breaks several rules.")
    assert [(entry["code"], entry["field"]) for entry in body["errors"]] == [
        ("room_taken", "room"),
        ("too_small", "items.3.capacity"),
    ]


def test_several_violations_of_one_rule_keep_its_code(monkeypatch):
    several = ViolationsError([TooSmallError().under("items.0"), TooSmallError().under("items.1")])

    body = failing(several, monkeypatch).json()

    assert (body["code"], body["title"]) == ("too_small", "The room is too small.")


def test_every_invalid_field_is_listed_at_once_by_its_path():
    body = {"lines": [{"amount": 1}, {"amount": "x", "note": "long"}, {}], "numbers": [1, "two"]}

    response = APIClient().post("/failing/", body, format="json")

    assert response.status_code == 400
    assert response.json()["code"] == "invalid"
    assert {(entry["field"], entry["code"]) for entry in response.json()["errors"]} == {
        ("title", "required"),
        ("lines.1.amount", "invalid"),
        ("lines.1.note", "max_length"),
        ("lines.2.amount", "required"),
        ("numbers.1", "invalid"),
    }


def test_a_rule_about_the_whole_request_names_no_field():
    response = APIClient().post("/failing/", {"title": "a", "lines": []}, format="json")

    assert response.json()["errors"] == [
        {"code": "unbalanced", "field": "", "detail": "The sheet does not balance.", "meta": {}}
    ]


def test_django_form_errors_keep_their_fields():
    invalid = django_errors.ValidationError(
        {"name": [django_errors.ValidationError("Bad.", code="bad")], "__all__": ["Worse."]}
    )

    found = violations_of(exceptions.ValidationError(serializers.as_serializer_error(invalid)))

    assert {(error.field, str(error.detail)) for error in found} == {("name", "Bad."), ("", "Worse.")}


def test_a_method_that_is_not_offered_says_which_are():
    response = Client().put("/failing/")

    assert (response.status_code, response.json()["title"]) == (405, "Method not allowed.")
    assert response.headers["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_missing_credentials_are_challenged():
    response = Client().get("/locked/")

    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_bad_credentials_are_challenged_where_no_authenticator_runs(monkeypatch):
    response = failing(exceptions.AuthenticationFailed("No.", code="invalid_credentials"), monkeypatch)

    assert (response.status_code, response.json()["code"]) == (401, "invalid_credentials")
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("error", "seconds"), [(exceptions.Throttled(wait=6.2), "7"), (OperationalError(), "2")])
def test_a_passing_refusal_says_when_to_come_back(monkeypatch, error, seconds):
    assert failing(error, monkeypatch).headers["Retry-After"] == seconds


def test_a_pool_without_a_free_connection_is_no_bug(monkeypatch):
    with psycopg_pool.ConnectionPool("host=127.0.0.1 port=1", open=False, min_size=0, max_size=1) as pool:
        with pytest.raises(psycopg.OperationalError) as timeout:
            pool.getconn(timeout=0.01)
        wrapped = OperationalError(str(timeout.value))
        wrapped.__cause__ = timeout.value

    assert failing(wrapped, monkeypatch).status_code == 503


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError("the connection is closed"),
        caused(InternalError(), psycopg.errors.IdleInTransactionSessionTimeout()),
        caused(InternalError(), psycopg.errors.ReadOnlySqlTransaction()),
    ],
)
def test_what_the_server_or_the_driver_says_of_a_lost_transaction_is_no_bug(monkeypatch, error):
    assert failing(error, monkeypatch).headers["Retry-After"] == "2"


def test_a_statement_in_a_failed_transaction_is_a_bug(monkeypatch):
    monkeypatch.setattr(Failing, "failure", caused(InternalError(), psycopg.errors.InFailedSqlTransaction()))

    assert quiet("/failing/").status_code == 500


@pytest.mark.checklist(48, 73)
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("act", "status", "code"),
    [
        ("duplicate", 409, "code_taken"),
        ("remove_used", 409, "in_use"),
        ("unknown_kind", 400, "invalid_choice"),
        ("beyond", 400, "number_out_of_range"),
        ("nul", 400, "nul_character"),
        ("too_long", 400, "invalid_value"),
        ("slow", 503, "unavailable"),
    ],
)
def test_a_refusal_by_the_database_is_translated_and_tells_no_sql(act, status, code):
    response = Client().get("/database/", {"act": act})

    assert (response.status_code, response.json()["code"]) == (status, code)
    for word in ("testapp_", "INSERT", "SELECT", "DETAIL", "varying", "psycopg", "constraint"):
        assert word not in response.text


@pytest.mark.django_db
def test_a_violated_constraint_says_what_it_declares():
    body = Client().get("/database/", {"act": "duplicate"}).json()

    assert body["title"] == body["detail"] == "Another parent has this code."
    assert body["errors"][0]["field"] == "code"


@pytest.mark.django_db
def test_what_still_refers_to_a_row_is_counted():
    body = Client().get("/database/", {"act": "remove_used"}).json()

    assert body["errors"][0]["meta"] == {"referred_to_by": {"items": 1}}


@pytest.mark.django_db
def test_a_refused_write_leaves_the_connection_usable():
    with pytest.raises(ConflictError), refusing():
        Database().duplicate()

    assert Parent.objects.count() == 0


@pytest.mark.checklist(73)
def test_a_bug_is_a_bare_500_with_the_requests_id():
    response = quiet("/api/boom/", **{"X-Request-ID": "bug-1"})

    body = response.json()
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (response.status_code, body["code"], body["request_id"]) == (500, "internal_error", "bug-1")
    said = response.text.replace(body["timestamp"], "")
    for word in ("secret", "42", "ZeroDivisionError", "Traceback", "boom"):
        assert word not in said


def test_a_bug_inside_an_api_view_is_a_bare_500_too(monkeypatch):
    monkeypatch.setattr(Failing, "failure", ZeroDivisionError("secret"))

    response = quiet("/failing/")

    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "secret" not in response.text


def test_an_unreachable_database_outside_the_api_views_is_503_and_names_no_host():
    response = quiet("/api/unreachable/")

    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert response.headers["Retry-After"] == "2"
    assert "10.0.0.7" not in response.text
    assert "hunter2" not in response.text


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        ("/api/oversized/", 413, "payload_too_large"),
        ("/api/forbidden/", 403, "permission_denied"),
        ("/api/v1/nothing/", 404, "not_found"),
        ("/nothing", 404, "not_found"),
    ],
)
@pytest.mark.django_db
def test_what_fails_outside_the_api_views_is_a_problem_document_too(url, status, code):
    response = quiet(url)

    assert response.headers["Content-Type"] == "application/problem+json"
    assert (response.status_code, response.json()["code"]) == (status, code)


@pytest.mark.django_db
def test_the_admin_keeps_its_pages(registrar):
    client = Client()
    client.force_login(registrar)

    response = client.get("/admin/nothing/")

    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")


def test_the_admin_says_when_a_database_that_is_away_may_be_back():
    response = quiet("/admin/unreachable/")

    assert (response.status_code, response.headers["Retry-After"]) == (503, "2")
    assert response.headers["Content-Type"].startswith("text/html")
    assert "hunter2" not in response.text


def test_a_refusal_is_logged_by_its_code_and_never_by_what_was_sent(caplog):
    with caplog.at_level(logging.INFO, logger="core.api.exceptions"):
        APIClient().post("/failing/", {"title": "a password", "lines": "x"}, format="json")

    (record,) = [record for record in caplog.records if record.name == "core.api.exceptions"]
    assert (record.getMessage(), record.levelname) == ("api.refused", "INFO")
    assert (record.code, record.status, record.view) == ("not_a_list", 400, "Failing")
    assert "password" not in str(vars(record))


def test_an_unavailable_database_is_logged_as_an_error_with_its_trace(caplog, monkeypatch):
    with caplog.at_level(logging.INFO, logger="core.api.exceptions"):
        failing(OperationalError("gone"), monkeypatch)

    (record,) = [record for record in caplog.records if record.name == "core.api.exceptions"]
    assert (record.getMessage(), record.levelname) == ("api.unavailable", "ERROR")
    assert record.exc_info[0] is OperationalError


class TestReference:
    def test_every_source_of_codes_is_known(self):
        known = {(found.status, found.code) for found in known_codes()}

        assert known >= {
            (400, "invalid"),
            (400, "duplicate_key"),
            (400, "required"),
            (400, "max_length"),
            (400, "invalid_value"),
            (401, "not_authenticated"),
            (404, "not_found"),
            (405, "method_not_allowed"),
            (409, "in_use"),
            (401, "session_ended"),
            (409, "custom_field_name_taken"),
            (413, "payload_too_large"),
            (415, "unsupported_media_type"),
            (429, "throttled"),
            (500, "internal_error"),
            (503, "unavailable"),
        }

    def test_the_tests_own_codes_are_not_part_of_the_product(self):
        meanings = {found.title for found in known_codes()}

        assert not meanings & {RoomTakenError.title, TooSmallError.title, "Another parent has this code."}

    def test_each_code_is_known_once_for_each_status_and_has_a_meaning(self):
        known = known_codes()

        assert len({(found.status, found.code) for found in known}) == len(known)
        assert all(found.title and not re.search(r"\{\w+\}|%\(", found.title) for found in known)

    def test_the_page_has_an_anchor_for_every_code_and_drift_is_noticed(self, tmp_path: Path):
        page = tmp_path / "errors.md"

        call_command("error_reference", file=page, verbosity=0)
        text = page.read_text(encoding="utf-8")
        call_command("error_reference", file=page, check=True)
        page.write_text(text.replace("| `in_use`", "| `used`").replace('"in_use"', '"used"'), encoding="utf-8")

        assert text.count('<a id="in_use"></a>') == 1
        with pytest.raises(CommandError, match="behind the code"):
            call_command("error_reference", file=page, check=True)
