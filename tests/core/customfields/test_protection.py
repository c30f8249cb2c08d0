"""Protected custom fields: shown, found, searched and written by those alone who may know them of a row."""

from collections import defaultdict

import pytest
from django.db.models import Q

from core import masks
from core.customfields import filtered
from core.errors import InvalidError
from core.search import search
from tests.core.customfields.factories import CustomFieldFactory, choices, make_item
from tests.core.customfields.test_admin import page, request
from tests.core.customfields.test_api import ITEMS, client, refusals  # noqa: F401 - a fixture
from tests.testapp.models import Item

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("tests.core.customfields.test_api"),
    pytest.mark.checklist(5, 6),
]


@pytest.fixture
def blood():
    return CustomFieldFactory(
        name="blood", field_type="select", choices=choices("zero", "other"), is_searchable=True, protected=True
    )


@pytest.fixture
def items(blood):
    return [make_item(name, blood="zero") for name in ("ada", "bob")]


@pytest.fixture
def known(monkeypatch):
    """Return a function that opens the protected values of the rows that a rule returns; of none until it is called."""
    monkeypatch.setattr(masks, "_masks", defaultdict(list))

    def opened(rows):
        masks._masks.clear()
        masks.masks(Item, "seen_at", custom_fields=True)(lambda actor: rows)

    return opened


def shown(client):  # noqa: F811 - the fixture
    return {row["name"]: row["custom_fields"]["blood"] for row in client.get(ITEMS).json()["data"]}


@pytest.mark.usefixtures("items")
def test_each_row_shows_them_to_whoever_may_know_it_and_to_nobody_by_default(client, known):  # noqa: F811
    assert shown(client) == {"ada": None, "bob": None}
    for rows, expected in (
        (None, {"ada": None, "bob": None}),
        (Q(name="ada"), {"ada": "zero", "bob": None}),
        (Q(), {"ada": "zero", "bob": "zero"}),
    ):
        known(rows)
        assert shown(client) == expected


@pytest.mark.usefixtures("items")
def test_no_filter_and_no_search_tells_what_is_not_shown(client, known):  # noqa: F811
    def found(**query):
        answer = client.get(ITEMS, query)
        return [row["name"] for row in answer.json()["data"]] if answer.status_code == 200 else refusals(answer)

    unknown = {("custom.blood", "unknown_custom_field")}
    for rows, by_value, by_word in (
        (None, unknown, []),
        (Q(name="ada"), ["ada"], ["ada"]),
        (Q(), ["ada", "bob"], ["ada", "bob"]),
    ):
        known(rows)
        assert found(**{"custom.blood": "zero"}) == by_value
        assert found(search="zero") == by_word


@pytest.mark.usefixtures("items")
def test_without_a_caller_nobody_finds_anything_by_them(known):
    known(Q())

    with pytest.raises(InvalidError):
        filtered(Item.objects.all(), "blood", "zero")
    assert not search(Item.objects.all(), "zero")


def test_who_may_not_know_them_writes_none_and_learns_nothing_from_the_refusal(client, known, items, blood):  # noqa: F811
    known(Q(name="ada"))
    ada, bob = (f"{ITEMS}{item.pk}/" for item in items)
    blood.choices = choices("other")  # what is stored is accepted again, which must not tell that it is
    blood.save()

    answers = [client.patch(bob, {"custom_fields": {"blood": value}}) for value in ("zero", "other", "odd", None)]
    answers.append(client.post(ITEMS, {"name": "cy", "custom_fields": {"blood": "other"}}))
    changed = client.patch(ada, {"custom_fields": {"blood": "other"}})
    elsewhere = client.patch(bob, {"name": "bert", "custom_fields": {}})

    for answer in answers:
        assert (answer.status_code, refusals(answer)) == (403, {("custom_fields.blood", "field_out_of_scope")})
    assert (changed.status_code, elsewhere.status_code) == (200, 200)
    stored = {item.name: item.custom_data["blood"] for item in Item.objects.all()}
    assert stored == {"ada": "other", "bert": "zero"}


def test_what_is_unique_is_not_guessed_by_creating(client, known):  # noqa: F811
    CustomFieldFactory(name="card", unique_values=True, protected=True)
    make_item("ada", card="1")
    known(None)

    answers = [client.post(ITEMS, {"name": "cy", "custom_fields": {"card": card}}) for card in ("1", "2")]

    assert {answer.status_code for answer in answers} == {403}
    assert Item.objects.count() == 1


@pytest.mark.urls("tests.core.customfields.test_admin")
def test_administration_pages_have_them_for_whoever_may_know_the_row(known, items):
    ada, bob = items
    known(Q(name="ada"))

    assert "custom_fields.blood" in page(request(), ada)
    assert "custom_fields.blood" not in page(request(), bob)
    assert "custom_fields.blood" not in page(request())
    viewer = frozenset({"view"})
    assert "zero" in page(request(permissions=viewer), ada)
    assert "zero" not in page(request(permissions=viewer), bob)
    saved = page(request("post", {"name": "bob", "kind": "plain", "custom_fields.blood": "other"}), bob)
    assert saved.status_code == 302
    bob.refresh_from_db()
    assert bob.custom_data == {"blood": "zero"}


def test_only_kinds_of_records_that_say_who_may_know_have_protected_fields(registrar_client, known):
    body = {"entity_type": "testapp.item", "name": "card", "label": "Card", "field_type": "text", "protected": True}

    refused = registrar_client.post("/api/v1/custom-fields/", body)
    known(Q())
    made = registrar_client.post("/api/v1/custom-fields/", body)

    assert (refused.status_code, refusals(refused)) == (400, {("protected", "not_applicable")})
    assert (made.status_code, made.json()["data"]["protected"]) == (201, True)
