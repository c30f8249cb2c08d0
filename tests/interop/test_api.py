"""Imports over HTTP: upload, preview, apply, take back, and everything that is refused on the way."""

import csv
import io
import json
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook

from accounts.roles import Role, ScopeKind
from campushub360.celery import app
from core.relay import Relay
from departments.models import Department
from interop.models import ImportJob
from interop.sources.columns import COLUMNS
from tests.departments.factories import DepartmentFactory

pytestmark = pytest.mark.django_db
URL = "/api/v1/imports/"
CSV = b"code,name\nPHY,Physics\nCHE,Chemistry\n"


END = b"--x--\r\n"


def part(name, content):
    return b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), content)


def upload(client, content=CSV, *, kind="departments", name="departments.csv", **parts):
    return client.post(URL, {"file": SimpleUploadedFile(name, content), "kind": kind, **parts}, format="multipart")


def job_of(response):
    assert response.status_code == 201, response.json()
    return response.json()["data"]["id"]


def read(client, job):
    return client.get(f"{URL}{job}/").json()["data"]


def codes_of(response):
    return {error["code"] for error in response.json()["errors"]}


def totals(shown):
    return {name: shown["counts"][name] for name in ("created", "updated", "unchanged", "rejected")}


class TestTheWayOfAFile:
    def test_an_upload_is_validated_previewed_applied_and_taken_back(self, registrar_client, work):
        DepartmentFactory(code="CHE", name="Alchemy")
        before = list(Department.objects.order_by("code").values())

        job = job_of(upload(registrar_client))
        work()
        shown = read(registrar_client, job)
        rows = registrar_client.get(f"{URL}{job}/rows/").json()["data"]

        assert (shown["state"], shown["percent"]) == ("validated", 100)
        assert [(row["natural_key"], row["action"]) for row in rows] == [("PHY", "create"), ("CHE", "update")]
        assert Department.objects.count() == 1

        asked = registrar_client.post(f"{URL}{job}/apply/")
        work()
        shown = read(registrar_client, job)

        assert asked.status_code == 202
        assert shown["state"] == "applied"
        assert totals(shown) == {"created": 1, "updated": 1, "unchanged": 0, "rejected": 0}
        assert set(Department.objects.values_list("code", "name")) == {("PHY", "Physics"), ("CHE", "Chemistry")}

        asked = registrar_client.post(f"{URL}{job}/revert/")
        work()
        shown = read(registrar_client, job)

        assert (asked.status_code, asked.json()["data"]["state"]) == (202, "reverting")
        assert (shown["state"], shown["percent"]) == ("reverted", 100)
        assert shown["reversal"]["by_type"] == {
            "departments": {"created": 0, "updated": 1, "unchanged": 0, "rejected": 0, "deleted": 1}
        }
        assert list(Department.objects.order_by("code").values()) == before

    def test_a_second_upload_changes_nothing(self, registrar_client, work):
        for expected in ({"created": 2, "unchanged": 0}, {"created": 0, "unchanged": 2}):
            job = job_of(upload(registrar_client))
            work()
            registrar_client.post(f"{URL}{job}/apply/")
            work()

            shown = read(registrar_client, job)

            assert shown["state"] == "applied"
            assert shown["counts"].items() >= expected.items()
            assert shown["counts"]["by_type"].keys() == {"departments"}

    def test_a_mapping_names_the_columns(self, registrar_client, work):
        mapping = json.dumps({"code": "Kürzel", "name": "Bezeichnung"})

        job = job_of(upload(registrar_client, "Kürzel;Bezeichnung\nPHY;Physik\n".encode(), mapping=mapping))
        work()
        registrar_client.post(f"{URL}{job}/apply/")
        work()

        assert Department.objects.get().name == "Physik"

    def test_one_refused_row_does_not_keep_the_others(self, registrar_client, work):
        job = job_of(upload(registrar_client, b"code,name,is_active\nPHY,Physics,yes\nCHE,Chemistry,perhaps\n"))
        work()
        registrar_client.post(f"{URL}{job}/apply/")
        work()

        rows = registrar_client.get(f"{URL}{job}/rows/?action=rejected").json()["data"]

        assert read(registrar_client, job)["state"] == "partially_applied"
        assert [(row["row_no"], row["reasons"][0]["field"]) for row in rows] == [(3, "is_active")]
        assert list(Department.objects.values_list("code", flat=True)) == ["PHY"]

    def test_a_job_that_nobody_took_up_is_resumed(self, registrar_client, work):
        job = job_of(upload(registrar_client))
        ImportJob.objects.update(state="validating")

        asked = registrar_client.post(f"{URL}{job}/resume/")
        work()

        assert asked.status_code == 202
        assert read(registrar_client, job)["state"] == "validated"

    def test_taking_back_that_broke_off_is_resumed(self, registrar_client, work):
        job = job_of(upload(registrar_client))
        work()
        registrar_client.post(f"{URL}{job}/apply/")
        work()
        registrar_client.post(f"{URL}{job}/revert/")
        app.control.purge()
        Relay().drain()
        app.control.purge()

        asked = registrar_client.post(f"{URL}{job}/resume/")
        work()

        assert asked.status_code == 202
        assert read(registrar_client, job)["state"] == "reverted"
        assert not Department.objects.exists()

    def test_the_same_upload_under_one_key_makes_one_job(self, registrar_client):
        answers = [
            registrar_client.post(
                URL,
                {"file": SimpleUploadedFile("d.csv", CSV), "kind": "departments"},
                format="multipart",
                HTTP_IDEMPOTENCY_KEY="once",
            )
            for _ in range(2)
        ]

        assert {answer.json()["data"]["id"] for answer in answers} == {str(ImportJob.objects.get().pk)}

    def test_a_step_that_is_asked_for_twice_is_taken_once(self, registrar_client, work):
        job = job_of(upload(registrar_client))
        work()
        for _ in range(2):
            assert registrar_client.post(f"{URL}{job}/apply/").status_code == 202

        assert work() == 2

        shown = read(registrar_client, job)
        assert (shown["state"], shown["counts"]["created"]) == ("applied", 2)

    def test_an_import_of_which_every_row_is_refused_has_failed(self, registrar_client, work):
        job = job_of(upload(registrar_client, b"code,name,is_active\nPHY,Physics,perhaps\n"))
        work()
        registrar_client.post(f"{URL}{job}/apply/")
        work()

        shown = read(registrar_client, job)

        assert (shown["state"], shown["percent"]) == ("failed", 100)
        assert [error["code"] for error in shown["errors"]] == ["all_rows_rejected"]
        assert totals(shown) == {"created": 0, "updated": 0, "unchanged": 0, "rejected": 1}
        assert len(registrar_client.get(f"{URL}{job}/rows/?action=rejected").json()["data"]) == 1

    def test_one_that_failed_because_of_its_rows_is_read_again_when_it_is_resumed(self, registrar_client, work):
        job = job_of(upload(registrar_client, b"code,name,parent\nPHY,Physics,SCI\n"))
        work()
        registrar_client.post(f"{URL}{job}/apply/")
        work()
        assert read(registrar_client, job)["state"] == "failed"
        DepartmentFactory(code="SCI")

        registrar_client.post(f"{URL}{job}/resume/")
        work()

        shown = read(registrar_client, job)
        assert (shown["state"], shown["errors"]) == ("validated", [])
        assert totals(shown) == {"created": 1, "updated": 0, "unchanged": 0, "rejected": 0}

    @pytest.mark.parametrize(
        ("name", "kept"),
        [
            ("../../etc/passwd", "passwd"),
            ("C:\\Daten\\Liste.csv", "Liste.csv"),
            ("名前.csv", "名前.csv"),
            ("a" * 5000 + ".csv", "a" * 255),
            ("=cmd|' /C calc'!A0.csv", None),
            ("tab\there.csv", "tabhere.csv"),
        ],
    )
    def test_a_files_name_is_a_name_and_nothing_else(self, registrar_client, import_root, name, kept):
        job = job_of(upload(registrar_client, name=name))

        shown = read(registrar_client, job)["file_name"]

        assert kept is None or shown[:250] == kept[:250]
        assert [file.name for file in import_root.iterdir()] != [shown]

    def test_an_import_that_is_not_in_force_is_deleted_with_its_file(
        self, registrar_client, import_root, django_capture_on_commit_callbacks
    ):
        job = job_of(upload(registrar_client))
        assert len(list(import_root.iterdir())) == 1

        with django_capture_on_commit_callbacks(execute=True):
            answer = registrar_client.delete(f"{URL}{job}/")

        assert answer.status_code == 204
        assert not ImportJob.objects.exists()
        assert not list(import_root.iterdir())


def bomb():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * 60 * 1024 * 1024)
    return packed.getvalue()


class TestRefusals:
    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "empty_file"),
            (b"\n", "empty_file"),
            (b"code,n\xffme\nPHY,Physics\n", "invalid_unicode"),
            (b"code,name,Code\nPHY,Physics,X\n", "duplicate_header"),
            (b"name\nPhysics\n", "missing_column"),
            (b"code,kind\nPHY,office\n", "missing_column"),
            (b"code," + b",".join(b"c%d" % n for n in range(5_000)) + b"\n", "too_many_columns"),
            (b"PK\x03\x04 but no archive", "unreadable_file"),
        ],
    )
    def test_a_file_that_cannot_be_imported_is_refused(self, registrar_client, import_root, content, code):
        answer = upload(registrar_client, content)

        assert (answer.status_code, codes_of(answer)) == (400, {code})
        assert not ImportJob.objects.exists()
        assert not list(import_root.iterdir())

    def test_a_workbook_that_unpacks_without_end_is_refused(self, registrar_client, import_root):
        answer = upload(registrar_client, bomb(), name="bomb.xlsx")

        assert answer.status_code == 400
        assert codes_of(answer) <= {"unsafe_archive", "file_too_large"}
        assert not ImportJob.objects.exists()
        assert not list(import_root.iterdir())

    @pytest.mark.parametrize(
        ("parts", "field", "code"),
        [
            ({"kind": "spells"}, "kind", "invalid_choice"),
            ({"mapping": "{"}, "mapping", "invalid_json"),
            ({"mapping": "[]"}, "mapping", "object_expected"),
            ({"mapping": '{"code": 1}'}, "mapping", "invalid_mapping"),
            ({"mapping": '{"code": "Nowhere"}'}, "mapping", "unknown_column"),
            ({"mapping": '{"colour": "name"}'}, "mapping", "unknown_column"),
            ({"mapping": "[" * 100_000}, "mapping", "too_deep"),
            ({"mapping": '{"code": "\\u0000"}'}, "mapping", "nul_character"),
            ({"options": '{"speed": 11}'}, "options", "unknown_option"),
            ({"options": '{"starts_on": "soon", "ends_on": "later"}'}, "options", "unknown_option"),
            ({"options": '{"starts_on": "2026-08-20"}'}, "options", "unknown_option"),
            ({"colour": "red"}, "colour", "unknown_field"),
        ],
    )
    def test_what_is_said_about_the_file_is_checked(self, registrar_client, import_root, parts, field, code):
        answer = upload(registrar_client, **parts)

        assert answer.status_code == 400
        assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]
        assert not ImportJob.objects.exists()

    def test_a_form_without_a_file_is_refused(self, registrar_client):
        answer = registrar_client.post(URL, {"kind": "departments"}, format="multipart")

        assert (answer.status_code, codes_of(answer)) == (400, {"required"})

    @pytest.mark.parametrize(
        ("content_type", "body", "status"),
        [
            ("multipart/form-data", b"", 400),
            ("multipart/form-data", b"--x\r\n", 400),
            ("multipart/form-data; boundary=x", b"", 400),
            ("multipart/form-data; boundary=x", b"\x00\xff" * 500, 400),
            ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="kind"', 400),
            ("multipart/form-data; boundary=x", part("kind", b"departments\x00") + END, 400),
            ("multipart/form-data; boundary=x", part("kind", b"\xff\xfe") + END, 400),
            ("multipart/form-data; boundary=x", part("mapping", b"\xff") + END, 400),
            ("multipart/form-data; boundary=x", part("file", b"code,name\n") + part("kind", b"departments") + END, 400),
            ("multipart/form-data; boundary=x", part("kind", b"d" * 2_000_000) + END, 413),
            ("multipart/form-data; boundary=x", part("kind", b"departments") * 2_000 + END, 400),
            ("multipart/form-data; boundary=x; charset=klingon", part("kind", b"departments") + END, 415),
            ("application/x-www-form-urlencoded", b"kind=departments", 415),
            ("text/csv", CSV, 415),
            ("application/octet-stream", CSV, 415),
        ],
    )
    def test_a_form_that_is_none_is_refused(self, registrar_client, import_root, content_type, body, status):
        answer = registrar_client.generic("POST", URL, body, content_type)

        assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
        assert not ImportJob.objects.exists()
        assert not import_root.exists()

    @pytest.mark.parametrize("size", [10, 200_000])
    def test_a_file_whose_name_is_no_text_is_refused_for_that(self, registrar_client, import_root, size):
        file = b'--x\r\nContent-Disposition: form-data; name="file"; filename="d\xe4ta.csv"\r\n\r\ncode,name\r\n'
        body = part("mapping", b"{}" + b" " * size) + part("kind", b"departments") + file + END

        answer = registrar_client.generic("POST", URL, body, "multipart/form-data; boundary=x")

        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_unicode")
        assert answer.json()["errors"][0]["field"] == "file"
        assert not import_root.exists()

    def test_json_is_no_upload(self, registrar_client):
        assert registrar_client.post(URL, {"kind": "departments"}, format="json").status_code == 415

    def test_a_file_beyond_the_limit_is_refused(self, registrar_client, import_root, settings):
        settings.IMPORT_UPLOAD_MAX_SIZE = len(CSV)

        answer = upload(registrar_client, CSV + b"x")

        assert (answer.status_code, codes_of(answer)) == (400, {"file_too_large"})
        assert not ImportJob.objects.exists()
        assert not list(import_root.iterdir())

    def test_a_form_beyond_the_limit_is_not_even_read(self, registrar_client, import_root, settings):
        settings.BODY_MAX_SIZES = {URL: 1024}

        answer = upload(registrar_client, CSV + b"x" * 1024)

        assert (answer.status_code, codes_of(answer)) == (413, {"payload_too_large"})
        assert not import_root.exists()

    @pytest.mark.parametrize(
        "parts",
        [
            {"kind": ["departments", "students"]},
            {"file": [SimpleUploadedFile("a.csv", CSV), SimpleUploadedFile("b.csv", CSV)]},
            {"file": ["text", SimpleUploadedFile("b.csv", CSV)]},
        ],
    )
    def test_a_part_that_occurs_twice_is_refused(self, registrar_client, import_root, parts):
        form = {"kind": "departments", "file": SimpleUploadedFile("d.csv", CSV), **parts}

        answer = registrar_client.post(URL, form, format="multipart")

        assert answer.status_code == 400
        assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(*parts, "repeated_part")]
        assert not ImportJob.objects.exists()

    def test_force_is_true_or_false_and_no_other_word(self, registrar_client):
        answer = upload(registrar_client, force="yes")

        assert answer.status_code == 400
        assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("force", "invalid")]

    @pytest.mark.parametrize("step", ["validate", "apply", "resume"])
    def test_a_step_of_which_nothing_can_be_said_takes_no_field(self, registrar_client, work, step):
        job = job_of(upload(registrar_client))
        work()

        answer = registrar_client.post(f"{URL}{job}/{step}/", {"force": True}, format="json")

        assert (answer.status_code, codes_of(answer)) == (400, {"unknown_field"})
        assert work() == 0

    def test_a_workbook_with_a_huge_number_for_a_header_is_read(self, registrar_client):
        book, content = Workbook(), io.BytesIO()
        book.active.append(["code", "name", 1e30])
        book.save(content)

        assert upload(registrar_client, content.getvalue(), name="book.xlsx").status_code == 201

    def test_an_import_is_applied_once_it_is_validated_and_not_before(self, registrar_client):
        job = job_of(upload(registrar_client))

        answer = registrar_client.post(f"{URL}{job}/apply/")

        assert (answer.status_code, codes_of(answer)) == (409, {"illegal_transition"})

    def test_an_import_in_force_is_not_deleted(self, registrar_client, work):
        job = job_of(upload(registrar_client))
        work()
        registrar_client.post(f"{URL}{job}/apply/")
        work()

        answer = registrar_client.delete(f"{URL}{job}/")

        assert (answer.status_code, codes_of(answer)) == (409, {"import_in_force"})

    def test_the_same_file_is_applied_twice_only_by_force(self, registrar_client, work):
        first, second, forced = (job_of(upload(registrar_client, force=force)) for force in ("false", "false", "true"))
        work()
        registrar_client.post(f"{URL}{first}/apply/")
        work()

        refused = registrar_client.post(f"{URL}{second}/apply/")
        answer = registrar_client.post(f"{URL}{forced}/apply/")

        assert (refused.status_code, codes_of(refused)) == (409, {"already_imported"})
        assert answer.status_code == 202

    def test_what_was_written_before_a_failure_is_not_forgotten(self, registrar_client, work):
        job = job_of(upload(registrar_client))
        work()
        registrar_client.post(f"{URL}{job}/apply/")
        work()
        ImportJob.objects.update(state="failed")

        assert codes_of(registrar_client.delete(f"{URL}{job}/")) == {"import_in_force"}
        registrar_client.post(f"{URL}{job}/revert/")
        assert codes_of(registrar_client.delete(f"{URL}{job}/")) == {"illegal_transition"}
        work()
        assert registrar_client.delete(f"{URL}{job}/").status_code == 204

    def test_what_was_changed_since_is_taken_back_only_by_force(self, registrar_client, work):
        job = job_of(upload(registrar_client))
        work()
        registrar_client.post(f"{URL}{job}/apply/")
        work()
        row = Department.objects.get(code="PHY")
        registrar_client.patch(f"/api/v1/departments/{row.pk}/", {"name": "Natural philosophy"})

        registrar_client.post(f"{URL}{job}/revert/", {})
        work()
        refused = read(registrar_client, job)
        registrar_client.post(f"{URL}{job}/revert/", {"force": True})
        work()
        forced = read(registrar_client, job)

        assert (refused["state"], refused["reversal"]) == ("applied", None)
        assert [error["code"] for error in refused["errors"]] == ["changed_since_import"]
        assert (forced["state"], forced["errors"]) == ("reverted", [])
        assert not Department.objects.exists()

    def test_an_import_that_wrote_nothing_yet_is_not_taken_back(self, registrar_client, work):
        job = job_of(upload(registrar_client))
        work()

        answer = registrar_client.post(f"{URL}{job}/revert/")

        assert (answer.status_code, codes_of(answer)) == (409, {"illegal_transition"})


class TestWhoMay:
    def test_a_student_may_not(self, client_for, user_with):
        client = client_for(user_with(Role.STUDENT))

        answers = [client.get(URL), upload(client), client.get(f"{URL}templates/students/")]

        assert [answer.status_code for answer in answers] == [403, 403, 403]
        assert not ImportJob.objects.exists()

    def test_the_import_of_another_is_out_of_sight(self, registrar_client, client_for, user_with):
        job = job_of(upload(registrar_client))
        elsewhere = client_for(user_with(Role.REGISTRAR, ScopeKind.DEPARTMENT, DepartmentFactory().pk))

        answers = [
            elsewhere.get(f"{URL}{job}/"),
            elsewhere.get(f"{URL}{job}/rows/"),
            elsewhere.get(f"{URL}{job}/report/"),
            elsewhere.post(f"{URL}{job}/validate/"),
            elsewhere.post(f"{URL}{job}/apply/"),
            elsewhere.post(f"{URL}{job}/resume/"),
            elsewhere.post(f"{URL}{job}/revert/"),
            elsewhere.delete(f"{URL}{job}/"),
        ]

        assert {answer.status_code for answer in answers} == {404}
        assert elsewhere.get(URL).json()["data"] == []


class TestReading:
    def test_lists_cost_three_queries_at_most_and_rows_one_more_for_whom_they_are_about(self, registrar_client, work):
        jobs = [job_of(upload(registrar_client)) for _ in range(3)]
        work()

        for url, most in ((URL, 3), (f"{URL}{jobs[0]}/rows/", 4)):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                answer = registrar_client.get(url)
            assert len(answer.json()["data"]) >= 2
            assert len(queries) <= most, url

    def test_imports_are_found_by_kind_state_and_person(self, registrar_client, registrar, work):
        job = job_of(upload(registrar_client))

        def found(**query):
            return [row["id"] for row in registrar_client.get(URL, query).json()["data"]]

        assert found(kind="departments,students", state="uploaded", actor=str(registrar.pk)) == [job]
        assert found(kind="students") == []
        assert found(state="applied") == []

    def test_rows_are_paged_in_the_order_of_the_file(self, registrar_client, work):
        content = b"code,name\n" + b"".join(b"D%03d,Department\n" % number for number in range(7))
        job = job_of(upload(registrar_client, content))
        work()

        keys, url = [], f"{URL}{job}/rows/?page_size=3&resource=departments"
        while url:
            page = registrar_client.get(url).json()
            keys += [row["natural_key"] for row in page["data"]]
            url = page["meta"]["pagination"]["next"]

        assert keys == [f"D{number:03d}" for number in range(7)]

    def test_progress_changes_the_tag(self, registrar_client):
        job = job_of(upload(registrar_client))
        tag = registrar_client.get(f"{URL}{job}/")["ETag"]

        same = registrar_client.get(f"{URL}{job}/", headers={"If-None-Match": tag})
        ImportJob.objects.update(rows_done=1, rows_total=2)
        later = registrar_client.get(f"{URL}{job}/", headers={"If-None-Match": tag})

        assert (same.status_code, later.status_code) == (304, 200)

    def test_the_report_is_a_file_without_formulas(self, registrar_client, work):
        job = job_of(upload(registrar_client, b"code,name\n=1+1,Sum\n@SUM,Total\nPHY,Physics\n"))
        work()

        answer = registrar_client.get(f"{URL}{job}/report/")
        lines = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))

        assert answer["Content-Type"].startswith("text/csv")
        assert answer["Content-Disposition"] == f'attachment; filename="import-{job}.csv"'
        assert [line["key"] for line in lines] == ["'=1+1", "'@SUM", "PHY"]
        assert registrar_client.get(f"{URL}{job}/report/", headers={"If-None-Match": answer["ETag"]}).status_code == 304

    def test_a_report_that_is_refused_is_a_problem_document(self, registrar_client):
        answer = registrar_client.get(f"{URL}00000000-0000-0000-0000-000000000000/report/")

        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
        assert answer.json()["code"] == "not_found"


class TestTemplates:
    @pytest.mark.parametrize("kind", COLUMNS)
    def test_every_kind_of_table_has_one_that_is_accepted(self, registrar_client, kind):
        header = registrar_client.get(f"{URL}templates/{kind}/").content

        assert upload(registrar_client, header, kind=kind).status_code == 201

    def test_a_line_below_the_header_is_imported(self, registrar_client, work):
        header = registrar_client.get(f"{URL}templates/departments/").content.decode()
        line = {"code": "PHY", "name": "Physics", "kind": "department", "is_active": "yes"}
        content = header + ",".join(line.get(name, "") for name in header.strip().split(",")) + "\r\n"

        job = job_of(upload(registrar_client, content.encode()))
        work()
        registrar_client.post(f"{URL}{job}/apply/")
        work()

        assert Department.objects.get(code="PHY").name == "Physics"

    @pytest.mark.parametrize("kind", ["oulad", "spells"])
    def test_other_kinds_have_none(self, registrar_client, kind):
        assert registrar_client.get(f"{URL}templates/{kind}/").status_code == 404


def test_a_registrar_of_one_department_imports_nothing(user_with, client_for):
    department = DepartmentFactory()
    client = client_for(user_with("registrar", "department", department.pk))
    upload = SimpleUploadedFile("departments.csv", b"code,name\nX,X\n")

    answer = client.post("/api/v1/imports/", {"kind": "departments", "file": upload}, format="multipart")

    assert (answer.status_code, answer.json()["code"]) == (403, "out_of_scope")
    assert not ImportJob.objects.exists()
