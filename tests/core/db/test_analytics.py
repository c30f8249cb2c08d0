"""Reads for analytics: from a replica of their own, as old as they say, and from the primary where there is none."""

import pytest
from django.db import connections, transaction
from django.utils import timezone
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from core.api.analytics import AnalyticsReadMixin
from core.api.remembered import RememberedReadMixin
from core.api.views import PlainView
from core.db.analytics import reading_for_analytics
from core.db.positions import replica_aliases
from tests.core.db.test_replicas import port
from tests.local.conftest import eventually
from tests.testapp.models import Parent

pytestmark = pytest.mark.usefixtures("routed")


class NamesView(AnalyticsReadMixin, PlainView):
    """The names of all parents, and which server knows them."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get(self, request):
        return Response({"names": list(Parent.objects.values_list("name", flat=True)), "port": port()})


def ask(**headers):
    response = NamesView.as_view()(APIRequestFactory().get("/api/v1/names/", **headers))
    return response.render() if hasattr(response, "render") else response


def test_an_answer_comes_from_the_replica_and_says_how_old_it_is(cluster):
    before = timezone.now()
    Parent.objects.update(name="1")

    assert eventually(lambda: ask().data["names"] == ["1"])
    answer = ask()

    assert answer.data["port"] == cluster.paused.port
    assert before < answer.meta["as_of"] < timezone.now()
    assert b'"as_of":"' in answer.content


def test_what_the_replica_lacks_is_younger_than_it_says(cluster, paused):
    Parent.objects.update(name="written meanwhile")
    committed = timezone.now()

    answer = ask()

    assert answer.data == {"names": ["0"], "port": cluster.paused.port}
    assert answer.meta["as_of"] < committed


def test_who_has_the_data_is_not_sent_it_again_because_time_went_by():
    first = ask()

    assert ask(HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 304


def test_without_that_replica_the_primary_answers_as_of_now(cluster, monkeypatch):
    monkeypatch.delitem(connections.settings, "analytics")
    before = timezone.now()

    answer = ask()

    assert answer.data["port"] == cluster.primary.port
    assert answer.meta["as_of"] >= before


def test_a_replica_that_is_killed_is_replaced_by_the_primary(cluster, killed):
    with reading_for_analytics() as reads:
        assert port() == cluster.paused.port
        killed()

        assert port() == cluster.primary.port
        assert reads.as_of < timezone.now()
    before = timezone.now()

    answer = ask()

    assert answer.data["port"] == cluster.primary.port
    assert answer.meta["as_of"] >= before


def test_what_is_written_in_between_is_read_on_the_primary(cluster):
    with reading_for_analytics(), transaction.atomic():
        Parent.objects.update(name="2")

        assert port() == cluster.primary.port
        assert Parent.objects.get().name == "2"


def test_a_request_is_never_read_from_it_without_saying_so():
    assert "analytics" in connections.settings
    assert "analytics" not in replica_aliases()


def test_an_answer_that_comes_late_is_not_remembered_as_the_present():
    with pytest.raises(TypeError, match="read where changes come late"):
        type("Both", (AnalyticsReadMixin, RememberedReadMixin), {"made_of": ["testapp.parent"]})
