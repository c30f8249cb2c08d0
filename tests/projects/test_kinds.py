"""Another kind of projects is a model, a registration and two operations, as the page about it says."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as configured
from django.db import connection
from django.db.models import Model
from django.urls import path

from campushub360 import urls
from core.api import selection, serializers
from core.api.compiled import plans
from core.db import constraints
from projects.api import views
from projects.kinds import Kind, unregister
from projects.models import Project
from projects.operations import KeepDetails, SearchDetails
from tests.projects.factories import BareProjectFactory
from tests.projects.test_api import SCHOOL, URL, errors
from tests.projects.test_constraints import code_of

PAGE = Path(configured.BASE_DIR) / "docs" / "how-to" / "add-a-project-kind.md"
OPERATIONS = [
    KeepDetails("projects_fieldtripproject"),
    SearchDetails("projects_fieldtripproject", ["destination"]),
]
TRIP = {"project_type": "field_trip", "name": "To the river", "field_trip_data": {"destination": "Donau", "seats": 12}}
TRIPS = f"{URL}field_trips/"


def code_on_page(beginning: str) -> str:
    """Return the block of the page that has this in it."""
    blocks = re.findall(r"(?:^(?: {4}.*)?\n)+", PAGE.read_text(), flags=re.MULTILINE)
    return textwrap.dedent(next(block for block in blocks if beginning in block))


def forget_what_kinds_there_were() -> None:
    """Let readers and plans be made anew: kinds come with a release, and not while it runs."""
    serializers.names_shown_by.cache_clear()
    constraints._declared.cache_clear()
    selection._fields_of.cache_clear()
    plans._plans.clear()
    plans._extended.clear()


@pytest.fixture
def field_trip(db: None, settings: Any) -> Iterator[Kind]:
    """Add the kind of the page to the database, to the models and to the URLs, and take it away again."""
    module: dict[str, Any] = {"__name__": "projects.models.field_trip"}
    exec(compile(code_on_page("class FieldTripProject"), str(PAGE), "exec"), module)  # noqa: S102 # nosec B102 - our own page
    kind, model = module["FIELD_TRIP"], module["FieldTripProject"]
    try:
        make_table(model)
        routed = ModuleType("urls_with_field_trips")
        routed.urlpatterns = [  # type: ignore[attr-defined]  # what a module of URLs has
            path("api/v1/projects/field_trips/", views.list_of(kind).as_view({"get": "list"})),
            *urls.urlpatterns,
        ]
        settings.ROOT_URLCONF = routed
        forget_what_kinds_there_were()
        yield kind
    finally:
        unregister(kind)
        del apps.all_models["projects"]["fieldtripproject"]
        del Project.field_trip_data  # type: ignore[attr-defined]  # put there by the model
        apps.clear_cache()
        forget_what_kinds_there_were()


def make_table(model: type[Model]) -> None:
    # Within the transaction of the test, which takes the table back.
    with connection.schema_editor(atomic=False) as editor:
        editor.create_model(model)
    with connection.cursor() as cursor:
        for operation in OPERATIONS:
            cursor.execute(operation.sql)


def test_its_projects_are_begun_read_changed_and_deleted(field_trip, client):
    begun = client.post(URL, TRIP, format="json")
    shown = begun.json()["data"]
    url = f"{URL}{shown['id']}/"

    assert begun.status_code == 201, begun.content
    assert {name: shown[name] for name in TRIP} == TRIP
    assert shown["school_data"] is None
    changed = client.patch(url, {"field_trip_data": {"seats": None}}, format="json").json()["data"]
    assert changed["field_trip_data"] == {"destination": "Donau", "seats": None}
    connection.check_constraints()
    assert client.delete(url).status_code == 204
    connection.check_constraints()
    assert not field_trip.model._default_manager.exists()


def test_it_has_a_list_with_its_own_filters_and_is_among_all(field_trip, client):
    trip = client.post(URL, TRIP, format="json").json()["data"]
    school = client.post(URL, SCHOOL, format="json").json()["data"]

    assert [row["id"] for row in client.get(TRIPS).json()["data"]] == [trip["id"]]
    assert client.get(f"{TRIPS}?destination=Inn").json()["data"] == []
    listed = {row["id"]: row for row in client.get(URL).json()["data"]}
    assert listed[trip["id"]]["field_trip_data"] == TRIP["field_trip_data"]
    assert listed[school["id"]]["field_trip_data"] is None
    assert client.get(f"{URL}search/?q=donau").json()["data"] == [listed[trip["id"]]]


def test_what_is_missing_is_asked_for_in_its_name(field_trip, client):
    answer = client.post(URL, {"project_type": "field_trip", "name": "To the river"}, format="json")

    assert errors(answer) == {
        "field_trip_data.destination": ("required", "Destination is required for field trips."),
    }
    assert not Project.objects.exists()


def test_neither_is_there_without_the_other(field_trip, client):
    trip = client.post(URL, TRIP, format="json").json()["data"]

    assert code_of(lambda: BareProjectFactory(project_type="field_trip")) == "subtype_mismatch"
    assert code_of(lambda: field_trip.model._default_manager.filter(pk=trip["id"]).delete()) == "subtype_mismatch"


def test_the_page_names_the_operations_that_are_needed():
    code = code_on_page("KeepDetails(")

    assert (
        'KeepDetails("projects_fieldtripproject"),\nSearchDetails("projects_fieldtripproject", ["destination"]),'
        in code
    )


def test_a_kind_that_is_gone_leaves_nothing_behind(client):
    assert client.post(URL, TRIP, format="json").status_code == 400
    assert "field_trip_data" not in client.post(URL, SCHOOL, format="json").json()["data"]
