"""No row is lost or shown twice, wherever pages begin and whatever happens between them."""

import base64
import random
import string
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.exceptions import FieldDoesNotExist, FieldError, ImproperlyConfigured
from django.db import connection, transaction
from django.db.models.functions import Length
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.api import keyset
from core.api.keyset import Cursor, InvalidCursorError, Keyset
from core.ids import new_id
from tests.testapp.api import ItemViewSet
from tests.testapp.callers import Caller, ask
from tests.testapp.models import Item, Kind, Parent

pytestmark = pytest.mark.django_db

ORDERINGS = [
    ["name"],
    ["-name"],
    ["rank"],
    ["-rank"],
    ["rank", "-name"],
    ["-rank", "name"],
    ["-rank", "-seen_at"],
    ["amount", "happened_on"],
    ["seen_at", "-amount", "flag"],
    ["-flag", "kind"],
    ["parent__code"],
    ["-parent__code", "rank"],
    ["parent"],
    ["-created_at"],
    ["id"],
    ["-pk", "name"],
    [],
]
MOMENT = datetime(2026, 3, 1, 9, 0, 0, 1, tzinfo=UTC)

property_settings = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def caller():
    return Caller()


@contextmanager
def undone() -> Iterator[None]:
    """Run one generated example and forget what it wrote."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


# Few values for each column, so that almost every key has ties.
items = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["a", "B", "ä", "Zoë", "z z", "日本", "\U0001f600", "'); --", ""]),
        "amount": st.sampled_from([None, Decimal("0.01"), Decimal("-5.00"), Decimal("9999999999.99")]),
        "happened_on": st.sampled_from([None, date(1, 1, 1), date(2026, 2, 28), date(9999, 12, 31)]),
        "seen_at": st.sampled_from([None, MOMENT, MOMENT + timedelta(microseconds=1), MOMENT + timedelta(days=9)]),
        "flag": st.booleans(),
        "kind": st.sampled_from(Kind.values),
        "rank": st.sampled_from([None, -1, 0, 2**31 - 1]),
        "parent": st.sampled_from([None, "A", "B"]),
    }
)


def stored(rows: list[dict]) -> list[Item]:
    parents = {code: Parent.objects.get_or_create(code=code, name=code)[0] for code in ("A", "B")}
    return Item.objects.bulk_create(Item(**{**row, "parent": parents.get(row["parent"])}) for row in rows)


def page_of(queryset, cursor: Cursor | None, size: int) -> keyset.Page:
    """Read one page, its cursor having travelled as a token."""
    ordering = Keyset.of(queryset)
    if cursor is not None:
        cursor = keyset.loads(keyset.dumps(cursor, "question"), "question")
    return ordering.page(list(ordering.window(queryset, cursor, size + 1)), cursor, size)


def in_order(queryset) -> list:
    """Let PostgreSQL itself say what the order is."""
    return list(queryset.order_by(*Keyset.of(queryset).names).values_list("pk", flat=True))


@pytest.mark.sweep
class TestWalking:
    @pytest.mark.parametrize("ordering", ORDERINGS, ids=lambda ordering: ",".join(ordering) or "none")
    @property_settings
    @given(rows=st.lists(items, max_size=25), size=st.integers(1, 9))
    def test_forwards_and_back_passes_every_row_once(self, ordering, rows, size):
        with undone():
            stored(rows)
            queryset = Item.objects.order_by(*ordering)
            expected = in_order(queryset)

            pages = [page_of(queryset, None, size)]
            while pages[-1].next:
                pages.append(page_of(queryset, pages[-1].next, size))
            forwards = [row.pk for page in pages for row in page.rows]
            back = [pages[-1]]
            while back[-1].previous:
                back.append(page_of(queryset, back[-1].previous, size))
            backwards = [row.pk for page in reversed(back) for row in page.rows]

            assert forwards == expected
            assert backwards == expected
            assert all(len(page.rows) == size for page in pages[:-1])
            assert pages[0].previous is None

    @pytest.mark.parametrize("ordering", ORDERINGS, ids=lambda ordering: ",".join(ordering) or "none")
    @property_settings
    @given(
        rows=st.lists(items, min_size=1, max_size=20),
        size=st.integers(1, 6),
        changes=st.lists(st.tuples(st.lists(items, max_size=3), st.integers(0, 3)), max_size=30),
        seed=st.integers(0, 2**16),
    )
    def test_a_row_that_stays_is_seen_once_whatever_comes_and_goes(self, ordering, rows, size, changes, seed):
        with undone():
            chance = random.Random(seed)
            there = {item.pk for item in stored(rows)}
            queryset = Item.objects.order_by(*ordering)
            pending = iter(changes)
            stable, seen, cursor, pages = set(there), [], None, 0

            while True:
                page = page_of(queryset, cursor, size)
                seen += [row.pk for row in page.rows]
                cursor, pages = page.next, pages + 1
                if cursor is None:
                    break
                added, removed = next(pending, ([], 0))
                victims = chance.sample(sorted(there), min(removed, len(there)))
                # Among them often the very row the cursor names.
                Item.objects.filter(pk__in=victims).delete()
                there -= set(victims)
                stable -= set(victims)
                there |= {item.pk for item in stored(added)}

            assert len(seen) == len(set(seen))
            assert stable <= set(seen)
            assert pages <= len(rows) + sum(len(added) for added, _ in changes) + 1

    @property_settings
    @given(
        rows=st.lists(items, max_size=30),
        ordering=st.sampled_from(ORDERINGS),
        size=st.integers(1, 7),
        steps=st.lists(st.booleans(), max_size=25),
    )
    def test_any_steps_to_and_fro_show_neighbouring_slices(self, rows, ordering, size, steps):
        with undone():
            stored(rows)
            queryset = Item.objects.order_by(*ordering)
            expected = in_order(queryset)
            page, start = page_of(queryset, None, size), 0

            for forwards in steps:
                if (page.next if forwards else page.previous) is None:
                    continue
                length = len(page.rows)
                page = page_of(queryset, page.next if forwards else page.previous, size)
                start = start + length if forwards else max(0, start - size)
                end = start + size if forwards else start + (len(page.rows) or 0)

                assert [row.pk for row in page.rows] == expected[start:end]

    def test_the_page_after_a_deleted_row_is_where_it_was(self):
        rows = stored([{**PLAIN, "name": name} for name in "abcdef"])
        first = page_of(Item.objects.order_by("name"), None, 2)
        rows[1].delete()

        page = page_of(Item.objects.order_by("name"), first.next, 2)

        assert [row.name for row in page.rows] == ["c", "d"]

    @pytest.mark.parametrize("ordering", [["name"], ["rank", "name"], ["-kind", "name"]], ids=",".join)
    def test_a_page_that_became_empty_leads_back_to_everything_before_it(self, ordering):
        stored([{**PLAIN, "name": name} for name in "abcd"])
        queryset = Item.objects.order_by(*ordering)
        first = page_of(queryset, None, 2)
        queryset.filter(name__in="cd").delete()

        emptied = page_of(queryset, first.next, 2)
        back = page_of(queryset, emptied.previous, 2)

        assert (emptied.rows, emptied.next) == ([], None)
        assert [row.name for row in back.rows] == ["a", "b"]

    @pytest.mark.parametrize("ordering", [["name"], ["rank", "name"], ["-kind", "name"]], ids=",".join)
    def test_a_page_that_became_empty_backwards_leads_forward_again(self, ordering):
        stored([{**PLAIN, "name": name} for name in "abcd"])
        queryset = Item.objects.order_by(*ordering)
        second = page_of(queryset, page_of(queryset, None, 2).next, 2)
        queryset.filter(name__in="ab").delete()

        emptied = page_of(queryset, second.previous, 2)
        forward = page_of(queryset, emptied.next, 2)

        assert (emptied.rows, emptied.previous) == ([], None)
        assert [row.name for row in forward.rows] == ["c", "d"]

    def test_an_ordering_by_a_calculated_column_pages_too(self):
        stored([{**PLAIN, "name": name} for name in ("aaa", "b", "cc", "d")])
        queryset = Item.objects.annotate(length=Length("name")).order_by("-length", "name")

        first = page_of(queryset, None, 2)
        second = page_of(queryset, first.next, 2)

        assert [row.name for row in first.rows + second.rows] == ["aaa", "cc", "b", "d"]


PLAIN = {
    "name": "a", "amount": None, "happened_on": None, "seen_at": None, "flag": False, "kind": "plain", "rank": None,
    "parent": None,
}  # fmt: skip


class TestCursors:
    values = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.text(st.characters(exclude_categories=["Cs"])),
        st.decimals(allow_nan=False),
        st.floats(allow_nan=False),
        st.uuids(),
        st.dates(),
        st.times(),
        st.timedeltas(),
        st.datetimes(timezones=st.just(UTC)),
    )

    @given(key=st.lists(values, min_size=1), backwards=st.booleans(), inclusive=st.booleans(), question=st.text())
    def test_keep_every_value_and_its_type(self, key, backwards, inclusive, question):
        cursor = Cursor(tuple(key), backwards, inclusive)

        token = keyset.dumps(cursor, question.encode(errors="replace").decode())
        read = keyset.loads(token, question.encode(errors="replace").decode())

        assert read == cursor
        assert [type(value) for value in read.key] == [type(value) for value in cursor.key]
        assert set(token) <= set(string.ascii_letters + string.digits + "-_.")

    @given(token=st.text())
    def test_refuse_what_was_not_made_here(self, token):
        with pytest.raises(InvalidCursorError):
            keyset.loads(token, "question")

    @given(position=st.integers(0, 200), letter=st.sampled_from(string.ascii_letters + string.digits + "-_."))
    def test_refuse_any_change_of_a_letter(self, position, letter):
        token = keyset.dumps(Cursor(("a", new_id())), "question")
        position %= len(token)
        forged = token[:position] + letter + token[position + 1 :]

        if forged != token:
            with pytest.raises(InvalidCursorError):
                keyset.loads(forged, "question")

    @given(token=st.binary(max_size=200))
    def test_refuse_what_is_spelt_as_one(self, token):
        with pytest.raises(InvalidCursorError):
            keyset.loads(base64.urlsafe_b64encode(token).decode().rstrip("="), "question")

    def test_are_the_same_for_the_same_place_alone(self):
        row = new_id()
        places = [
            (Cursor((name, row), backwards), question)
            for name in ("Ada", "Eve")
            for backwards in (False, True)
            for question in ("one", "another")
        ]

        tokens = {keyset.dumps(*place) for place in places}

        assert len(tokens) == len(places)
        assert tokens == {keyset.dumps(*place) for place in places}

    def test_are_as_long_for_a_short_name_as_for_a_long_one(self):
        row = new_id()

        assert len({len(keyset.dumps(Cursor(("a" * length, row)), "")) for length in (1, 5, 20)}) == 1

    def test_outlive_the_key_for_as_long_as_it_is_being_replaced(self, settings):
        cursor = Cursor(("a", new_id()))
        token = keyset.dumps(cursor, "question")
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "the key after the one that the token was made with"

        assert keyset.loads(token, "question") == cursor
        assert keyset.dumps(cursor, "question") != token
        settings.SECRET_KEY_FALLBACKS = []
        with pytest.raises(InvalidCursorError):
            keyset.loads(token, "question")

    def test_refuse_a_key_that_no_column_has(self):
        with pytest.raises(ImproperlyConfigured):
            keyset.dumps(Cursor(([1],)), "question")

    def test_times_of_day_keep_their_microseconds(self):
        cursor = Cursor((time(9, 0, 0, 1),))

        assert keyset.loads(keyset.dumps(cursor, ""), "") == cursor


class TestOrderings:
    @pytest.mark.parametrize("ordering", ["items__name", "?", "nothing", "name__lower"])
    def test_that_are_not_columns_are_the_programmers_mistake(self, ordering):
        with pytest.raises((FieldError, FieldDoesNotExist, ImproperlyConfigured)):
            Keyset.of(Parent.objects.order_by(ordering))

    def test_end_with_the_primary_key_in_the_direction_of_the_last_column(self):
        assert Keyset.of(Item.objects.order_by("-name")).names == ["-name", "-id"]
        assert Keyset.of(Item.objects.order_by("-name", "rank")).names == ["-name", "rank", "id"]
        assert Keyset.of(Item.objects.order_by("parent")).names == ["parent_id", "id"]
        assert Keyset.of(Item.objects.order_by("name", "-name", "pk", "rank")).names == ["name", "id"]


class TestListsByCursor:
    def test_the_links_lead_through_the_whole_list_and_back(self, caller):
        stored([{**PLAIN, "name": name} for name in "gfedcba"])

        pages = [ask({"page_size": 3, "flag": "false"}, by=caller)]
        while pages[-1].pages["next"]:
            pages.append(ask(pages[-1].pages["next"], by=caller))
        back = ask(pages[-1].pages["previous"], by=caller)

        assert [page.names for page in pages] == [["a", "b", "c"], ["d", "e", "f"], ["g"]]
        assert back.names == ["d", "e", "f"]
        assert [page.pages["previous"] is None for page in pages] == [True, False, False]

    def test_a_link_is_the_same_question_with_a_cursor(self, caller):
        stored([{**PLAIN, "name": name} for name in "abc"])

        link = urlsplit(ask({"page_size": 2, "ordering": "-name", "kind": "plain"}, by=caller).pages["next"])

        assert (link.scheme, link.netloc, link.path) == ("", "", "/api/v1/items/")
        assert parse_qs(link.query).keys() == {"page_size", "ordering", "kind", "cursor"}

    def test_a_page_costs_one_query_and_never_counts(self, caller):
        stored([PLAIN] * 30)

        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = ask({}, by=caller)

        assert len(page.names) == page.pages["page_size"] == 25
        assert len(queries) == 1
        assert "count(" not in queries[0]["sql"].lower()

    def test_the_size_of_a_page_may_change_on_the_way(self, caller):
        stored([{**PLAIN, "name": name} for name in "abcdef"])
        link = ask({"page_size": 2}, by=caller).pages["next"]

        page = ask(link.replace("page_size=2", "page_size=3") + "&fields=name", by=caller)

        assert page.names == ["c", "d", "e"]

    @pytest.mark.parametrize(
        "change",
        [{"kind": "plain,fancy"}, {"ordering": "-name"}, {"search": "a"}, {"flag": "false"}],
        ids=lambda change: next(iter(change)),
    )
    def test_a_cursor_is_refused_for_another_question(self, caller, change):
        stored([{**PLAIN, "name": name} for name in "abc"])
        cursor = parse_qs(urlsplit(ask({"page_size": 2}, by=caller).pages["next"]).query)["cursor"][0]

        answer = ask({"page_size": 2, "cursor": cursor, **change}, by=caller)

        assert (answer.status, answer.refusals) == (400, [("cursor", "invalid_cursor")])

    @pytest.mark.checklist(69)
    def test_a_cursor_is_refused_from_another_caller_and_at_another_address(self, caller):
        stored([{**PLAIN, "name": name} for name in "abc"])
        link = ask({"page_size": 2}, by=caller).pages["next"]

        by_another = ask(link, by=Caller())
        elsewhere = ask(link, by=caller, path="/api/v1/other/")

        assert by_another.refusals == elsewhere.refusals == [("cursor", "invalid_cursor")]

    def test_a_cursor_is_refused_when_the_usual_ordering_has_changed(self, caller):
        class Reordered(ItemViewSet):
            default_ordering = ("-name",)

        stored([{**PLAIN, "name": name} for name in "abc"])
        link = ask({"page_size": 2}, by=caller).pages["next"]

        assert ask(link, by=caller, viewset=Reordered).refusals == [("cursor", "invalid_cursor")]

    @pytest.mark.parametrize("cursor", ["", "x", "WzBd.x", "%C3%A9", "a" * 5000, "WyIuIl0.", "."])
    def test_nonsense_is_no_cursor(self, caller, cursor):
        answer = ask(f"?cursor={cursor}", by=caller)

        assert (answer.status, answer.refusals) == (400, [("cursor", "invalid_cursor")])

    @pytest.mark.checklist(48)
    @pytest.mark.parametrize("size", ["0", "201", "-1", "abc", "", "1.0", "٣", "1e2", " 5", "+5", "05", "9" * 10_000])
    def test_a_page_has_from_1_to_200_rows(self, caller, size):
        answer = ask({"page_size": size}, by=caller)

        assert (answer.status, answer.refusals) == (400, [("page_size", "invalid_page_size")])

    @pytest.mark.checklist(48)
    def test_a_page_may_have_200_rows(self, caller):
        stored([PLAIN] * 201)

        assert len(ask({"page_size": "200"}, by=caller).names) == 200


class TestNumberedPages:
    def test_say_how_many_rows_and_pages_there_are(self, caller):
        stored([{**PLAIN, "name": name} for name in "abcde"])

        page = ask({"page": 2, "page_size": 2}, by=caller)

        assert page.names == ["c", "d"]
        links = {name: parse_qs(urlsplit(page.pages[name]).query)["page"] for name in ("previous", "next")}
        assert links == {"previous": ["1"], "next": ["3"]}
        assert {**page.pages, "previous": "", "next": ""} == {
            "total": 5, "page": 2, "pages": 3, "page_size": 2, "next": "", "previous": "",
        }  # fmt: skip

    @pytest.mark.parametrize("ordering", ["name", "-rank", "parent", "seen_at,-amount"])
    def test_together_hold_every_row_once(self, caller, ordering):
        stored([{**PLAIN, "name": name, "rank": rank} for name in "aabbcc" for rank in (None, 1)])

        pages = [ask({"page": number, "page_size": 5, "ordering": ordering}, by=caller) for number in (1, 2, 3)]

        ids = [row for page in pages for row in page.ids]
        assert len(ids) == len(set(ids)) == 12

    def test_an_empty_list_has_one_empty_page(self, caller):
        page = ask({"page": 1}, by=caller)

        assert (page.body["data"], page.pages["total"], page.pages["pages"]) == ([], 0, 1)

    @pytest.mark.parametrize("number", ["3", "999999999999999", "9" * 19, "9" * 5000])
    def test_beyond_the_end_there_is_no_page(self, caller, number):
        stored([PLAIN] * 3)

        answer = ask({"page": number, "page_size": 2}, by=caller)

        assert (answer.status, answer.refusals) == (404, [("page", "page_not_found")])

    @pytest.mark.parametrize("number", ["0", "-1", "", "x", "1.5", "٣", "1e3", "+1", "0x1"])
    def test_are_numbered_from_1(self, caller, number):
        answer = ask({"page": number}, by=caller)

        assert (answer.status, answer.refusals) == (400, [("page", "invalid_page")])

    def test_cannot_be_named_together_with_a_cursor(self, caller):
        answer = ask({"page": 1, "cursor": "x"}, by=caller)

        assert (answer.status, answer.refusals) == (400, [("page", "page_with_cursor")])

    def test_cost_two_queries(self, caller):
        stored([PLAIN] * 30)

        with CaptureQueriesContext(connection) as queries:
            ask({"page": 2}, by=caller)

        assert len(queries) == 2


@pytest.mark.usefixtures("many_items")
class TestPlans:
    """A page is read from an index at the place where it begins, wherever that is."""

    @pytest.fixture(autouse=True)
    def solid_state_disk(self):
        # PostgreSQL's default is a spinning disk, on which reading such a small table whole is quicker.
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL random_page_cost = 1.1")

    @staticmethod
    def plan(queryset, depth: int, *, backwards: bool = False) -> str:
        ordering = Keyset.of(queryset)
        place = Cursor(ordering.key(ordering.ordered(queryset)[depth]), backwards=backwards)
        return ordering.window(queryset, place, 26).explain(analyze=True, costs=False, timing=False)

    @pytest.mark.parametrize("backwards", [False, True])
    @pytest.mark.parametrize(("ordering", "index"), [("name", "by_name"), ("-created_at", "latest")])
    def test_compares_whole_keys_with_the_index(self, ordering, index, backwards):
        plan = self.plan(Item.objects.order_by(ordering), 12_000, backwards=backwards)

        assert f"testapp_item_{index}" in plan
        assert "Index Cond: (ROW(" in plan
        assert "Sort" not in plan
        assert "Filter" not in plan

    @pytest.mark.parametrize("backwards", [False, True])
    @pytest.mark.parametrize("ordering", ["rank", "-rank"])
    @pytest.mark.parametrize("depth", [5_000, 20_000])
    def test_steps_from_values_to_nulls_by_index(self, ordering, depth, backwards):
        plan = self.plan(Item.objects.order_by(ordering), depth, backwards=backwards)

        assert "testapp_item_by_rank" in plan
        assert "Seq Scan" not in plan
        assert "Rows Removed by Filter" not in plan

    def test_reads_only_what_it_shows_when_directions_differ(self):
        plan = self.plan(Item.objects.order_by("-created_at", "name"), 12_000)

        assert "Index Cond: (created_at <" in plan
        assert "Seq Scan" not in plan
