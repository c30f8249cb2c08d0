"""A list answers exactly what it was asked, or says all that is wrong with the question."""

import string
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import chain
from uuid import UUID

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django_filters import rest_framework as django_filters
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from core.api import filters
from core.api.filters import StrictFilterSet, unknown_parameters
from core.api.parameters import MAX_FILTERS
from core.api.schema_parameters import paging_parameters
from core.models import CustomField
from tests.testapp.api import ItemFilter, ItemViewSet, ParentViewSet
from tests.testapp.callers import Caller, ask
from tests.testapp.models import Item, Kind, Parent

pytestmark = pytest.mark.django_db

EVERY_FILTER = sorted(ItemFilter.base_filters)
NOBODY = UUID(int=1)


@pytest.fixture
def caller():
    return Caller()


def item(name: str = "a", **values: object) -> Item:
    return Item.objects.create(name=name, **values)


class TestValues:
    @pytest.fixture
    def rows(self):
        first, second = Parent.objects.create(code="P1", name="x"), Parent.objects.create(code="P2", name="x")
        return {
            "a": item(
                "a",
                id=UUID(int=10),
                parent=first,
                amount=Decimal("1.50"),
                happened_on=date(2026, 1, 31),
                seen_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
                flag=True,
                rank=1,
            ),
            "b": item(
                "b",
                id=UUID(int=11),
                parent=second,
                amount=Decimal(-2),
                happened_on=date(2026, 2, 1),
                seen_at=datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=UTC),
                kind=Kind.FANCY,
                rank=-2,
            ),
            "c": item("c", id=UUID(int=12), kind=Kind.RARE),
        }

    @pytest.mark.parametrize(
        ("parameters", "names"),
        [
            ({"id": f"{UUID(int=10)},{UUID(int=12)}"}, "ac"),
            ({"id": str(UUID(int=11)).upper()}, "b"),
            ({"name": "b"}, "b"),
            ({"name": "B"}, ""),
            ({"name_contains": "B"}, "b"),
            ({"name_contains": "%"}, ""),
            ({"parent_code": "P1"}, "a"),
            ({"parent_code": "P1,P2,P3"}, "ab"),
            ({"kind": "rare"}, "c"),
            ({"kind": "rare,plain"}, "ac"),
            ({"not_kind": "rare"}, "ab"),
            ({"flag": "true"}, "a"),
            ({"flag": "false"}, "bc"),
            ({"unseen": "true"}, "c"),
            ({"unseen": "false"}, "ab"),
            ({"amount": "1.5"}, "a"),
            ({"amount_min": "-2"}, "ab"),
            ({"amount_min": "-1.99", "amount_max": "1.50"}, "a"),
            ({"rank": "-2"}, "b"),
            ({"ranks": "1,-2,7"}, "ab"),
            ({"happened_on": "2026-02-01"}, "b"),
            ({"happened_after": "2026-02-01"}, "b"),
            ({"happened_before": "2026-01-31"}, "a"),
            ({"happened_after": "2026-01-31", "happened_before": "2026-02-01"}, "ab"),
            ({"seen_after": "2026-01-31T12:00:00.000001Z"}, "b"),
            ({"seen_before": "2026-01-31T13:00:00+01:00"}, "a"),
            ({"seen_at": "2026-01-31t12:00:00z"}, "a"),
            ({"rarely": "true"}, "c"),
            ({"rarely": "false"}, "ab"),
            ({"flag": "true", "kind": "fancy"}, ""),
        ],
        ids=str,
    )
    def test_find_the_rows_that_have_them(self, rows, caller, parameters, names):
        assert ask(parameters, by=caller).names == list(names)

    @pytest.mark.parametrize("name", ["parent", "visible_parent", "visible_parents"])
    def test_that_are_related_rows_find_what_refers_to_them(self, rows, caller, name):
        assert ask({name: str(rows["a"].parent_id)}, by=caller).names == ["a"]

    def test_are_compared_without_looking_at_the_related_table(self, rows, caller):
        with CaptureQueriesContext(connection) as queries:
            ask({"parent": str(rows["a"].parent_id)}, by=caller)

        assert len(queries) == 1
        assert "testapp_parent" not in queries[0]["sql"]


class TestVisibility:
    @pytest.mark.parametrize("name", ["visible_parent", "visible_parents"])
    def test_a_related_row_out_of_sight_finds_as_little_as_a_missing_one(self, caller, name):
        hidden = Parent.objects.create(code="hidden-1", name="x")
        item("a", parent=hidden)

        out_of_sight = ask({name: str(hidden.pk)}, by=caller)
        missing = ask({name: str(NOBODY)}, by=caller)

        assert out_of_sight.status == missing.status == 200
        assert out_of_sight.body["data"] == missing.body["data"] == []

    def test_only_the_rows_in_sight_are_found_of_several(self, caller):
        hidden, shown = (Parent.objects.create(code=code, name="x") for code in ("hidden-1", "shown"))
        item("a", parent=hidden)
        item("b", parent=shown)

        assert ask({"visible_parents": f"{hidden.pk},{shown.pk}"}, by=caller).names == ["b"]


HOSTILE = [
    "\x00", "a\x00b", "", " ", ",", ",,", "null", "None", "undefined", "NaN", "nan", "Infinity", "-Infinity", "inf",
    "1e400", "1e-400", "9" * 19, "9" * 30, "9" * 5000, "-" + "9" * 5000, "0x10", "1_000", "٣", "+1", "1.5.2", "--1",
    "0000-01-01", "2026-02-30", "2026-13-01", "999999999-01-01", "2026-1-1", "20260101", "2026-W01-1", "-2026-01-01",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T25:00:00Z", "2026-01-01T00:00:60Z",
    "2026-01-01T00:00:00", "2026-01-01", "2026-01-01T00:00:00+99:99", "infinity", "epoch", "now", "today",
    "'", '"', "' OR 1=1 --", "'; DROP TABLE testapp_item; --", "%", "_", "\\", "${7*7}", "{{7*7}}", "<script>",
    "../../etc/passwd", "\ufffd", "\u202e", "\U0001f600", "\r\nX: y", "[]", "{}", "[object Object]", "True", "TRUE",
    "1", "yes", "00000000-0000-0000-0000-00000000000g", "{00000000-0000-0000-0000-000000000001}", f"urn:uuid:{NOBODY}",
    "0" * 32, str(NOBODY) + ",", ",".join(["1"] * 201), ",".join([str(NOBODY)] * 201), "a" * 201, "__class__",
    "name__startswith", "admin", "Plain", "plain ", "plain,", "plain,unknown",
]  # fmt: skip
# What of this is no nonsense to a type, and so has to be taken for what it says.
SENSIBLE = {
    filters.BooleanFilter: set(),
    filters.UUIDFilter: set(),
    filters.DateFilter: {"2026-01-01"},
    filters.IntegerFilter: {"1", "20260101"},
    filters.NumberFilter: {"1", "20260101", "9" * 19},
    filters.CharFilter: {text for text in HOSTILE if 0 < len(text) <= 200 and "\x00" not in text},
}
LISTS_OF_NOTHING = {",", ",,", "plain,", str(NOBODY) + ","}


def is_sensible(text: str, declared: filters.StrictFilter) -> bool:
    sensible = next((SENSIBLE[kind] for kind in type(declared).__mro__ if kind in SENSIBLE), set())
    return text in sensible and not (declared.many and text in LISTS_OF_NOTHING)


class TestHostileValues:
    @pytest.mark.parametrize("name", EVERY_FILTER)
    def test_are_refused_by_every_filter_or_taken_for_what_they_say(self, caller, name):
        item("a")
        declared = ItemFilter.base_filters[name]

        statuses = {text: ask({name: text}, by=caller).status for text in HOSTILE}

        assert statuses == {text: 200 if is_sensible(text, declared) else 400 for text in HOSTILE}
        assert Item.objects.count() == 1

    @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        name=st.sampled_from(
            [*EVERY_FILTER, "ordering", "search", "page", "page_size", "cursor", "custom.x", "fields"]
        ),
        text=st.one_of(
            st.text(),
            st.text(string.digits + "-+.:TZe, "),
            st.integers().map(str),
            st.decimals().map(str),
            st.floats().map(str),
            st.uuids().map(str),
            st.dates().map(str),
            st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
            st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
            st.lists(st.integers(), max_size=300).map(lambda numbers: ",".join(map(str, numbers))),
        ),
    )
    def test_of_any_kind_never_fail(self, name, text):
        query = QueryDict(mutable=True)
        query[name] = text.encode(errors="replace").decode()

        answer = ask("?" + query.urlencode(), by=Caller())

        assert answer.status in (200, 400, 404)


class TestParameters:
    def test_that_are_unknown_are_refused_by_name(self, caller):
        answer = ask({"nmae": "a", "format": "json", "name": "a", "offset": "1"}, by=caller)

        assert (answer.status, answer.refusals) == (
            400,
            [("nmae", "unknown_parameter"), ("format", "unknown_parameter"), ("offset", "unknown_parameter")],
        )

    @pytest.mark.checklist(46)
    @pytest.mark.parametrize("name", ["name", "page", "search", "ordering", "fields", "unheard"])
    def test_that_occur_twice_are_refused(self, caller, name):
        answer = ask(f"?{name}=1&{name}=2", by=caller)

        assert answer.status == 400
        assert (name, "repeated_parameter") in answer.refusals

    def test_that_are_wrong_are_all_named_in_one_answer(self, caller):
        answer = ask(
            "?x=1&flag=maybe&rank=1.5&kind=plain,odd&ordering=secret&page_size=0&page=0&name=a&name=b", by=caller
        )

        assert sorted(answer.refusals) == [
            ("flag", "invalid_parameter"),
            ("kind", "invalid_choice"),
            ("name", "repeated_parameter"),
            ("ordering", "unknown_ordering"),
            ("page", "invalid_page"),
            ("page_size", "invalid_page_size"),
            ("rank", "invalid_parameter"),
            ("x", "unknown_parameter"),
        ]

    @pytest.mark.checklist(48)
    def test_that_are_filters_are_at_most_twenty(self, caller):
        few = {f"custom.a{number}": "x" for number in range(MAX_FILTERS)}

        at_most = ask(few, by=caller)
        too_many = ask({**few, "name": "x"}, by=caller)

        assert ("", "too_many_filters") not in at_most.refusals
        assert too_many.refusals == [("", "too_many_filters")]

    @pytest.mark.checklist(48)
    @pytest.mark.parametrize("name", ["id", "ranks", "visible_parents"])
    def test_with_several_values_take_200(self, caller, name):
        value = "7" if name == "ranks" else str(NOBODY)

        assert ask({name: ",".join([value] * 200)}, by=caller).status == 200
        assert ask({name: ",".join([value] * 201)}, by=caller).refusals == [(name, "too_many_values")]

    @pytest.mark.checklist(5)
    @pytest.mark.parametrize("model", [Item, Parent])
    def test_cannot_reach_what_a_resource_does_not_declare(self, caller, model):
        """No path of the models is a parameter or an ordering unless a resource says so."""
        viewset = {Item: ItemViewSet, Parent: ParentViewSet}[model]
        columns = [field.name for field in model._meta.get_fields()]
        deeper = [f"parent__{field.name}" for field in Parent._meta.get_fields()] if model is Item else []
        lookups = ("", "__gt", "__startswith", "__regex", "__in", "__isnull", "__id__gt")
        declared = ItemFilter.base_filters.keys() if model is Item else set()
        paths = {path + lookup for path in chain(columns, deeper) for lookup in lookups} - declared

        for path in sorted(paths):
            assert ask({path: "1"}, by=caller, viewset=viewset).refusals == [(path, "unknown_parameter")]
        for path in sorted(paths - viewset.ordering_fields.keys()):
            answer = ask({"ordering": path}, by=caller, viewset=viewset)
            assert answer.refusals == [("ordering", "unknown_ordering")]

    def test_of_a_list_mean_nothing_to_one_row_or_a_write(self):
        factory = APIRequestFactory()
        query = {"name": "a", "page": "1", "ordering": "name", "search": "x", "custom.x": "1", "fields": "id"}

        for view, request in (
            (ItemViewSet(detail=True, action="retrieve"), factory.get("/", query)),
            (ItemViewSet(detail=False, action="create"), factory.post("/?" + QueryDict(mutable=True).urlencode())),
        ):
            request.GET = QueryDict("&".join(f"{name}={value}" for name, value in query.items()))
            assert unknown_parameters(view, Request(request)) == ["name", "page", "ordering", "search", "custom.x"]

    def test_are_known_only_to_resources_that_have_them(self, caller):
        answer = ask({"custom.x": "1", "flag": "true"}, by=caller, viewset=ParentViewSet)

        assert answer.refusals == [("custom.x", "unknown_parameter"), ("flag", "unknown_parameter")]


class TestOrdering:
    def test_follows_the_names_and_their_signs(self, caller):
        for name, rank in (("a", 1), ("b", 2), ("c", 1)):
            item(name, rank=rank)

        assert ask({"ordering": "-rank,name"}, by=caller).names == ["b", "a", "c"]
        assert ask({"ordering": "rank,-name"}, by=caller).names == ["c", "a", "b"]

    def test_is_the_usual_one_when_none_is_asked_for(self, caller):
        for name in "cab":
            item(name)

        assert ask({}, by=caller).names == ["a", "b", "c"]

    def test_may_follow_a_related_row_by_a_name_of_its_own(self, caller):
        for code, name in (("P2", "a"), ("P1", "b")):
            item(name, parent=Parent.objects.create(code=code, name="x"))

        assert ask({"ordering": "parent"}, by=caller).names == ["b", "a"]

    @pytest.mark.parametrize(
        "ordering",
        [
            "",
            "-",
            ",",
            "name,",
            "--name",
            "+name",
            "Name",
            " name",
            "id",
            "search_text",
            "?",
            "name,-name",
            "name,name",
        ],
    )
    def test_by_anything_else_is_refused(self, caller, ordering):
        answer = ask({"ordering": ordering}, by=caller)

        assert (answer.status, answer.refusals) == (400, [("ordering", "unknown_ordering")])

    def test_by_endless_lists_is_refused_once(self, caller):
        answer = ask({"ordering": ",".join(["x"] * 1000)}, by=caller)

        assert answer.refusals == [("ordering", "unknown_ordering")]


class TestCustomFields:
    @pytest.fixture(autouse=True)
    def definitions(self):
        for name in ("badge", "shade"):
            CustomField.objects.create(entity_type="testapp.item", name=name, label=name, field_type="text")

    def test_filter_by_their_values(self, caller):
        item("a", custom_data={"badge": "1", "shade": "red"})
        item("b", custom_data={"badge": "1"})

        assert ask({"custom.badge": "1"}, by=caller).names == ["a", "b"]
        assert ask({"custom.badge": "1", "custom.shade": "red"}, by=caller).names == ["a"]

    def test_that_do_not_exist_are_all_named(self, caller):
        answer = ask({"custom.one": "1", "custom.two": "2"}, by=caller)

        assert [field for field, _ in answer.refusals] == ["custom.one", "custom.two"]

    def test_cost_one_query_for_all_definitions(self, caller):
        with CaptureQueriesContext(connection) as queries:
            ask({"custom.badge": "1", "custom.shade": "red", "search": "x"}, by=caller)

        assert len(queries) == 2


class TestDeclarations:
    def test_name_every_field(self):
        with pytest.raises(ImproperlyConfigured, match="names each field"):
            type("All", (StrictFilterSet,), {"Meta": type("Meta", (), {"model": Parent, "fields": "__all__"})})
        with pytest.raises(ImproperlyConfigured, match="names each field"):
            type("Some", (StrictFilterSet,), {"Meta": type("Meta", (), {"model": Parent, "exclude": ["name"]})})

    def test_use_strict_filters_alone(self):
        with pytest.raises(ImproperlyConfigured, match="not one of the filters"):
            type("Loose", (StrictFilterSet,), {"name": django_filters.CharFilter()})

    def test_give_other_comparisons_names_of_their_own(self):
        with pytest.raises(ImproperlyConfigured, match="a name of its own"):
            type("Deep", (StrictFilterSet,), {"Meta": type("Meta", (), {"model": Parent, "fields": {"name": ["gt"]}})})

    @pytest.mark.parametrize("lookup", ["regex", "iregex", "parent__name__iregex"])
    def test_never_run_a_callers_regular_expression(self, lookup):
        with pytest.raises(TypeError):
            filters.CharFilter(lookup_expr=lookup)

    def test_of_other_types_of_column_are_written_out(self):
        with pytest.raises(TypeError, match="needs a filter"):
            type("Odd", (StrictFilterSet,), {"Meta": type("Meta", (), {"model": Item, "fields": ["custom_data"]})})


class TestDescriptions:
    def test_name_exactly_the_parameters_that_are_taken(self):
        view = ItemViewSet(detail=False, action="list")
        parameters = chain.from_iterable(
            backend().get_schema_operation_parameters(view) for backend in view.filter_backends
        )
        described = [parameter["name"] for parameter in (*parameters, *paging_parameters(view.pagination_class))]
        query = QueryDict("&".join(f"{name}=1" for name in described if name != "custom_fields"))
        request = Request(APIRequestFactory().get("/"))
        request._request.GET = query

        assert len(described) == len(set(described))
        assert unknown_parameters(view, request) == []
        assert set(EVERY_FILTER) < set(described)

    def test_say_what_a_value_looks_like(self):
        described = {name: each.parameter(name) for name, each in ItemFilter.base_filters.items()}

        assert described["kind"]["schema"]["items"] == {"type": "string", "enum": ["plain", "fancy", "rare"]}
        assert (described["kind"]["style"], described["kind"]["explode"]) == ("form", False)
        assert described["parent"]["schema"] == {"type": "string", "format": "uuid"}
        assert described["happened_after"]["schema"] == {"type": "string", "format": "date"}
        assert described["amount_min"]["description"] == "This or greater."
        assert described["rarely"]["description"] == "Whether the item is rare."

    def test_list_every_ordering(self):
        view = ItemViewSet(detail=False, action="list")
        (ordering,) = filters.OrderingBackend().get_schema_operation_parameters(view)

        values = ordering["schema"]["items"]["enum"]
        assert values[:2] == ["name", "-name"]
        assert {value.removeprefix("-") for value in values} == set(ItemViewSet.ordering_fields)
        assert "If left out: `name`." in ordering["description"]
        assert "default" not in ordering["schema"]
