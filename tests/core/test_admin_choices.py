"""Choosing the row that a field of a form of the administration refers to."""

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.roles import Role

pytestmark = pytest.mark.django_db
ADMINS = sorted(admin.site._registry.values(), key=lambda pages: pages.opts.label_lower)
CHOICES = [(pages, name) for pages in ADMINS for name in pages.autocomplete_fields]


@pytest.mark.parametrize(("pages", "name"), CHOICES, ids=lambda part: getattr(part, "opts", part))
def test_what_can_be_chosen_is_offered_in_a_certain_order(client, user_with, pages, name):
    client.force_login(user_with(Role.SYSTEM_ADMIN, is_staff=True))
    asked = {"app_label": pages.opts.app_label, "model_name": pages.opts.model_name, "field_name": name}

    answer = client.get(reverse("admin:autocomplete"), asked)

    assert answer.status_code == 200
    assert "results" in answer.json()


@pytest.mark.parametrize("pages", ADMINS, ids=lambda pages: pages.opts.label_lower)
def test_no_form_names_what_an_address_refers_to_without_asking_who_may_see_it(pages):
    """Fields that take a bare id would say beside it which row it is, whoever asks."""
    assert pages.raw_id_fields == ()
