"""The administration pages of imports."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.roles import Role
from departments.models import Department
from departments.services import update_department
from interop.models import ImportJob, ImportRow

pytestmark = pytest.mark.django_db
CSV = b"code,name,is_active\nPHY,<b>Physics</b>,yes\nCHE,Chemistry,perhaps\n"


def url(page, *args, model="importjob"):
    return reverse(f"admin:interop_{model}_{page}", args=args)


@pytest.fixture
def pages(client, registrar):
    client.force_login(registrar)
    return client


def upload(pages, content=CSV, **fields):
    file = SimpleUploadedFile("departments.csv", content)
    form = {"kind": "departments", "mapping": "{}", "options": "{}", "file": file, **fields}
    return pages.post(url("add"), form, follow=True)


def act(pages, action):
    chosen = [str(pk) for pk in ImportJob.objects.values_list("pk", flat=True)]
    return pages.post(url("changelist"), {"action": action, "_selected_action": chosen}, follow=True)


def test_every_page_opens(pages, work):
    upload(pages)
    work()
    job, row = ImportJob.objects.get(), ImportRow.objects.first()

    for page in (
        url("changelist"),
        url("add"),
        url("change", job.pk),
        url("delete", job.pk),
        url("report", job.pk),
        f"{url('changelist', model='importrow')}?job__id__exact={job.pk}&action=rejected",
        url("change", row.pk, model="importrow"),
    ):
        assert pages.get(page).status_code == 200, page


def test_an_upload_is_applied_and_taken_back_by_actions(pages, work):
    upload(pages)
    work()
    assert not Department.objects.exists()

    act(pages, "apply")
    work()
    assert list(Department.objects.values_list("code", flat=True)) == ["PHY"]
    shown = pages.get(url("change", ImportJob.objects.get().pk)).content.decode()
    assert "<progress" in shown
    assert "Partially applied" in shown

    act(pages, "take_back")
    work()
    assert not Department.objects.exists()


def test_a_refused_file_is_said_in_the_form(pages):
    page = upload(pages, b"name\nPhysics\n")

    assert "The column code is missing." in page.content.decode()
    assert not ImportJob.objects.exists()


@pytest.mark.parametrize(("field", "value"), [("mapping", "[1]"), ("options", '"fast"'), ("mapping", "{")])
def test_what_is_no_object_is_said_in_the_form(pages, field, value):
    page = upload(pages, **{field: value})

    assert page.context["adminform"].errors[field]
    assert not ImportJob.objects.exists()


def press(pages, step):
    return pages.post(url("step", ImportJob.objects.get().pk, step), follow=True)


def offered(page):
    return [step["url"].rsplit("/", 3)[1] for step in page.context["steps"]]


def test_the_page_of_an_import_leads_from_step_to_step_and_looks_again_meanwhile(pages, work):
    page = upload(pages)
    page = pages.get(url("change", ImportJob.objects.get().pk))
    assert (offered(page), page.context["is_waiting"]) == (["resume"], True)
    assert 'http-equiv="refresh"' in page.content.decode()

    for step, then in (("apply", ["take_back"]), ("take_back", ["validate_again"])):
        work()
        asked = press(pages, step)
        assert asked.context["is_waiting"]
        work()
        done = pages.get(asked.request["PATH_INFO"], {"seen": asked.request["QUERY_STRING"].partition("=")[2]})
        assert (offered(done), done.context["is_waiting"]) == (then, False)
        assert 'http-equiv="refresh"' not in done.content.decode()
    assert not Department.objects.exists()


def test_what_was_changed_since_is_taken_back_by_a_button_of_its_own(pages, work):
    upload(pages)
    work()
    press(pages, "apply")
    work()
    update_department(Department.objects.get(), by=None, name="Natural philosophy")
    press(pages, "take_back")
    work()
    page = pages.get(url("change", ImportJob.objects.get().pk))
    assert offered(page) == ["force_back"]
    assert "[changed_since_import]" in page.content.decode()

    press(pages, "force_back")
    work()

    assert not Department.objects.exists()


def test_a_button_whose_step_is_refused_says_why_and_waits_for_nothing(pages, work):
    upload(pages)
    work()

    page = press(pages, "take_back")

    assert "An import that is validated cannot be taken back." in page.content.decode()
    assert not page.context["is_waiting"]


def test_a_step_is_taken_by_posting_it_and_there_are_no_others(pages, work):
    upload(pages)
    work()
    job = ImportJob.objects.get()

    assert pages.get(url("step", job.pk, "apply")).status_code == 405
    assert pages.post(url("step", job.pk, "delete_selected")).status_code == 404
    assert pages.post(url("step", job.pk, "fly")).status_code == 404
    assert ImportJob.objects.get().state == "validated"


def test_an_action_that_is_refused_says_why(pages):
    upload(pages)

    page = act(pages, "apply")

    assert "An import that is uploaded cannot be applied." in page.content.decode()


def test_whoever_may_not_import_sees_no_imports(pages, client, user_with):
    upload(pages)
    job = ImportJob.objects.get()
    client.force_login(user_with(Role.FACULTY, is_staff=True))

    for page in (url("changelist"), url("change", job.pk), url("changelist", model="importrow")):
        assert client.get(page).status_code in (302, 403), page
    assert client.get(url("report", job.pk)).status_code == 404
    assert client.post(url("step", job.pk, "validate_again")).status_code == 404
