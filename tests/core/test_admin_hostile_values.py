"""What no column can hold, wherever a page of the administration takes a value: refused, never a failure."""

import pytest
from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse

from accounts.roles import Role
from tests.departments.factories import DepartmentFactory

pytestmark = [pytest.mark.django_db, pytest.mark.sweep, pytest.mark.usefixtures("no_sidebar")]
ADMINS = sorted(admin.site._registry.values(), key=lambda pages: pages.opts.label_lower)
every_model = pytest.mark.parametrize("pages", ADMINS, ids=lambda pages: pages.opts.label_lower)
# As they stand in an address: NUL, half of a surrogate pair, a number beyond every type, and no id.
VALUES = ("%00", "%ED%A0%80", "9" * 40, "x")
# Read by the same code whatever is listed, so that of these each list is given one of the values, each another.
COMMON_PARAMETERS = ("p", "o", "all", "e", "_facets", "_popup", "_to_field", "_changelist_filters")
STATEMENTS = frozenset({200, 302, 400, 403, 404})


def url(pages, page, *args):
    return reverse(f"admin:{pages.opts.app_label}_{pages.opts.model_name}_{page}", args=args)


def spread(number):
    """Return each common parameter with one of the values: another for each, and for the list of another number."""
    return [(name, VALUES[(number + place) % len(VALUES)]) for place, name in enumerate(COMMON_PARAMETERS)]


@pytest.fixture
def browser(client, user_with):
    client.force_login(user_with(Role.SYSTEM_ADMIN, is_staff=True))
    client.raise_request_exception = False
    return client


def failures(answers):
    return {address: answer.status_code for address, answer in answers.items() if answer.status_code not in STATEMENTS}


@every_model
def test_no_parameter_of_a_list_makes_it_fail(pages, browser):
    relations = [name for name in pages.list_filter if get_fields_from_path(pages.model, name)[-1].is_relation]
    filters = [f"{name}__exact" for name in pages.list_filter] + [f"{name}__id__exact" for name in relations]
    names = ("q", *filters, *(f"{name}__isnull" for name in pages.list_filter), *pages.linked_lookups)
    asked = [(name, value) for name in names for value in VALUES] + spread(ADMINS.index(pages))
    addresses = [f"{url(pages, 'changelist')}?{name}={value}" for name, value in asked]

    assert failures({address: browser.get(address) for address in addresses}) == {}


@every_model
def test_no_id_makes_a_page_of_a_row_fail(pages, browser):
    ids = ("x", "9" * 40, "_00", "_ED_A0_80", "00000000-0000-0000-0000-000000000000", "x/y")
    addresses = [f"{url(pages, 'changelist')}{pk}/{page}/" for pk in ids for page in ("change", "delete", "history")]

    assert failures({address: browser.get(address) for address in addresses}) == {}
    assert failures({address: browser.post(address, {"post": "yes"}) for address in addresses}) == {}


@every_model
def test_nothing_suggested_for_a_field_makes_its_form_fail(pages, browser):
    shown = browser.get(url(pages, "add"))
    names = list(shown.context["adminform"].form.fields) if shown.status_code == 200 else []
    addresses = [f"{url(pages, 'add')}?{name}={value}" for name in names for value in ("%00", "x")]

    assert failures({address: browser.get(address) for address in addresses}) == {}


@every_model
def test_nothing_sent_to_a_form_makes_it_fail(pages, browser):
    shown = browser.get(url(pages, "add"))
    names = list(shown.context["adminform"].form.fields) if shown.status_code == 200 else []
    sent = ("\x00", "9" * 40, "1e999", '{"a": "\\u0000"}', '{"a": "\\ud800"}', '"\\ud800"', "[" * 3000)

    answers = {value: browser.post(url(pages, "add"), dict.fromkeys(names, value)) for value in sent}

    assert failures(answers) == {}


@every_model
def test_no_choice_of_rows_makes_an_action_fail(pages, browser):
    shown = browser.get(url(pages, "changelist"))
    actions = list(pages.get_actions(shown.wsgi_request))
    chosen = ("\x00", "9" * 40, "-1", "x", "\ufffd")

    answers = {
        (action, value): browser.post(
            url(pages, "changelist"), {"action": action, "_selected_action": value, "index": index, "post": "yes"}
        )
        for action in [*actions[:1], "x\x00"]
        for value in chosen
        for index in ("0", "9" * 40)
    }

    assert failures(answers) == {}


@every_model
def test_no_word_looked_for_makes_the_offer_of_a_field_fail(pages, browser):
    asked = f"app_label={pages.opts.app_label}&model_name={pages.opts.model_name}"
    address = f"{reverse('admin:autocomplete')}?{asked}"
    names = (*pages.autocomplete_fields, "x", "%00")
    parts = [f"&{name}={value}" for name in ("term", "page") for value in VALUES]
    fields = [f"&field_name={name}{part}" for name in names for part in parts]

    assert failures({field: browser.get(f"{address}{field}") for field in fields}) == {}


def test_no_id_makes_the_way_to_the_site_of_a_row_fail(browser):
    department = DepartmentFactory()
    kinds = (str(ContentType.objects.get_for_model(department).pk), "x", "9" * 40, "-1")
    addresses = [f"/admin/r/{kind}/{pk}/" for kind in kinds for pk in (department.pk, "x", "9" * 40, "_00", "%00")]

    assert failures({address: browser.get(address) for address in addresses}) == {}
    assert browser.get(f"/admin/r/{kinds[0]}/x/").status_code == 400


def test_what_was_typed_as_json_and_cannot_be_stored_stays_in_the_form(browser):
    for typed in ('{"a": "\\u0000"}', '{"a": "\\ud800"}', "[" * 3000, "1, 2", "NaN"):
        shown = browser.post(reverse("admin:courses_requisite_add"), {"kind": "pre", "expr": typed})

        assert shown.context["adminform"].form.errors["expr"] == ["Enter a valid JSON."], typed
        assert shown.context["adminform"].form["expr"].value() == typed
