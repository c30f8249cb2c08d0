"""The OpenAPI document tells what the API does: envelope, refusals, headers, parameters, enums, examples."""

import json

import jsonschema
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import include, path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import OpenApiResponse, extend_schema
from drf_spectacular.validation import validate_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api import docs, filters
from core.api.bulk import BulkViewSet
from core.api.permissions import PublicByName
from core.api.renderers import JSONRenderer
from core.api.routers import ApiRouter
from core.api.serializers import BaseDetailSerializer, BaseListSerializer, ModelWriteSerializer
from core.api.viewsets import BaseViewSet
from core.crud import Crud
from tests.testapp.models import Item, Parent


class ParentReader(BaseListSerializer):
    class Meta:
        model = Parent
        fields = ["id", "code", "name"]


class ParentWriter(ModelWriteSerializer):
    class Meta:
        model = Parent
        fields = ["code", "name"]


class ItemReader(BaseListSerializer):
    expandable = {"parent": ParentReader}

    class Meta:
        model = Item
        fields = ["id", "name", "kind", "amount", "parent"]


class ItemDetailReader(BaseDetailSerializer):
    class Meta:
        model = Item
        fields = ["id", "name", "kind", "amount", "happened_on", "seen_at", "flag", "rank", "created_at"]


class ItemWriter(ModelWriteSerializer):
    class Meta:
        model = Item
        fields = ["name", "kind", "amount", "parent", "rank"]


class Move(serializers.Serializer):
    kind = serializers.ChoiceField(["up", "down"])
    steps = serializers.IntegerField(min_value=1)


class ItemFilter(filters.StrictFilterSet):
    after = filters.DateFilter("happened_on", "gte")

    class Meta:
        model = Item
        fields = ["kind", "parent"]


class ParentViewSet(BaseViewSet):
    """Parents, which only their database changes."""

    queryset = Parent.objects.all()
    list_serializer_class = ParentReader


class ItemViewSet(BulkViewSet):
    """Items of every kind."""

    queryset = Item.objects.all()
    list_serializer_class = ItemReader
    detail_serializer_class = ItemDetailReader
    write_serializer_class = ItemWriter
    filterset_class = ItemFilter
    ordering_fields = {"name": "name", "created_at": "created_at"}
    default_ordering = ("-created_at",)
    searchable = True
    write_serializers = {"move": Move}
    action_permissions = {"move": "testapp.change_item", "polish": "testapp.change_item"}
    crud = Crud(create=lambda: None, update=lambda: None, delete=lambda: None)

    @action(detail=True, methods=["post"])
    def move(self, request, pk):
        """Move an item along the shelf."""

    @action(detail=True, methods=["post"], url_path="polish-twice")
    def polish(self, request, pk):
        """Polish an item.

        Twice.
        """


class Greeting(serializers.Serializer):
    text = serializers.CharField()


class Greet(APIView):
    """Greets whoever asks."""

    authentication_classes = ()
    permission_classes = (PublicByName,)
    documented_statuses = {"post": [401]}

    @extend_schema(request=Greeting, responses={200: Greeting, 409: OpenApiResponse(description="Already greeted.")})
    def post(self, request):
        return Response(request.data)


class Keys(APIView):
    """A document of another standard."""

    authentication_classes = ()
    permission_classes = (PublicByName,)
    renderer_classes = (JSONRenderer,)

    @extend_schema(responses={200: Greeting})
    def get(self, request):
        return Response({"text": "bare"})


router = ApiRouter(use_regex_path=False)
router.register("parents", ParentViewSet, "parent")
router.register("items", ItemViewSet, "item")
urlpatterns = [
    path(
        "api/v1/",
        include([path("greet/", Greet.as_view()), path("keys.json", Keys.as_view()), *docs.urlpatterns, *router.urls]),
    )
]
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture(scope="module")
def document():
    return json.loads(json.dumps(SchemaGenerator(urlconf=__name__).get_schema(request=None, public=True)))


@pytest.fixture
def operation(document):
    return lambda method, url: document["paths"][f"/api/v1/{url}"][method]


def resolved(document, node):
    while "$ref" in node:
        *_, kind, name = node["$ref"].split("/")
        node = document["components"][kind][name]
    return node


def success(document, operation, status="200"):
    return resolved(document, operation["responses"][status]["content"]["application/json"]["schema"])


def parameters(document, operation):
    return {(each["in"], each["name"]): each for each in (resolved(document, p) for p in operation["parameters"])}


def test_it_is_valid_openapi_3_1_and_made_without_a_warning(capsys, tmp_path):
    call_command("spectacular", urlconf=__name__, validate=True, fail_on_warn=True, file=str(tmp_path / "openapi.yaml"))

    assert capsys.readouterr().err == ""


def test_it_is_made_the_same_every_time(document):
    again = SchemaGenerator(urlconf=__name__).get_schema(request=None, public=True)

    assert document["openapi"] == "3.1.0"
    validate_schema(again)
    assert json.loads(json.dumps(again)) == document


def test_operations_have_readable_names(document):
    names = {operation["operationId"] for methods in document["paths"].values() for operation in methods.values()}

    assert names == {
        *("parents_list", "parents_retrieve"),
        *("items_list", "items_create", "items_retrieve", "items_update", "items_partial_update", "items_destroy"),
        *("items_bulk_create", "items_bulk_update", "items_bulk_delete", "items_move", "items_polish"),
        *("greet_create", "keys_json_retrieve"),
    }


def test_operations_say_what_they_do_and_what_permission_they_need(operation):
    listing, moving = operation("get", "items/"), operation("post", "items/{id}/move/")

    assert (listing["summary"], moving["summary"]) == ("List items", "Move an item along the shelf")
    assert listing["description"] == "Items of every kind.\n\nNeeds the permission `testapp.view_item`."
    assert moving["description"].startswith("Items of every kind.\n\nMove an item along the shelf.\n\nNeeds")
    assert listing["tags"] == moving["tags"] == ["items"]


def test_a_row_comes_in_the_envelope(document, operation):
    envelope = success(document, operation("get", "items/{id}/"))

    assert set(envelope["required"]) == {"success", "message", "data", "timestamp"}
    assert envelope["properties"]["success"] == {"type": "boolean", "const": True}
    assert envelope["properties"]["data"] == {"$ref": "#/components/schemas/ItemDetailReader"}


def test_a_list_comes_with_its_pages(document, operation):
    envelope = success(document, operation("get", "items/"))

    assert "meta" in envelope["required"]
    assert envelope["properties"]["data"] == {"type": "array", "items": {"$ref": "#/components/schemas/ItemReader"}}
    assert envelope["properties"]["meta"]["properties"]["pagination"]["anyOf"] == [
        {"$ref": "#/components/schemas/KeysetPagination"},
        {"$ref": "#/components/schemas/NumberedPagination"},
    ]


def test_a_bare_document_has_no_envelope(document, operation):
    assert set(success(document, operation("get", "keys.json"))["properties"]) == {"text"}


@pytest.mark.parametrize(
    ("method", "url", "statuses"),
    [
        ("get", "items/", {200, 304, 400, 401, 403, 404, 429, 503}),
        ("post", "items/", {201, 400, 401, 403, 404, 409, 411, 413, 415, 422, 429, 503}),
        ("get", "items/{id}/", {200, 304, 400, 401, 403, 404, 429, 503}),
        ("put", "items/{id}/", {200, 400, 401, 403, 404, 409, 412, 411, 413, 415, 429, 503}),
        ("patch", "items/{id}/", {200, 400, 401, 403, 404, 409, 412, 411, 413, 415, 429, 503}),
        ("delete", "items/{id}/", {204, 400, 401, 403, 404, 409, 412, 429, 503}),
        ("post", "items/bulk-create/", {200, 400, 401, 403, 404, 409, 411, 413, 415, 422, 429, 503}),
        ("post", "items/{id}/move/", {200, 400, 401, 403, 404, 409, 411, 413, 415, 422, 429, 503}),
        ("post", "greet/", {200, 400, 401, 409, 411, 413, 415, 429, 503}),
        ("get", "keys.json", {200, 400, 429, 503}),
    ],
)
def test_every_status_that_can_happen_is_told(operation, method, url, statuses):
    assert {int(status) for status in operation(method, url)["responses"]} == statuses


def test_every_refusal_is_a_problem_with_an_example_that_fits_it(document):
    problem = {"$ref": "#/components/schemas/Problem", "components": document["components"]}
    responses = document["components"]["responses"]

    assert {"BadRequest", "Unauthorized", "NotFound", "Conflict", "PreconditionFailed", "Unavailable"} <= set(responses)
    for response in responses.values():
        content = response["content"]["application/problem+json"]
        assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
        for example in content["examples"].values():
            jsonschema.validate(example["value"], problem)


def test_the_codes_of_a_refusal_are_listed_beside_it(document):
    responses = document["components"]["responses"]

    assert {"required", "invalid_json", "unknown_parameter"} <= set(responses["BadRequest"]["x-codes"])
    assert {"in_use", "conflict"} <= set(responses["Conflict"]["x-codes"])
    assert responses["IdempotencyKeyReused"]["x-codes"] == ["idempotency_mismatch"]
    assert all(response["x-codes"] for response in responses.values())


def test_what_programmers_say_to_each_other_is_not_told(document):
    schemas = document["components"]["schemas"]

    assert "description" not in schemas["ItemReader"]
    assert "description" not in schemas["ItemWriterRequest"]


def test_a_refusal_may_be_explained_for_one_operation(operation):
    conflict = operation("post", "greet/")["responses"]["409"]

    assert conflict == {"$ref": "#/components/responses/Conflict", "description": "Already greeted."}


def test_headers_are_told_where_they_matter(document, operation):
    reading, changing = operation("get", "items/{id}/"), operation("patch", "items/{id}/")
    creating, greeting = operation("post", "items/"), operation("post", "greet/")
    counted = {"RateLimit", "RateLimit-Policy"}

    assert ("header", "If-None-Match") in parameters(document, reading)
    assert ("header", "If-Match") in parameters(document, changing)
    assert ("header", "Idempotency-Key") in parameters(document, creating)
    assert set(reading["responses"]["200"]["headers"]) == {*counted, "X-Request-ID", "ETag"}
    assert set(creating["responses"]["201"]["headers"]) == {
        *counted, "X-Request-ID", "ETag", "Idempotent-Replayed",
    }  # fmt: skip
    assert {name for _, name in parameters(document, greeting)} == {"X-Request-ID"}
    assert set(document["components"]["responses"]["Unavailable"]["headers"]) == {"X-Request-ID", "Retry-After"}
    assert set(document["components"]["responses"]["Unauthorized"]["headers"]) == {"X-Request-ID", "WWW-Authenticate"}


def test_a_lists_parameters_are_told(document, operation):
    told = parameters(document, operation("get", "items/"))

    assert {name for place, name in told if place == "query"} == {
        *("kind", "parent", "after", "search", "ordering", "custom_fields"),
        *("page", "page_size", "cursor", "fields", "include"),
    }
    assert told["query", "kind"]["schema"]["enum"] == ["plain", "fancy", "rare"]
    assert set(told["query", "ordering"]["schema"]["items"]["enum"]) == {"name", "-name", "created_at", "-created_at"}
    assert told["query", "page_size"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 200}
    assert told["query", "fields"]["schema"]["items"]["enum"] == ["id", "name", "kind", "amount", "parent"]
    assert told["query", "include"]["schema"]["items"]["enum"] == ["parent"]


def test_a_rows_path_takes_a_uuid(document, operation):
    assert parameters(document, operation("get", "items/{id}/"))["path", "id"]["schema"]["format"] == "uuid"


def test_an_action_takes_what_it_declares_or_nothing(document, operation):
    moving, polishing = operation("post", "items/{id}/move/"), operation("post", "items/{id}/polish-twice/")

    assert moving["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/MoveRequest"
    }
    assert "requestBody" not in polishing


def test_a_bulk_request_and_its_answer_are_not_those_of_one_row(document, operation):
    creating = operation("post", "items/bulk-create/")

    body = resolved(document, creating["requestBody"]["content"]["application/json"]["schema"])
    assert set(body["properties"]) == {"items", "mode"}
    assert success(document, creating)["properties"]["data"] == {"$ref": "#/components/schemas/Bulk"}
    assert {"succeeded", "results"} <= set(document["components"]["schemas"]["Bulk"]["properties"])


def test_the_items_of_a_bulk_request_have_the_shape_of_what_is_done_to_them(document, operation):
    schemas = document["components"]["schemas"]

    def items(step):
        body = operation("post", f"items/bulk-{step}/")["requestBody"]["content"]["application/json"]["schema"]
        frame = resolved(document, body)
        told = frame["properties"]["items"]
        assert (told["minItems"], told["maxItems"]) == (1, 1000)
        return told["items"]["$ref"].rpartition("/")[2], frame["examples"][0]["items"][0]

    created, example = items("create")
    assert created == "ItemWriterRequest"
    assert "name" in example
    changed, example = items("update")
    assert schemas[changed]["required"] == ["id"]
    assert schemas[changed]["properties"].keys() == {"id", *schemas["ItemWriterRequest"]["properties"]}
    assert "id" in example
    deleted, example = items("delete")
    assert schemas[deleted]["properties"].keys() == example.keys() == {"id"}


def test_a_change_requires_nothing_and_a_creation_what_it_needs(document):
    schemas = document["components"]["schemas"]

    assert schemas["ItemWriterRequest"]["required"] == ["name"]
    assert schemas["ItemWriterRequest"]["additionalProperties"] is False
    assert "required" not in schemas["PatchedItemWriterRequest"]


def test_choices_are_named_after_the_field_that_declares_them(document):
    schemas = document["components"]["schemas"]

    assert schemas["ItemKindEnum"] == {
        "type": "string",
        "enum": ["plain", "fancy", "rare"],
        "description": "* `plain` - Plain\n* `fancy` - Fancy\n* `rare` - Rare",
    }
    assert schemas["MoveKindEnum"]["enum"] == ["up", "down"]
    assert schemas["ItemReader"]["properties"]["kind"] == {"$ref": "#/components/schemas/ItemKindEnum"}
    assert "x-spec-enum-id" not in json.dumps(document)


def test_every_request_and_success_has_an_example_that_fits_its_schema(document):
    schemas = document["components"]["schemas"]
    shapes = {name: schema for name, schema in schemas.items() if name.endswith(("Request", "Response"))}

    assert {"ItemWriterRequest", "ItemDetailReaderResponse", "ItemReaderPageResponse"} <= set(shapes)
    for schema in shapes.values():
        for example in schema["examples"]:
            jsonschema.validate(example, {**schema, "components": document["components"]})


def test_who_may_call_is_told(document, operation):
    assert operation("get", "items/")["security"] == [{"bearer": []}, {"apiKey": []}]
    assert "security" not in operation("post", "greet/")
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


class TestServed:
    def test_the_document_is_served_once_made_and_not_again_while_it_is_known(self, document):
        response = Client().get("/api/v1/schema/")
        known = Client().get("/api/v1/schema/", headers={"If-None-Match": response.headers["ETag"]})

        assert response.headers["Content-Type"] == "application/vnd.oai.openapi+json"
        assert response.json() == document
        assert (known.status_code, known.content) == (304, b"")
        assert "no-store" not in response.headers["Cache-Control"]

    @pytest.mark.parametrize("page", ["docs/", "docs/redoc/"])
    def test_the_pages_run_no_inline_script_and_ask_nobody_else(self, page):
        response = Client().get(f"/api/v1/{page}")

        policy = response.headers["Content-Security-Policy"]
        html = response.content.decode()
        assert response.status_code == 200
        assert "unsafe" not in policy
        assert "http" not in html.replace("http-equiv", "")
        assert html.count("<script") == html.count("<script src=")
        assert "<style" not in html
        assert 'data-schema-url="/api/v1/schema/"' in html

    def test_each_redoc_page_has_a_nonce_of_its_own(self):
        pages = [Client().get("/api/v1/docs/redoc/") for _ in range(2)]

        nonces = [str(page.context["csp_nonce"]) for page in pages]
        assert nonces[0] != nonces[1]
        assert all(nonce in page.headers["Content-Security-Policy"] for nonce, page in zip(nonces, pages, strict=True))

    def test_the_pages_are_only_read(self):
        assert Client().post("/api/v1/docs/").status_code == 405
