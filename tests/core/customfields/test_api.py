"""Custom fields over HTTP: the definitions as a resource, the values on every record."""

import pytest
from django.urls import include, path

from accounts.roles import Role, ScopeKind
from core.api.routers import ApiRouter
from core.api.serializers import BaseListSerializer, ModelWriteSerializer
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud
from core.customfields.api.fields import CustomFieldsField
from core.customfields.api.urls import routes
from core.ids import new_id
from core.models import CustomField, CustomFieldType
from tests.core.customfields.factories import ITEM, CustomFieldFactory, choices, make_item
from tests.testapp import services
from tests.testapp.callers import Caller
from tests.testapp.models import Item

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
DEFINITIONS = "/api/v1/custom-fields/"
ITEMS = "/api/v1/items/"


class ItemReader(BaseListSerializer[Item]):
    custom_fields = CustomFieldsField()

    class Meta:
        model = Item
        fields = ["id", "name", "custom_fields"]


class ItemWriter(ModelWriteSerializer[Item]):
    custom_fields = CustomFieldsField()

    class Meta:
        model = Item
        fields = ["name", "custom_fields"]


class ItemViewSet(UnifiedViewSet[Item]):
    queryset = Item.objects.all()
    list_serializer_class = ItemReader
    write_serializer_class = ItemWriter
    ordering_fields = {"name": "name"}
    default_ordering = ("name",)
    searchable = True
    crud = Crud(create=services.create_item, update=services.update_item, delete=services.delete_item)


router = ApiRouter(use_regex_path=False)
router.register("items", ItemViewSet, "item")
for prefix, viewset, basename in routes:
    router.register(prefix, viewset, basename)
urlpatterns = [path("api/v1/", include(router.urls))]


@pytest.fixture
def client(client_for):
    client = client_for(None)
    client.force_authenticate(Caller())
    return client


def refusals(response):
    return {(error["field"], error["code"]) for error in response.json()["errors"]}


class TestDefinitions:
    def test_a_registrar_defines_reads_changes_and_deletes_a_field(self, registrar_client):
        body = {"entity_type": ITEM, "name": "blood", "label": "Blood", "field_type": "select", "choices": ["A", "B"]}

        created = registrar_client.post(DEFINITIONS, body)
        one = f"{DEFINITIONS}{created.json()['data']['id']}/"
        changed = registrar_client.patch(one, {"label": "Blood group"}, headers={"If-Match": created["ETag"]})
        stale = registrar_client.patch(one, {"label": "Nobody's"}, headers={"If-Match": created["ETag"]})

        assert created.status_code == 201, created.json()
        assert created.json()["data"]["choices"] == [{"value": "A", "label": "A"}, {"value": "B", "label": "B"}]
        assert changed.json()["data"]["label"] == "Blood group"
        assert stale.status_code == 412
        assert registrar_client.get(one).json()["data"] == changed.json()["data"]
        assert registrar_client.delete(one).status_code == 204
        assert registrar_client.get(one).status_code == 404

    def test_shows_the_whole_definition(self, registrar_client):
        CustomFieldFactory(name="score", field_type="number", min_value=1, default_value="2.5")

        (row,) = registrar_client.get(DEFINITIONS).json()["data"]

        assert {name: row[name] for name in ("name", "min_value", "default_value", "is_active", "order")} == {
            "name": "score",
            "min_value": "1.00",
            "default_value": "2.5",
            "is_active": True,
            "order": 0,
        }

    def test_every_fault_is_named_and_nothing_is_stored(self, registrar_client):
        body = {"entity_type": "x", "name": "X", "label": "X", "field_type": "text", "validation_regex": "("}

        response = registrar_client.post(DEFINITIONS, body)

        assert response.status_code == 400
        assert refusals(response) == {
            ("entity_type", "unknown_entity_type"),
            ("name", "invalid_name"),
            ("validation_regex", "invalid_regex"),
        }
        assert not CustomField.objects.exists()

    @pytest.mark.parametrize(
        "body",
        [
            {"choices": {"a": 1}},
            {"choices": [[[]]]},
            {"choices": None},
            {"default_value": {"a": ["\u0000"]}},
            {"default_value": "\u0000"},
            {"min_value": "1e99"},
            {"order": 10**12},
            {"name": "\u0000"},
            {"validation_regex": "\u0000"},
            {"field_type": ["text"]},
            {"max_date": "2024-02-30"},
            {"is_active": "perhaps"},
            {"archived_at": "2024-02-28T00:00:00Z", "colour": 1},
        ],
    )
    def test_whatever_is_sent_is_refused_with_a_code(self, registrar_client, body):
        field = CustomFieldFactory(name="a")

        response = registrar_client.patch(f"{DEFINITIONS}{field.pk}/", body)

        assert response.status_code == 400, response.json()
        assert CustomField.objects.get().version == 1

    def test_filters_and_orders(self, registrar_client):
        CustomFieldFactory(name="b", order=1)
        CustomFieldFactory(name="a", order=2)
        CustomFieldFactory(name="c", entity_type="students.student")
        CustomFieldFactory(name="d", field_type="date")
        CustomFieldFactory(name="e", is_active=False, archived_at="2026-01-01T00:00:00Z")

        def names(**query):
            return [row["name"] for row in registrar_client.get(DEFINITIONS, query).json()["data"]]

        assert names(entity_type=ITEM, field_type="text", is_active="true") == ["b", "a"]
        assert names(entity_type=ITEM, field_type="text", is_active="true", ordering="name") == ["a", "b"]

    def test_in_use_is_archived_rather_than_deleted(self, registrar_client):
        field = CustomFieldFactory(name="blood")
        make_item(blood="A")
        one = f"{DEFINITIONS}{field.pk}/"

        refused = registrar_client.delete(one)
        archived = registrar_client.patch(one, {"is_active": False})

        assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
        assert archived.json()["data"]["archived_at"] is not None

    def test_everybody_reads_and_few_write(self, user_with, client_for):
        field = CustomFieldFactory(name="blood")
        student = client_for(user_with(Role.STUDENT, ScopeKind.SELF))

        assert student.get(DEFINITIONS).status_code == 200
        assert student.patch(f"{DEFINITIONS}{field.pk}/", {"label": "x"}).status_code == 403
        assert student.delete(f"{DEFINITIONS}{field.pk}/").status_code == 403
        assert client_for(None).get(DEFINITIONS).status_code == 401

    def test_a_registrar_of_one_department_defines_nothing_for_everybody(self, user_with, client_for):
        field = CustomFieldFactory(name="blood")
        registrar = client_for(user_with(Role.REGISTRAR, ScopeKind.DEPARTMENT, new_id()))

        response = registrar.patch(f"{DEFINITIONS}{field.pk}/", {"label": "x"})

        assert (response.status_code, response.json()["code"]) == (403, "out_of_scope")
        assert CustomField.objects.get().version == 1


class TestValues:
    def test_are_written_and_read_as_one_object(self, client):
        CustomFieldFactory(name="score", field_type=CustomFieldType.NUMBER, order=1)
        CustomFieldFactory(name="languages", field_type="multiselect", choices=choices("en", "hi"), order=2)
        CustomFieldFactory(name="note", order=3)

        created = client.post(ITEMS, {"name": "ada", "custom_fields": {"score": 3.5, "languages": ["hi", "en"]}})
        one = f"{ITEMS}{created.json()['data']['id']}/"
        changed = client.patch(one, {"custom_fields": {"score": None, "note": "x"}})
        written_back = client.put(one, changed.json()["data"])

        assert created.status_code == 201, created.json()
        assert created.json()["data"]["custom_fields"] == {"score": "3.5", "languages": ["en", "hi"], "note": None}
        assert changed.json()["data"]["custom_fields"] == {"score": None, "languages": ["en", "hi"], "note": "x"}
        assert written_back.json()["data"] == changed.json()["data"]
        assert written_back["ETag"] == changed["ETag"]

    def test_refusals_name_their_paths(self, client):
        CustomFieldFactory(name="score", field_type=CustomFieldType.NUMBER)
        CustomFieldFactory(name="badge", unique_values=True)
        make_item(badge="7")

        response = client.post(ITEMS, {"name": "ada", "custom_fields": {"score": "x", "badge": "7", "z": 1}})

        assert response.status_code == 400
        assert refusals(response) == {
            ("custom_fields.z", "unknown_custom_field"),
            ("custom_fields.score", "invalid_format"),
            ("custom_fields.badge", "custom_value_taken"),
        }
        assert Item.objects.count() == 1

    @pytest.mark.parametrize("values", [None, [], "x", 1, True])
    def test_only_an_object_is_read(self, client, values):
        response = client.post(ITEMS, {"name": "ada", "custom_fields": values})

        assert response.status_code == 400
        assert {field for field, code in refusals(response)} == {"custom_fields"}

    def test_a_taken_value_alone_is_a_conflict(self, client):
        CustomFieldFactory(name="badge", unique_values=True)
        make_item(badge="7")

        response = client.post(ITEMS, {"name": "ada", "custom_fields": {"badge": "7"}})

        assert (response.status_code, response.json()["code"]) == (409, "custom_value_taken")

    def test_a_page_of_rows_costs_one_query_for_definitions(self, client, django_assert_num_queries):
        CustomFieldFactory(name="blood")
        Item.objects.bulk_create(Item(name=str(n), custom_data={"blood": "A"}) for n in range(30))

        with django_assert_num_queries(2):
            rows = client.get(ITEMS).json()["data"]

        assert len(rows) == 25
        assert all(row["custom_fields"] == {"blood": "A"} for row in rows)

    def test_so_does_one_that_is_filtered_and_searched_by_them(self, client, django_assert_num_queries):
        CustomFieldFactory(name="blood", is_searchable=True)
        make_item("ada", blood="Apositive")
        make_item("bob", blood="Bpositive")

        with django_assert_num_queries(2):
            rows = client.get(ITEMS, {"custom.blood": "Apositive", "search": "apos"}).json()["data"]

        assert [row["name"] for row in rows] == ["ada"]
