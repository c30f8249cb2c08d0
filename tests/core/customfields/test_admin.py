"""The administration: custom fields on a record's pages, and the pages of definitions."""

import re
from html import unescape

import pytest
from django.contrib.admin import AdminSite
from django.contrib.messages.storage.fallback import FallbackStorage
from django.db.models import Q
from django.test import RequestFactory
from django.urls import path

from core import crud, visibility
from core.admin import ServiceAdmin
from core.crud import Crud
from core.customfields.admin import CustomFieldAdmin
from core.customfields.forms import form_field
from core.ids import new_id
from core.models import CustomField, CustomFieldType
from tests.core.customfields.factories import CustomFieldFactory, choices, definition, make_item
from tests.testapp.models import Item

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class ItemAdmin(ServiceAdmin):
    crud = Crud(
        create=lambda *, by, **values: crud.create(Item, values),
        update=lambda item, *, by, **changes: crud.update(item, changes),
    )
    fields = ("name", "kind")


site = AdminSite()
site.register(Item, ItemAdmin)
site.register(CustomField, CustomFieldAdmin)
urlpatterns = [path("admin/", site.urls)]


class Clerk:
    """A user with the permissions that a test gives."""

    pk = new_id()
    username = "clerk"
    permissions = frozenset({"view", "add", "change", "delete"})
    is_active = is_staff = is_authenticated = True

    def has_perm(self, perm, obj=None):
        return perm.partition(".")[2].partition("_")[0] in self.permissions

    def has_module_perms(self, app_label):
        return True

    def get_username(self):
        return self.username

    def has_usable_password(self):
        return False


def request(method="get", data=None, permissions=Clerk.permissions):
    made = getattr(RequestFactory(), method)("/", data or {})
    made.user = Clerk()
    made.user.permissions = permissions
    made._dont_enforce_csrf_checks = True
    made.session = {}
    made._messages = FallbackStorage(made)
    return made


def page(asked, row=None, model=Item):
    """Return the HTML of the page of `row`, or of the one where a row is added; or the redirection."""
    pages = site.get_model_admin(model)
    pages.log_addition = pages.log_change = lambda *args: None  # its table needs a stored user
    answer = pages.changeform_view(asked, str(row.pk) if row else None)
    return answer if answer.status_code == 302 else unescape(answer.render().content.decode())


@pytest.mark.parametrize(
    ("field_type", "markup"),
    [
        ("text", r'<input type="text" name="custom_fields\.it"'),
        ("number", r'<input type="number" name="custom_fields\.it"[^>]*step="any"'),
        ("date", r'<input type="text" name="custom_fields\.it"[^>]*class="vDateField"'),
        ("email", r'<input type="email" name="custom_fields\.it"'),
        ("phone", r'<input type="tel" name="custom_fields\.it"'),
        ("select", r'<select name="custom_fields\.it"'),
        ("multiselect", r'<input type="checkbox" name="custom_fields\.it" value="b"'),
        ("boolean", r'<option value="true">Yes</option>'),
        ("textarea", r'<textarea name="custom_fields\.it"'),
        ("url", r'<input type="url" name="custom_fields\.it"'),
    ],
)
def test_each_type_has_its_widget_in_a_group_of_its_own(field_type, markup):
    CustomFieldFactory(name="it", field_type=field_type, choices=choices("a", "b"))

    html = page(request())

    assert "Custom fields" in html
    assert re.search(markup, html)


def test_without_definitions_there_is_no_group():
    assert "Custom fields" not in page(request())


def test_every_type_has_a_form_field():
    for field_type in CustomFieldType.values:
        assert form_field(definition(field_type)).label


def test_a_page_reads_the_definitions_once(django_assert_num_queries):
    for number in range(3):
        CustomFieldFactory(name=f"field_{number}")
    page(request())  # what a process looks up once, it has

    with django_assert_num_queries(3):  # and a savepoint around it
        page(request())


def test_a_record_shows_what_it_holds_and_defaults_are_for_those_to_come():
    CustomFieldFactory(name="shift", default_value="morning")
    CustomFieldFactory(name="gone", is_active=False, archived_at="2026-01-01T00:00:00Z")
    item = make_item(shift=None)

    assert 'value="morning"' in page(request())
    assert 'value="morning"' not in page(request(), item)
    assert "custom_fields.gone" not in page(request())


def test_creating_writes_the_typed_values_through_the_service():
    CustomFieldFactory(name="score", field_type=CustomFieldType.NUMBER)
    CustomFieldFactory(name="languages", field_type=CustomFieldType.MULTISELECT, choices=choices("en", "hi"))
    CustomFieldFactory(name="hostel", field_type=CustomFieldType.BOOLEAN)
    CustomFieldFactory(name="born", field_type=CustomFieldType.DATE)
    typed = {
        "name": "ada",
        "kind": "plain",
        "custom_fields.score": "3.50",
        "custom_fields.languages": ["hi", "en"],
        "custom_fields.hostel": "false",
        "custom_fields.born": "2004-02-29",
    }

    answer = page(request("post", typed))

    assert answer.status_code == 302
    stored = Item.objects.get().custom_data
    assert {**stored, "score": str(stored["score"])} == {
        "score": "3.5",
        "languages": ["en", "hi"],
        "hostel": False,
        "born": "2004-02-29",
    }


def test_what_the_service_refuses_stands_beside_its_field_and_nothing_is_written():
    CustomFieldFactory(name="code", validation_regex="[A-Z]+")

    html = page(request("post", {"name": "ada", "kind": "plain", "custom_fields.code": "abc"}))

    assert "The value does not have the required form." in html
    assert 'name="custom_fields.code" value="abc"' in html
    assert not Item.objects.exists()


def test_a_change_touches_only_what_was_changed():
    CustomFieldFactory(name="note", field_type=CustomFieldType.TEXTAREA)
    CustomFieldFactory(name="blood", field_type=CustomFieldType.SELECT, choices=choices("a", "b"))
    CustomFieldFactory(name="other")
    item = make_item("ada", note=" one\ntwo ", blood="a", other="x")
    CustomField.objects.filter(name="blood").update(choices=choices("b"))
    typed = {"custom_fields.note": " one\r\ntwo ", "custom_fields.blood": "a", "custom_fields.other": "y"}

    answer = page(request("post", {"name": "eve", "kind": "plain", **typed}), item)

    assert answer.status_code == 302
    item.refresh_from_db()
    assert item.name == "eve"
    assert item.custom_data == {"note": " one\ntwo ", "blood": "a", "other": "y"}


def test_whoever_may_only_look_sees_the_values_as_text():
    CustomFieldFactory(name="hostel", label="Hostel <resident>", field_type=CustomFieldType.BOOLEAN)
    CustomFieldFactory(name="speaks", label="Speaks", field_type="multiselect", choices=choices("en", "hi"))
    CustomFieldFactory(name="note", label="Note")
    item = make_item(hostel=True, speaks=["en", "hi"])

    html = page(request(permissions={"view"}), item)

    assert "Hostel <resident>: Yes" in html
    assert "Speaks: en, hi" in html
    assert "Note: -" in html
    assert "custom_fields.hostel" not in html


def test_a_definition_is_made_and_refused_like_over_the_api(monkeypatch):
    # Who manages definitions is said by a layer that the clerk is no part of.
    monkeypatch.setitem(visibility._grants, (CustomField, "manage"), [lambda actor: Q()])
    typed = {"entity_type": "testapp.item", "name": "blood", "label": "Blood", "field_type": "select", "order": "0"}
    typed |= {"is_active": "on", "default_value": "null"}

    refused = page(request("post", {**typed, "choices": "[]"}), model=CustomField)
    made = page(request("post", {**typed, "choices": '["A", "B"]'}), model=CustomField)

    assert "A selection needs choices." in refused
    assert made.status_code == 302
    assert [choice["value"] for choice in CustomField.objects.get().choices] == ["A", "B"]
