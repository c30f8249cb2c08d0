"""Searching finds what a person would expect, by index, and nothing a caller may not know of."""

import string
from contextlib import closing

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.models import CustomField
from core.search import MAX_WORD_LENGTH, MAX_WORDS, search, words_of
from tests.testapp.callers import Caller, ask
from tests.testapp.models import Item, Parent

pytestmark = pytest.mark.django_db

any_text = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def parent(code: str, name: str = "x") -> Parent:
    return Parent.objects.create(code=code, name=name)


def item(name: str, of: Parent | None = None, **custom: object) -> Item:
    return Item.objects.create(name=name, parent=of, custom_data=custom)


def codes(text: str) -> list[str]:
    return sorted(search(Parent.objects.all(), text).values_list("code", flat=True))


def names(text: str) -> list[str]:
    return sorted(search(Item.objects.all(), text).values_list("name", flat=True))


def plan(queryset) -> str:
    return queryset[:26].explain(analyze=True, costs=False, timing=False)


def executed(plan: str) -> str:
    """Leave out the parts of a plan that were not run."""
    return "\n".join(line for line in plan.splitlines() if "never executed" not in line)


class TestWords:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("linear", True),
            ("lin", True),
            ("LINEAR ALGEBRA", True),
            ("algebra linear", True),
            ("alg lin ma", True),
            ("ma-201", True),
            ("201", True),
            ("MA 201", True),
            ("oil", False),
            ("oil algebra", False),
        ],
    )
    def test_begin_words_of_the_row_in_any_order(self, text, found):
        parent("MA-201", "Linear Algebra")
        parent("PE-1", "Turmoil and oil algebra")

        assert ("MA-201" in codes(text)) is found

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("Łukasz Brzęczyszczykiewicz", "lukasz brzeczy"),
            ("Jose", "JOSÉ"),
            ("José", "jose"),
            ("Jose\u0301 Maria", "josé maria"),
            ("Straße", "strasse"),
            ("Иван Петров", "иван пет"),
            ("ИВАН", "иван"),
            ("हिन्दी विभाग", "हिन्दी"),
            ("हिन्दी विभाग", "विभा"),
            ("東京大学", "東京"),
            ("محمد علي", "علي"),
            ("ﬁnance", "fin"),
            ("\uff57\uff49\uff44\uff45", "wide"),
            ("½ day", "1 2"),
            ("ada.lovelace@uni.edu", "lovelace"),
            ("ada.lovelace@uni.edu", "ada.lovelace@uni.edu"),
            ("CS/EE joint", "ee"),
            ("temperature -40", "40"),
            ("https://uni.edu/path", "path"),
            ("snake_case", "case"),
            ("O'Neill", "neill"),
            ("O'Neill", "o'neill"),
            ("a&b|c!d", "d"),
            ("12e5x", "12e5x"),
            ("0x1f", "0x"),
            ("<b>bold</b>", "bold"),
        ],
    )
    def test_are_found_without_accents_case_and_punctuation_in_every_script(self, name, text):
        parent("A", name)
        parent("B", "something else")

        assert codes(text) == ["A"]

    def test_may_be_spread_over_the_row_and_the_one_it_refers_to(self):
        algebra, sport = parent("MA201", "Linear Algebra"), parent("PE1", "Sport")
        item("Group 1", algebra)
        item("Group 2", algebra)
        item("Group 1", sport)

        assert search(Item.objects.all(), "algebra 2").get().name == "Group 2"
        assert search(Item.objects.all(), "group sport").get().parent == sport

    def test_of_a_row_without_a_reference_are_found_in_the_row(self):
        item("Lonely")

        assert names("lone") == ["Lonely"]

    def test_find_a_row_once_that_has_them_in_several_sources(self):
        item("Algebra", parent("MA", "Algebra"))

        assert names("algebra") == ["Algebra"]

    @pytest.mark.parametrize("text", ["", " ", "\t\n", "\u3000"])
    def test_none_asked_for_finds_everything(self, text):
        parent("A")

        assert codes(text) == ["A"]

    @pytest.mark.parametrize(
        "text", ["😀", "---", "%", "_", "'", "\\", "\x00", "\ud800", "\u0301", "!!! ???", "\u200d", "\u02bb"]
    )
    def test_none_in_what_was_asked_finds_nothing(self, text):
        parent("A", "😀 --- % _ ' \\ !!! ???")

        assert codes(text) == []

    def test_are_at_most_ten_of_at_most_64_characters(self):
        words = words_of(" ".join(["x" * 100] * 20))

        assert [len(word) for word in words] == [MAX_WORD_LENGTH] * MAX_WORDS

    def test_are_counted_after_ligatures_are_taken_apart(self):
        assert words_of("\ufdfa") == ["صلى", "الله", "عليه", "وسلم"]
        assert len(words_of("\u3316" * 64)[0]) == MAX_WORD_LENGTH

    @any_text
    @given(text=st.text(st.characters(), max_size=300) | st.text(string.punctuation + " ab\x00"))
    def test_are_never_an_error(self, text):
        list(search(Parent.objects.all(), text))
        list(search(Item.objects.all(), text))

    @any_text
    @example(name="\N{DINGBAT NEGATIVE CIRCLED DIGIT ONE}")
    @example(name="A\N{DINGBAT NEGATIVE CIRCLED DIGIT ONE} \N{MODIFIER LETTER TURNED COMMA}")
    @given(name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60))
    def test_find_the_row_they_were_taken_from(self, name):
        row = parent("A", name)
        try:
            if words_of(name):
                assert search(Parent.objects.filter(pk=row.pk), name).exists()
        finally:
            row.delete()


class TestResemblance:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("jonson", "Anna Johnson"),
            ("micheal", "Michael Smith"),
            ("jonh", "John"),
            ("mathematcis", "Introduction to Mathematics"),
            ("krishnamurti", "Ravi Krishnamurthy"),
            ("phisics", "Physics I"),
            ("stefen", "Stephen"),
        ],
    )
    def test_leads_from_a_typing_error_to_the_row(self, text, name):
        parent("A", name)
        parent("B", "Zoology")

        assert codes(text) == ["A"]

    def test_is_not_tried_when_a_row_has_the_words(self):
        parent("A", "Johnson")
        parent("B", "Jonson")

        assert codes("jonson") == ["B"]

    def test_is_tried_on_the_row_referred_to(self):
        item("Group", parent("A", "Johnson"))

        assert names("jonson") == ["Group"]

    def test_does_not_reveal_that_a_row_out_of_sight_has_the_words(self):
        parent("A", "Johnson")
        parent("hidden", "Jonson")
        in_sight = Parent.objects.exclude(code="hidden")

        assert search(in_sight, "jonson").get().code == "A"

    def test_leaves_the_settings_of_the_connection_as_they_were(self):
        statement = search(Parent.objects.all(), "jonson").query.sql_with_params()
        other = connection.copy()

        with closing(other), other.cursor() as cursor:
            cursor.execute(*statement)
            cursor.execute("SHOW pg_trgm.word_similarity_threshold")
            threshold = cursor.fetchone()

        assert threshold == ("0.6",)


class TestCustomFields:
    @pytest.fixture(autouse=True)
    def definitions(self):
        for name, is_searchable in (("badge", True), ("note", True), ("secret", False)):
            CustomField.objects.create(
                entity_type="testapp.item", name=name, label=name, field_type="text", is_searchable=is_searchable
            )

    def test_are_searched_when_they_are_searchable(self):
        item("A", badge="Köln-42")
        item("B", secret="Köln-42")
        item("C")

        assert names("koln") == names("42") == ["A"]

    def test_are_searched_together_with_the_row(self):
        algebra = parent("MA", "Algebra")
        item("A", algebra, badge="42")
        item("B", algebra, badge="43")

        assert names("alg 43") == ["B"]

    def test_are_not_found_by_their_names(self):
        item("A", badge="42")

        assert names("badge") == []

    @pytest.mark.parametrize("value", ["one\nword", "one\tword", "one\r\nword", 'one "word"', "one\\word", "one/word"])
    def test_have_words_whatever_stands_between_them(self, value):
        item("A", note=value)

        assert names("one") == names("word") == ["A"]

    @any_text
    @given(value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60))
    def test_find_the_row_by_any_value(self, value):
        row = item("A", note=value)
        try:
            if words_of(value):
                assert search(Item.objects.filter(pk=row.pk), value).exists()
        finally:
            row.delete()


class TestLists:
    def test_are_searched_by_one_query_and_one_for_the_definitions(self):
        parent("A", "Algebra")

        with CaptureQueriesContext(connection) as queries:
            list(search(Parent.objects.all(), "algebra"))
            list(search(Parent.objects.all(), "algebar"))
            list(search(Item.objects.all(), "algebra"))

        assert len(queries) == 1 + 1 + 2

    def test_page_through_what_was_found(self):
        for number in range(5):
            item(f"Group {number}")
        item("Other")
        caller = Caller()

        first = ask({"search": "grou", "page_size": 3}, by=caller)
        second = ask(first.pages["next"], by=caller)

        assert [*first.names, *second.names] == [f"Group {number}" for number in range(5)]

    def test_of_a_model_without_search_paths_cannot_be_searched(self):
        with pytest.raises(ImproperlyConfigured):
            search(CustomField.objects.all(), "a")


@pytest.mark.usefixtures("many_items")
class TestPlans:
    @pytest.fixture(autouse=True)
    def definitions(self):
        CustomField.objects.create(
            entity_type="testapp.item", name="badge", label="Badge", field_type="text", is_searchable=True
        )

    @pytest.fixture(autouse=True)
    def solid_state_disk(self):
        # PostgreSQL's default is a spinning disk, on which reading such a small table whole is quicker.
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL random_page_cost = 1.1")

    @pytest.mark.parametrize(
        ("text", "index"),
        [
            ("12345", "testapp_item_words"),
            ("ada 12344", "testapp_item_words"),
            ("p777", "testapp_parent_words"),
            ("b12345", "testapp_item_custom_words"),
            ("bjrön 24321", "testapp_item_trigrams"),
            ("phsyics 28dd2c7955ce9", "testapp_parent_trigrams"),
        ],
    )
    def test_use_the_index_of_every_source(self, text, index):
        found = search(Item.objects.order_by("name", "id"), text)

        ran = executed(plan(found))

        assert found[:1]
        assert f"Bitmap Index Scan on {index}" in ran
        assert "Seq Scan" not in ran

    def test_do_not_look_for_resemblance_when_words_were_found(self):
        ran = executed(plan(search(Item.objects.order_by("name", "id"), "12345")))

        assert "trigrams" not in ran
