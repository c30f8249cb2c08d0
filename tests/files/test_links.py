"""Files that records refer to: readable for whoever sees the record, protected for as long, released when replaced."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.roles import Role
from audit.models import Disclosure
from core.customfields.errors import FileUnavailableError
from core.customfields.services import update_custom_field
from core.errors import InUseError
from core.models import CustomField
from files.models import FileAsset, FileLink
from files.services import delete_file
from students.services import create_student, delete_student, update_student
from tests.accounts.factories import UserFactory
from tests.departments.factories import DepartmentFactory
from tests.files.contents import PDF, PNG, part
from tests.racing import while_uncommitted
from tests.students.factories import StudentFactory

URL = "/api/v1/files/"


def refer(student: Any, asset: Any, by: Any = None) -> None:
    student.refresh_from_db()
    update_student(student, by=by, custom_fields={"photo": None if asset is None else str(asset.pk)})


@pytest.fixture
def student(photo: CustomField) -> Any:
    return StudentFactory()


@pytest.mark.django_db
class TestOverHttp:
    def test_a_student_gets_a_photo_and_those_who_see_the_student_see_it(self, registrar_client, student, client_of):
        asset = registrar_client.post(URL, part(), format="multipart").json()["data"]["id"]

        answer = registrar_client.patch(
            f"/api/v1/students/{student.pk}/", {"custom_fields": {"photo": asset}}, format="json"
        )

        assert answer.json()["data"]["custom_fields"] == {"photo": asset}
        themselves = client_of(Role.STUDENT, student.person)
        stranger = client_of(Role.STUDENT)
        seen = themselves.get(f"{URL}{asset}/content/")
        assert b"".join(seen.streaming_content) == PNG
        assert themselves.delete(f"{URL}{asset}/").status_code == 403
        assert stranger.get(f"{URL}{asset}/").status_code == 404
        assert registrar_client.delete(f"{URL}{asset}/").json()["code"] == "in_use"

    @pytest.mark.checklist(8)
    @pytest.mark.parametrize("whose", ["nobody's", "somebody else's", "deleted"])
    def test_a_file_out_of_sight_answers_as_one_that_is_not_there(
        self, registrar_client, registrar, student, asset_of, whose
    ):
        asset = asset_of(UserFactory() if whose == "somebody else's" else registrar)
        if whose == "deleted":
            delete_file(asset, by=registrar)
        given = "01955500-0000-7000-8000-000000000000" if whose == "nobody's" else str(asset.pk)

        answer = registrar_client.patch(
            f"/api/v1/students/{student.pk}/", {"custom_fields": {"photo": given}}, format="json"
        )

        [error] = answer.json()["errors"]
        assert answer.status_code == 400
        assert (error["code"], error["field"], error["meta"]) == ("file_unavailable", "custom_fields.photo", {})
        assert not FileLink.objects.exists()

    @pytest.mark.checklist(6)
    def test_a_protected_field_shows_its_file_to_those_who_may_know_it(self, student, photo, asset_of, client_of):
        asset = asset_of(UserFactory())
        refer(student, asset)
        officer = client_of(Role.FINANCE_OFFICER)
        assert officer.get(f"{URL}{asset.pk}/").status_code == 200

        update_custom_field(photo, by=None, protected=True)

        assert officer.get(f"{URL}{asset.pk}/").status_code == 404
        themselves = client_of(Role.STUDENT, student.person)
        assert themselves.get(f"{URL}{asset.pk}/").status_code == 200
        update_custom_field(photo, by=None, is_active=False)
        assert themselves.get(f"{URL}{asset.pk}/").status_code == 404

    def test_whom_a_file_is_about_is_put_on_record(self, registrar_client, registrar, student, asset_of):
        refer(student, asset_of(registrar))
        asset = asset_of(registrar, name="nobody.png")

        registrar_client.get(URL)
        registrar_client.get(f"{URL}{asset.pk}/")
        linked = FileLink.objects.get().asset_id
        registrar_client.get(f"{URL}{linked}/")
        registrar_client.get(f"{URL}{linked}/content/")

        entries = Disclosure.objects.order_by("id").values_list("what", "subject_id", "route")
        assert list(entries) == [
            ("file", student.person_id, f"FileViewSet.{action}") for action in ("list", "retrieve", "content")
        ]

    @pytest.mark.parametrize("gone", [False, True])
    def test_whom_a_file_was_about_stays_on_record(self, registrar_client, registrar, student, asset_of, gone):
        asset = asset_of(registrar)
        refer(student, asset)
        refer(student, None)
        if gone:
            student.refresh_from_db()
            delete_student(student, by=registrar)

        with CaptureQueriesContext(connection) as asked:
            registrar_client.get(f"{URL}{asset.pk}/")

        assert [entry.subject_id for entry in Disclosure.objects.all()] == [student.person_id]
        assert sum("files_filelink" in query["sql"] and "unnest" in query["sql"] for query in asked) == 1

    def test_who_saw_the_record_no_longer_reads_what_it_referred_to(self, registrar, student, asset_of, client_of):
        asset, themselves = asset_of(registrar), client_of(Role.STUDENT, student.person)
        refer(student, asset)
        assert themselves.get(f"{URL}{asset.pk}/").status_code == 200

        refer(student, None)

        assert themselves.get(f"{URL}{asset.pk}/").status_code == 404


@pytest.mark.django_db
class TestReferring:
    def test_what_is_referred_to_is_not_deleted_until_another_takes_its_place(self, registrar, student, asset_of):
        first, second = asset_of(registrar), asset_of(registrar, PDF, "a.pdf")
        refer(student, first)
        with pytest.raises(InUseError) as refused:
            delete_file(first, by=registrar)
        assert refused.value.meta == {"referred_to_by": {"students": 1}}
        with pytest.raises(InUseError) as refused:
            delete_file(first, by=UserFactory())
        assert refused.value.meta == {"referred_to_by": {"records": 1}}

        refer(student, second)
        delete_file(first, by=registrar)
        refer(student, None)
        delete_file(second, by=registrar)

        assert not FileAsset.objects.live().exists()
        assert [link.people for link in FileLink.objects.all()] == [[student.person_id]] * 2

    def test_a_record_refers_to_one_file_at_a_time_by_a_field(self, registrar, student, photo, asset_of):
        asset = asset_of(registrar)
        for _ in range(2):
            refer(student, asset)
            refer(student, None)
        refer(student, asset)

        with pytest.raises(IntegrityError, match="files_filelink_one_present"), transaction.atomic():
            FileLink.objects.create(asset=asset, custom_field=photo, object_id=student.pk)

        assert FileLink.objects.count() == 3

    def test_a_record_that_comes_with_a_file_protects_it_until_it_goes(self, registrar, photo, asset_of):
        asset = asset_of(registrar)
        student = create_student(
            by=registrar, last_name="Novak", department=DepartmentFactory(), custom_fields={"photo": str(asset.pk)}
        )
        assert FileLink.objects.get().object_id == student.pk

        student.refresh_from_db()
        delete_student(student, by=registrar)

        delete_file(asset, by=registrar)

    def test_a_field_under_another_name_refers_to_the_same_file(self, registrar, student, photo, asset_of):
        asset = asset_of(registrar)
        refer(student, asset)

        update_custom_field(photo, by=None, name="portrait")

        student.refresh_from_db()
        assert student.custom_data == {"portrait": str(asset.pk)}
        with pytest.raises(InUseError):
            delete_file(asset, by=registrar)

    def test_many_records_refer_to_files_as_single_ones_do(self, registrar_client, registrar, student, asset_of):
        asset, items = asset_of(registrar), [student, StudentFactory()]
        body = {"items": [{"id": str(each.pk), "custom_fields": {"photo": str(asset.pk)}} for each in items]}

        answer = registrar_client.post("/api/v1/students/bulk-update/", body, format="json")

        assert answer.status_code == 200
        assert set(FileLink.objects.values_list("object_id", flat=True)) == {each.pk for each in items}

    def test_a_write_that_changes_no_file_asks_for_none(self, registrar, student, asset_of):
        refer(student, asset_of(registrar))
        CustomField.objects.create(entity_type="students.student", name="note", label="Note", field_type="text")
        student.refresh_from_db()

        with CaptureQueriesContext(connection) as asked:
            update_student(student, by=registrar, custom_fields={**student.custom_data, "note": "Called."})

        [only] = [query["sql"] for query in asked if "files_file" in query["sql"]]
        assert 'FROM "files_filelink"' in only


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_a_file_that_somebody_has_begun_to_refer_to_is_not_deleted(self, registrar, student, asset_of):
        asset = asset_of(registrar)

        outcome = while_uncommitted(lambda: refer(student, asset), lambda: delete_file(asset, by=None))

        assert outcome == "in_use"
        assert FileAsset.objects.live().exists()

    def test_a_file_that_somebody_is_deleting_is_not_referred_to(self, registrar, student, asset_of):
        asset = asset_of(registrar)

        outcome = while_uncommitted(lambda: delete_file(asset, by=None), lambda: refer(student, asset))

        assert outcome == FileUnavailableError.code
        student.refresh_from_db()
        assert (student.custom_data, FileLink.objects.count()) == ({}, 0)


@pytest.mark.django_db
class TestAdministration:
    def test_a_file_is_uploaded_chosen_and_downloaded(self, client, registrar, student, files_root):
        client.force_login(registrar)
        uploaded = client.post(reverse("admin:files_fileasset_add"), part())
        assert uploaded.status_code == 302
        asset = FileAsset.objects.get()
        change = reverse("admin:students_student_change", args=[student.pk])
        page = client.get(change).content.decode()
        assert 'data-model-name="filelink"' in page
        assert reverse("admin:files_fileasset_add") in page

        form = client.get(change).context["adminform"].form
        values = {name: form[name].value() for name in form.fields if form[name].value() is not None}
        answer = client.post(change, {**inlines(client.get(change)), **values, "custom_fields.photo": str(asset.pk)})

        assert answer.status_code == 302, answer.context["adminform"].form.errors
        student.refresh_from_db()
        assert student.custom_data == {"photo": str(asset.pk)}
        download = reverse("admin:files_fileasset_content", args=[asset.pk])
        assert download in client.get(change).content.decode()
        sent = client.get(download)
        assert b"".join(sent.streaming_content) == PNG
        assert sent["Content-Disposition"] == 'attachment; filename="photo.png"'
        assert client.get(download, headers={"Range": f"bytes={len(PNG)}-"}).status_code == 416

    def test_one_out_of_sight_is_neither_named_nor_taken_nor_handed_out(self, client, registrar, student, asset_of):
        client.force_login(registrar)
        secret = asset_of(UserFactory(), name="secret.png")
        change = reverse("admin:students_student_change", args=[student.pk])

        answer = client.post(change, {**inlines(client.get(change)), "custom_fields.photo": str(secret.pk)})

        assert "custom_fields.photo" in answer.context["adminform"].form.errors
        assert "secret.png" not in answer.content.decode()
        download = reverse("admin:files_fileasset_content", args=[secret.pk])
        assert client.get(download).status_code == 404

    @pytest.mark.usefixtures("photo")
    @pytest.mark.parametrize(("spelled", "status"), [("{0.hex}", 200), ("urn:uuid:{0}", 200), ("nonsense", 400)])
    def test_a_page_is_asked_for_with_any_spelling_of_a_file(self, client, registrar, asset_of, spelled, status):
        client.force_login(registrar)
        asset = asset_of(registrar)

        page = client.get(f"{reverse('admin:students_student_add')}?custom_fields.photo={spelled.format(asset.pk)}")

        assert page.status_code == status
        leads = reverse("admin:files_fileasset_content", args=[asset.pk]) in page.content.decode()
        assert leads == (status == 200)

    def test_what_is_refused_stands_beside_the_field(self, client, registrar):
        client.force_login(registrar)

        answer = client.post(reverse("admin:files_fileasset_add"), part(name="page.html"))

        assert answer.status_code == 200
        assert "file" in answer.context["adminform"].form.errors
        assert not FileAsset.objects.exists()

    def test_a_deleted_file_is_brought_back(self, client, user_with, asset_of):
        administrator = user_with(Role.SYSTEM_ADMIN, is_staff=True)
        asset = asset_of(administrator)
        delete_file(asset, by=administrator)
        client.force_login(administrator)

        client.post(
            reverse("admin:files_fileasset_changelist"), {"action": "restore", "_selected_action": [str(asset.pk)]}
        )

        assert FileAsset.objects.live().get() == asset


def inlines(page: Any) -> dict[str, Any]:
    """Return what the management forms of a page send."""
    return {
        f"{formset.formset.prefix}-{name}": value
        for formset in page.context["inline_admin_formsets"]
        for name, value in formset.formset.management_form.initial.items()
    }
