"""A file with more than is imported goes the whole way of an import, and the rest of it is looked for everywhere."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import PersonIdentifier
from core.models import IdempotencyKey, OutboxEvent
from core.security.fields import EncryptedTextField
from interop.models import ImportJob, ImportRow
from interop.targets.registry import TARGETS
from students.models import Student
from tests.departments.factories import DepartmentFactory
from tests.interop.conftest import import_root, work
from tests.interop.importing import totals
from tests.interop.over_http import URL, imported, read, taken_back
from tests.security.traces import FIRST, SECOND, THIRD, cached, pg_dump, statements, traces_in

__all__ = ["import_root", "work"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.checklist(90)]
# A sound row, one of an unknown department, one whose cells are not where its columns are, and one that is there twice.
STUDENTS = (
    "student_no,last_name,birth_date,department,passport_no,Sozialversicherung\n"
    f"S1,Lovelace,1990-12-10,SCI,{FIRST},{SECOND}\n"
    f"S2,Hopper,1990-12-09,NOWHERE,{FIRST},{THIRD}\n"
    f"S3,{SECOND},{THIRD},Hamilton,1990-12-08,SCI,{FIRST}\n"
    f"S1,Lovelace,1990-12-10,SCI,{THIRD},{SECOND}\n"
).encode()
NAMED = "Columns that are not imported: passport_no, Sozialversicherung."


def look(client, registrar, job):
    """Read all that is shown of an import, and return the page of it."""
    pages = Client()
    pages.force_login(registrar)
    for path in (f"{URL}{job}/", f"{URL}{job}/rows/", f"{URL}{job}/report/"):
        assert client.get(path).status_code == 200
    row = ImportRow.objects.filter(job=job).first()
    assert pages.get(reverse("admin:interop_importrow_change", args=[row.pk])).status_code == 200
    return pages.get(reverse("admin:interop_importjob_change", args=[job])).content.decode()


@pytest.mark.usefixtures("own_database")
def test_cells_that_are_not_imported_are_found_nowhere_and_their_columns_are_named(
    registrar_client, registrar, work, logged, import_root
):
    DepartmentFactory(code="SCI")
    with statements() as sent:
        job = imported(registrar_client, work, "students", "students.csv", STUDENTS)
        assert Student.objects.get().student_no == "S1"
        page = look(registrar_client, registrar, job["id"])
        refused = SimpleUploadedFile("refused.csv", f"passport_no\n{FIRST}\n".encode())
        answer = registrar_client.post(URL, {"kind": "students", "file": refused}, format="multipart")
        assert answer.status_code == 400
        again = imported(registrar_client, work, "students", "again.csv", STUDENTS.replace(b"Lovelace", b"King"))
        taken_back(registrar_client, work, again["id"])

    assert totals(ImportJob.objects.get(pk=job["id"])) == (1, 0, 0, 3)
    shown = read(registrar_client, job["id"])
    assert [(each["code"], each["detail"]) for each in shown["remarks"]] == [("ignored_columns", NAMED)]
    assert NAMED in page
    sound = ImportRow.objects.get(job=job["id"], row_no=2)
    assert sound.raw == {"student_no": "S1", "last_name": "Lovelace", "birth_date": "1990-12-10", "department": "SCI"}
    assert ImportRow.objects.get(job=job["id"], row_no=4).raw == {}
    assert not PersonIdentifier.objects.exists()
    assert not traces_in(pg_dump("--data-only", "--inserts"))
    assert not traces_in(b"".join(sent))
    assert not traces_in(logged())
    assert not traces_in(cached())
    assert OutboxEvent.objects.filter(name__startswith="interop.").exists()
    assert not traces_in(str(list(OutboxEvent.objects.values_list("payload", flat=True))).encode())
    assert not traces_in(b"".join(bytes(key.response_body) for key in IdempotencyKey.objects.all()))
    files = [file.read_bytes() for file in import_root.iterdir()]
    assert len(files) == 2
    assert not traces_in(b"".join(files))


def test_what_is_imported_goes_into_no_encrypted_column():
    """So the staging table and the memory of imports, which hold it in the clear, hold nothing that is protected."""
    found = [
        f"{resource}.{value.name}"
        for resource, target in TARGETS.items()
        for value in target.values
        if isinstance(field_of(target.model, value.path or value.name), EncryptedTextField)
    ]

    assert found == []
    assert isinstance(field_of(Student, "accommodation_note"), EncryptedTextField)
    assert isinstance(field_of(Student, "person.identifiers.value"), EncryptedTextField)


def field_of(model, path):
    """Return the field that a path leads to; None where it leads to something that is computed."""
    *steps, last = path.split(".")
    for step in steps:
        model = model._meta.get_field(step).related_model
    return {field.name: field for field in model._meta.get_fields()}.get(last)
