"""What must hold of every app before the server starts."""

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.db import models
from django.test.utils import isolate_apps
from django.urls import path
from rest_framework.response import Response

from core import checks
from core.api.routers import ApiRouter
from core.api.views import PlainView
from core.models import TimeStampedUUIDModel
from tests.testapp.api import ParentViewSet


class Undeclared(PlainView):
    """Forgets to say who may ask."""

    required_permissions = {"post": ""}

    def get(self, request):
        return Response(None)


router = ApiRouter(use_regex_path=False)
router.register("parents", ParentViewSet, "parent")
urlpatterns = [*router.urls, path("undeclared/", Undeclared.as_view())]


def test_the_product_passes_its_own_checks():
    assert [message for message in run_checks(tags=["core"]) if message.is_serious()] == []


@pytest.mark.urls(__name__)
def test_an_action_without_a_permission_is_found():
    found = checks.resources_are_guarded(None)

    assert [(error.id, error.obj) for error in found] == [("core.E005", Undeclared)]


@pytest.mark.urls(__name__)
def test_a_resource_that_nobody_may_see_is_found(monkeypatch):
    monkeypatch.setattr(checks, "grants_for", lambda model: ())

    assert "core.E004" in {error.id for error in checks.resources_are_guarded(None)}


@isolate_apps("tests.testapp")
def test_a_model_that_breaks_the_rules_is_found(monkeypatch):
    class Careless(TimeStampedUUIDModel):
        number = models.IntegerField()

        class Meta:
            app_label = "testapp"
            constraints = [models.CheckConstraint(condition=models.Q(number__gt=0), name="positive")]

    class Config:
        def get_models(self):
            return [Careless]

    monkeypatch.setattr(checks.apps, "get_app_config", lambda label: Config())
    monkeypatch.setattr(checks.settings, "FIRST_PARTY_APPS", ["testapp"])

    assert {error.id for error in checks.models_follow_the_rules(None)} == {"core.E001", "core.E002", "core.E003"}


@pytest.mark.parametrize(("is_pooled", "found"), [(True, ["core.E007"]), (False, [])])
def test_a_cursor_that_would_outlive_its_transaction_behind_a_pooler_is_found(monkeypatch, is_pooled, found):
    monkeypatch.setattr(settings, "DATABASE_IS_POOLED", is_pooled)
    monkeypatch.setitem(settings.DATABASES["default"], "DISABLE_SERVER_SIDE_CURSORS", False)

    errors = checks.nothing_outlives_its_transaction_behind_a_pooler(None)

    assert [error.id for error in errors if "default" in error.msg] == found
