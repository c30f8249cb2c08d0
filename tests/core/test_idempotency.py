"""A POST sent twice takes effect once and is answered twice."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.test.client import encode_multipart
from django.urls import include, path
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from core import idempotency
from core.api.idempotency import IdempotentPostMixin
from core.api.responses import StandardResponse
from core.db.locks import lock_patience
from core.errors import ConflictError, InvalidError, MissingError
from core.events import Event, publish
from core.ids import new_id
from core.models import IdempotencyKey, OutboxEvent
from tests.testapp.callers import Caller
from tests.testapp.models import Item

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]


@dataclass(frozen=True, kw_only=True)
class ItemMade(Event):
    name: ClassVar[str] = "tests.item_made"


class FullError(ConflictError):
    code = "full"
    title = "It is full."


class Gate:
    """Holds a handler back until a test lets it go on."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def pass_through(self) -> None:
        self.reached.set()
        assert self.opened.wait(30)


gate = Gate()


@pytest.fixture(autouse=True)
def fresh_gate() -> Iterator[None]:
    gate.__init__()
    yield
    gate.opened.set()


class MakeItem(IdempotentPostMixin, APIView):
    """Makes an item and then does what the body asks for."""

    permission_classes = [IsAuthenticated]

    def post(self, request: Request, **_: Any) -> Response:
        with transaction.atomic():
            item = Item.objects.create(name=request.data["name"])
            publish(ItemMade())
        outcome = getattr(self, f"_{request.data.get('outcome', 'create')}", None)
        return outcome(item)

    def _create(self, item: Item) -> Response:
        response = Response({"id": item.pk}, status=201, headers={"Location": f"/items/{item.pk}/", "X-Other": "1"})
        response["ETag"] = '"1"'
        return response

    def _wait(self, item: Item) -> Response:
        gate.pass_through()
        return self._create(item)

    def _delete(self, item: Item) -> Response:
        return Response(status=204)

    def _refuse(self, item: Item) -> Response:
        raise FullError

    def _refuse_by_response(self, item: Item) -> Response:
        return StandardResponse.error("It is full.", status_code=409, code="full")

    def _refuse_for_now(self, item: Item) -> Response:
        return StandardResponse.error("Busy.", status_code=409, code="busy", headers={"Retry-After": "1"})

    def _miss(self, item: Item) -> Response:
        raise MissingError

    def _find_invalid(self, item: Item) -> Response:
        raise InvalidError

    def _find_field_invalid(self, item: Item) -> Response:
        raise ValidationError({"name": ["no"]})

    def _forbid(self, item: Item) -> Response:
        raise PermissionDenied

    def _fail(self, item: Item) -> Response:
        raise ValueError("a bug")

    def _break_reference(self, item: Item) -> Response:
        Item.objects.create(name="orphan", parent_id=new_id())
        return self._create(item)

    def _lose_connection(self, item: Item) -> Response:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return self._create(item)

    def get(self, request: Request) -> Response:
        return Response({})


class MakeSecret(MakeItem):
    idempotent_posts = False


class Upload(IdempotentPostMixin, APIView):
    permission_classes = [IsAuthenticated]
    parser_classes = [MultiPartParser]

    def post(self, request: Request) -> Response:
        Item.objects.create(name=request.data["file"].read().decode())
        return Response({}, status=201)


urlpatterns = [
    path("make/", MakeItem.as_view()),
    path("make/<str:what>/", MakeItem.as_view()),
    path("secret/", MakeSecret.as_view()),
    path("upload/", Upload.as_view()),
    path("", include("tests.testapp.urls")),
]
handler500 = "core.api.exceptions.server_error"


def client_of(caller: Caller) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(caller)
    return client


@pytest.fixture
def client() -> APIClient:
    return client_of(Caller())


def post(client: APIClient, key: str | None = "k", url: str = "/make/", **body: str) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(url, {"name": "thing", **body}, headers=headers)


def was_replayed(response: Any) -> bool:
    return response.headers.get("Idempotent-Replayed") == "true"


def test_the_second_request_gets_the_first_answer_byte_for_byte(client: APIClient) -> None:
    first = post(client)
    second = post(client)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert first.json()["timestamp"] == second.json()["timestamp"]
    assert {name: second[name] for name in ("Content-Type", "ETag", "Location")} == {
        name: first[name] for name in ("Content-Type", "ETag", "Location")
    }
    assert (was_replayed(first), was_replayed(second)) == (False, True)
    assert Item.objects.count() == 1
    assert OutboxEvent.objects.count() == 1


def test_without_a_key_every_request_takes_effect(client: APIClient) -> None:
    post(client, key=None)
    post(client, key=None)

    assert Item.objects.count() == 2
    assert not IdempotencyKey.objects.exists()


def test_an_answer_without_a_body_is_replayed_without_one(client: APIClient) -> None:
    post(client, outcome="delete")
    second = post(client, outcome="delete")

    assert (second.status_code, second.content, was_replayed(second)) == (204, b"", True)
    assert not second.has_header("Content-Type")
    assert Item.objects.count() == 1


@pytest.mark.parametrize(
    ("outcome", "status", "code"),
    [("refuse", 409, "full"), ("refuse_by_response", 409, "full"), ("miss", 404, "not_found")],
)
def test_a_refusal_by_the_state_of_things_is_final_and_has_no_effect(
    client: APIClient, outcome: str, status: int, code: str
) -> None:
    first = post(client, outcome=outcome)
    second = post(client, outcome=outcome)

    assert (first.status_code, first.json()["code"]) == (status, code)
    assert (second.status_code, second.content) == (status, first.content)
    assert second["Content-Type"] == "application/problem+json"
    assert was_replayed(second)
    assert not Item.objects.exists()
    assert not OutboxEvent.objects.exists()


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("find_invalid", 400),
        ("find_field_invalid", 400),
        ("forbid", 403),
        ("refuse_for_now", 409),
        ("fail", 500),
    ],
)
def test_what_may_turn_out_otherwise_leaves_nothing(client: APIClient, outcome: str, status: int) -> None:
    first = post(client, outcome=outcome)
    second = post(client, outcome=outcome)

    assert (first.status_code, second.status_code) == (status, status)
    assert not was_replayed(second)
    assert not IdempotencyKey.objects.exists()
    assert not Item.objects.exists()


def test_a_reference_that_breaks_at_the_commit_is_a_refusal_and_not_a_lost_answer(client: APIClient) -> None:
    response = post(client, outcome="break_reference")

    assert response.status_code == 404
    assert not Item.objects.exists()


def test_a_connection_lost_before_the_commit_leaves_neither_effect_nor_key(client: APIClient) -> None:
    lost = post(client, outcome="lose_connection")
    connection.close()

    assert lost.status_code == 503
    assert lost.has_header("Retry-After")
    assert not IdempotencyKey.objects.exists()
    assert post(client).status_code == 201
    assert Item.objects.count() == 1


@pytest.mark.checklist(82)
@pytest.mark.parametrize(
    "other", [{"name": "another"}, {"url": "/make/there/"}, {"url": "/make/?really=1"}], ids=["body", "path", "query"]
)
def test_a_key_belongs_to_one_request(client: APIClient, other: dict[str, str]) -> None:
    post(client)

    refused = post(client, **other)

    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_mismatch")
    assert Item.objects.count() == 1


@pytest.mark.checklist(82)
def test_a_key_belongs_to_its_sender(client: APIClient) -> None:
    mine = post(client)
    theirs = post(client_of(Caller()))

    assert mine.json()["data"] != theirs.json()["data"]
    assert not was_replayed(theirs)
    assert Item.objects.count() == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\u00e9", "tab\there"])
def test_a_key_that_cannot_be_one_is_refused(client: APIClient, key: str) -> None:
    refused = post(client, key=key)

    assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key_invalid")
    assert not Item.objects.exists()


def test_the_longest_key_is_accepted(client: APIClient) -> None:
    assert post(client, key="~" * 255).status_code == 201


@pytest.mark.checklist(82)
def test_nobody_uses_a_key_anonymously() -> None:
    refused = post(APIClient())

    assert refused.status_code == 401
    assert not IdempotencyKey.objects.exists()


def test_an_unreadable_body_is_refused_as_without_a_key(client: APIClient) -> None:
    refused = client.generic("POST", "/make/", b"{", content_type="application/json", headers={"Idempotency-Key": "k"})

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_json")


def test_a_body_too_large_is_refused_as_without_a_key(client: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    assert post(client, name="x" * 200).status_code == 413


def test_a_view_that_opts_out_ignores_the_key(client: APIClient) -> None:
    post(client, url="/secret/")
    post(client, url="/secret/")

    assert Item.objects.count() == 2
    assert not IdempotencyKey.objects.exists()


def test_only_posts_are_remembered(client: APIClient) -> None:
    client.get("/make/", headers={"Idempotency-Key": "k"})

    assert not IdempotencyKey.objects.exists()


def upload(client: APIClient, boundary: str, content: bytes) -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    form = encode_multipart(boundary, {"kind": "students", "file": SimpleUploadedFile("a.csv", content)})
    return client.generic(
        "POST",
        "/upload/",
        form,
        content_type=f"multipart/form-data; boundary={boundary}",
        headers={"Idempotency-Key": "k"},
    )


@pytest.mark.checklist(82)
def test_an_upload_is_recognised_by_its_contents(client: APIClient) -> None:
    first = upload(client, "one", b"a,b")
    again = upload(client, "two", b"a,b")
    other = upload(client, "one", b"a,c")

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert was_replayed(again)
    assert list(Item.objects.values_list("name", flat=True)) == ["a,b"]


def test_the_resources_are_repeatable(client: APIClient) -> None:
    first = post(client, url="/api/v1/items/")
    second = post(client, url="/api/v1/items/")

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second["ETag"] == first["ETag"]
    assert Item.objects.count() == 1


def in_threads(*actions: Callable[[], Any]) -> list[Any]:
    """Run the actions at the same moment, each on a connection of its own, and return their results."""
    start = threading.Barrier(len(actions))
    results: list[Any] = []

    def work(action: Callable[[], Any]) -> None:
        try:
            start.wait(30)
            results.append(action())
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_twenty_at_once_take_effect_once() -> None:
    caller = Caller()

    responses = in_threads(*[lambda: post(client_of(caller))] * 20)

    answered = [response for response in responses if response.status_code == 201]
    others = [response for response in responses if response.status_code != 201]
    assert Item.objects.count() == 1
    assert len([response for response in answered if not was_replayed(response)]) == 1
    assert len({response.content for response in answered}) == 1
    assert all(response.json()["code"] == "idempotency_in_progress" for response in others)


def test_of_two_requests_racing_under_one_key_one_wins_and_the_other_is_refused() -> None:
    caller = Caller()
    one, other = (lambda name=name: post(client_of(caller), name=name) for name in ("one", "other"))

    responses = in_threads(*[one] * 5, *[other] * 5)

    item = Item.objects.get()
    refused = [response for response in responses if response.status_code == 422]
    assert len(refused) == 5
    assert {response.json()["data"]["id"] for response in responses if response not in refused} == {str(item.pk)}


def test_whoever_waits_too_long_is_told_to_come_back(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "PATIENCE_MILLISECONDS", 50)
    answers: list[Any] = []

    def slow() -> None:
        try:
            answers.append(post(client, outcome="wait"))
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert gate.reached.wait(30)
    impatient = post(client, outcome="wait")
    gate.opened.set()
    thread.join()
    patient = post(client, outcome="wait")

    assert (impatient.status_code, impatient.json()["code"]) == (409, "idempotency_in_progress")
    assert impatient["Retry-After"] == "1"
    assert answers[0].status_code == 201
    assert patient.content == answers[0].content
    assert Item.objects.count() == 1


def test_an_expired_key_may_be_used_anew(client: APIClient) -> None:
    post(client)
    IdempotencyKey.objects.update(expires_at=Now() - timedelta(seconds=1))

    again = post(client, name="another")

    assert (again.status_code, was_replayed(again)) == (201, False)
    assert IdempotencyKey.objects.live().count() == 1


def test_an_answer_is_kept_for_72_hours(client: APIClient) -> None:
    post(client)

    kept = IdempotencyKey.objects.get()
    assert abs(kept.expires_at - kept.created_at - timedelta(hours=72)) < timedelta(minutes=1)


def test_purging_deletes_expired_keys_alone(client: APIClient, capsys: pytest.CaptureFixture[str]) -> None:
    for key in ("old", "older", "young"):
        post(client, key=key)
    IdempotencyKey.objects.exclude(key="young").update(expires_at=Now() - timedelta(seconds=1))

    call_command("purge_idempotency_keys")

    assert capsys.readouterr().out == "2 keys purged.\n"
    assert IdempotencyKey.objects.get().key == "young"


def test_the_patience_for_the_key_does_not_outlive_the_wait() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '7s'")
        with lock_patience(2000):
            cursor.execute("SHOW lock_timeout")
            within = cursor.fetchone()
        cursor.execute("SHOW lock_timeout")
        after = cursor.fetchone()

    assert (within, after) == (("2s",), ("7s",))


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"key": "caf\u00e9"}, "core_idempotencykey_printable_key"),
        ({"key": ""}, "core_idempotencykey_printable_key"),
        ({"status_code": 500}, "core_idempotencykey_final_answer"),
    ],
)
def test_the_database_refuses_what_cannot_be_an_answer(
    client: APIClient, fields: dict[str, Any], constraint: str
) -> None:
    post(client)

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        IdempotencyKey.objects.update(**fields)


def test_two_answers_under_one_key_are_impossible(client: APIClient) -> None:
    post(client, key="one")
    post(client, key="two")

    with pytest.raises(IntegrityError, match="core_idempotencykey_unique_key"), transaction.atomic():
        IdempotencyKey.objects.update(key="same")
