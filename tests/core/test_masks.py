"""Field masks: what some may not know is told by no list, no expansion, no order, and written by none of them."""

from collections import defaultdict

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIRequestFactory, force_authenticate

from core import checks, masks
from core.api.serializers import BaseListSerializer, with_included
from tests.testapp.api import ParentReader, ParentViewSet
from tests.testapp.callers import Caller, ask
from tests.testapp.models import Item, Parent

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(5, 6)]


class ItemWithParent(BaseListSerializer[Item]):
    """Shows the name of another row among its own, which no mask of that row would reach."""

    expandable = {"parent": ParentReader}

    class Meta:
        model = Item
        fields = ["id", "parent", "name"]


@pytest.fixture
def masked(monkeypatch):
    """Keep the names of parents from everybody, but for those whose code begins with a."""
    monkeypatch.setattr(masks, "_masks", defaultdict(list))
    masks.masks(Parent, "name")(lambda actor: Q(code__startswith="a"))


@pytest.fixture
def parents():
    return [Parent.objects.create(code=code, name=f"Name of {code}") for code in ("a1", "a2", "b1")]


def write(method, action, body, **names):
    request = getattr(APIRequestFactory(), method)("/api/v1/parents/", body, format="json")
    force_authenticate(request, Caller())
    return ParentViewSet.as_view({method: action})(request, **names)


def test_a_list_shows_each_row_what_its_reader_may_know_at_no_further_cost(parents, monkeypatch):
    with CaptureQueriesContext(connection) as before:
        ask(by=Caller(), viewset=ParentViewSet)
    monkeypatch.setattr(masks, "_masks", defaultdict(list))
    masks.masks(Parent, "name")(lambda actor: Q(code__startswith="a"))

    with CaptureQueriesContext(connection) as after:
        answer = ask(by=Caller(), viewset=ParentViewSet)

    assert answer.names == ["Name of a1", "Name of a2", None]
    assert len(after) == len(before)


@pytest.mark.parametrize(("rows", "known"), [(None, 0), (Q(), 3)])
def test_a_rule_may_open_nothing_or_everything(parents, monkeypatch, rows, known):
    monkeypatch.setattr(masks, "_masks", defaultdict(list))
    masks.masks(Parent, "name")(lambda actor: rows)

    names = ask({"fields": "name"}, by=Caller(), viewset=ParentViewSet).names

    assert len([name for name in names if name is not None]) == known


def test_an_included_row_is_masked_as_in_its_own_list(masked, parents):
    for parent in parents:
        Item.objects.create(parent=parent, name=parent.code)

    rows = with_included(Item.objects.order_by("name"), ItemWithParent, ["parent"], Caller())

    shown = ItemWithParent(rows, many=True, include=["parent"]).data
    assert [row["parent"]["name"] for row in shown] == ["Name of a1", "Name of a2", None]


def test_a_row_of_which_nobody_asked_whether_it_may_be_known_is_masked(masked, parents):
    assert ParentReader(parents[0]).data["name"] is None


def test_nobody_writes_what_they_may_not_know(masked, parents):
    changed = write("patch", "partial_update", {"name": "Known"}, pk=parents[0].pk)
    refused = write("patch", "partial_update", {"name": "Guessed"}, pk=parents[2].pk)
    elsewhere = write("patch", "partial_update", {"code": "b2"}, pk=parents[2].pk)
    created = write("post", "create", {"code": "c", "name": "Guessed"})

    assert (changed.status_code, elsewhere.status_code) == (200, 200)
    for answer in (refused, created):
        assert answer.status_code == 403
        assert [(error["field"], error["code"]) for error in answer.data["errors"]] == [("name", "field_out_of_scope")]
    assert not Parent.objects.filter(name="Guessed").exists()


@pytest.mark.urls("tests.testapp.urls")
def test_a_server_does_not_start_whose_lists_can_be_chosen_or_arranged_by_what_is_masked(masked):
    found = {(error.id, error.obj, error.msg) for error in checks.nothing_leads_to_what_is_masked(None)}

    assert ("core.E006", ParentViewSet, "name leads to a masked column.") in found


def test_a_path_leads_to_a_mask_through_other_rows(masked):
    assert masks.mask_on(Item, "parent__name") is masks.mask_on(Parent, "name__startswith") is not None
    assert masks.mask_on(Item, "name") is masks.mask_on(Item, "parent__code") is masks.mask_on(Parent, "names") is None
