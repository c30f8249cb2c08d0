"""The administration pages of departments, places and the calendar."""

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from accounts.roles import Role, ScopeKind
from departments.models import Appointment, Department, Term, TermStateEvent
from tests.accounts.factories import PersonFactory
from tests.departments.factories import (
    AcademicYearFactory,
    BuildingFactory,
    CalendarEventFactory,
    CampusFactory,
    DepartmentFactory,
    ProgramFactory,
    RoomFactory,
    TermFactory,
)

pytestmark = pytest.mark.django_db
PAGES = {
    "department": DepartmentFactory,
    "program": ProgramFactory,
    "campus": CampusFactory,
    "building": BuildingFactory,
    "room": RoomFactory,
    "academicyear": AcademicYearFactory,
    "term": TermFactory,
    "calendarevent": CalendarEventFactory,
}


def url(model, page, *args):
    return reverse(f"admin:departments_{model}_{page}", args=args)


@pytest.fixture
def registrar_pages(client, registrar):
    client.force_login(registrar)
    return client


@pytest.mark.parametrize("model", PAGES)
def test_every_page_opens(registrar_pages, model):
    row = PAGES[model]()

    for page in (
        url(model, "changelist"),
        url(model, "add"),
        url(model, "change", row.pk),
        url(model, "delete", row.pk),
    ):
        assert registrar_pages.get(page).status_code == 200, page


def test_a_form_saves_through_the_service(registrar_pages):
    row = DepartmentFactory(code="OLD", name="Old")

    registrar_pages.post(
        url("department", "change", row.pk), {"code": "NEW", "name": "Old", "kind": "department", "is_active": "on"}
    )

    saved = Department.objects.get()
    assert (saved.code, saved.version) == ("NEW", 2)


def test_a_refusal_is_shown_in_the_form_and_changes_nothing(registrar_pages):
    top = DepartmentFactory()
    below = DepartmentFactory(parent=top)

    page = registrar_pages.post(
        url("department", "change", top.pk),
        {"code": top.code, "name": top.name, "kind": top.kind, "is_active": "on", "parent": below.pk},
    )

    assert page.status_code == 200
    assert "A department cannot lie below itself." in page.content.decode()
    assert Department.objects.get(pk=top.pk).parent is None


def test_a_row_in_use_is_not_deleted(registrar_pages):
    top = DepartmentFactory(parent=None)
    DepartmentFactory(parent=top)

    registrar_pages.post(url("department", "delete", top.pk), {"post": "yes"})

    assert Department.objects.filter(pk=top.pk).exists()


def test_a_head_changes_only_their_own_departments(client, user_with):
    mine, other = DepartmentFactory(), DepartmentFactory()
    client.force_login(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, mine.pk, is_staff=True))

    assert "_save" in client.get(url("department", "change", mine.pk)).content.decode()
    assert "_save" not in client.get(url("department", "change", other.pk)).content.decode()


def test_an_appointment_is_given_by_its_days(registrar_pages):
    department, person = DepartmentFactory(), PersonFactory()

    page = registrar_pages.post(
        url("appointment", "add"),
        {"department": department.pk, "person": person.pk, "role": "head", "starts_on": "2026-01-01", "ends_on": ""},
    )

    assert page.status_code == 302, page.context["errors"]
    assert Appointment.objects.get().valid.lower.isoformat() == "2026-01-01"


def test_an_action_moves_a_term_or_says_why_not(registrar_pages):
    term, done = TermFactory(state="planned"), TermFactory(state="archived")

    page = registrar_pages.post(
        url("term", "changelist"),
        {"action": "move_to_registration", "_selected_action": [term.pk, done.pk]},
        follow=True,
    )

    assert Term.objects.get(pk=term.pk).state == "registration"
    assert TermStateEvent.objects.get().actor is not None
    assert "A term that is archived cannot become registration." in page.content.decode()


def test_a_form_for_a_new_row_shows_nothing_that_only_an_old_one_has(registrar_pages):
    page = registrar_pages.get(url("department", "add")).content.decode()

    assert "Created at" not in page
    assert "DatabaseDefault" not in page


def test_deleting_several_says_how_many_went_and_which_stayed(registrar_pages):
    used, unused = DepartmentFactory(code="SCI"), DepartmentFactory(code="ART")
    DepartmentFactory(parent=used)
    body = {"action": "delete_selected", "_selected_action": [used.pk, unused.pk]}

    asked = registrar_pages.post(url("department", "changelist"), body)
    answer = registrar_pages.post(url("department", "changelist"), {**body, "post": "yes"}, follow=True)
    again = registrar_pages.post(
        url("department", "changelist"), {**body, "_selected_action": used.pk, "post": "yes"}, follow=True
    )

    assert "Are you sure" in asked.content.decode()
    assert [str(said) for said in answer.context["messages"]] == [
        f"{used}: Other records still refer to this one.",
        "Deleted 1 department.",
    ]
    assert [str(said) for said in again.context["messages"]][1:] == ["Deleted 0 departments."]
    assert set(Department.objects.filter(pk__in=[used.pk, unused.pk])) == {used}
    assert list(LogEntry.objects.values_list("object_id", flat=True)) == [str(unused.pk)]
