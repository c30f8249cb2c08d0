"""Files over HTTP: taken in as they are or refused, and handed out to those who may read them alone."""

import hashlib
import io
from typing import Any

import pytest

from accounts.roles import Role
from files.models import FileAsset
from files.services import delete_file
from tests.files.contents import DOCX, PDF, PNG, huge, kept, many, packed, part, understated

pytestmark = pytest.mark.django_db
URL = "/api/v1/files/"


def upload(client: Any, **what: Any) -> Any:
    return client.post(URL, part(**what), format="multipart")


def raw(client: Any, disposition: bytes, content: bytes = PNG) -> Any:
    """Send a form whose part says what no client library would."""
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; ' + disposition + b"\r\n\r\n" + content + b"\r\n--x--\r\n"
    )
    return client.generic("POST", URL, body, content_type="multipart/form-data; boundary=x")


def codes(answer: Any) -> set[tuple[str, str]]:
    return {(error["code"], error["field"]) for error in answer.json()["errors"]}


class TestUploading:
    @pytest.mark.checklist(53)
    def test_a_file_is_what_its_content_is_whatever_the_client_says(self, registrar_client, registrar, files_root):
        answer = upload(registrar_client, media_type="text/html")

        data = answer.json()["data"]
        assert answer.status_code == 201
        assert (data["name"], data["media_type"], data["size"]) == ("photo.png", "image/png", len(PNG))
        assert data["sha256"] == hashlib.sha256(PNG).hexdigest()
        assert data["owner"]["id"] == str(registrar.pk)
        assert kept(files_root) == {data["sha256"]}

    def test_the_same_bytes_are_kept_once(self, registrar_client, user_with, client_for, files_root):
        other = client_for(user_with(Role.STUDENT))

        ids = {upload(client, name=name).json()["data"]["id"]
               for client in (registrar_client, other) for name in ("a.png", "b.png")}  # fmt: skip

        assert len(ids) == 4
        assert kept(files_root) == {hashlib.sha256(PNG).hexdigest()}

    def test_a_repeated_request_uploads_once(self, registrar_client):
        answers = [
            registrar_client.post(URL, part(), format="multipart", HTTP_IDEMPOTENCY_KEY="photo") for _ in range(2)
        ]

        assert [answer.status_code for answer in answers] == [201, 201]
        assert FileAsset.objects.count() == 1

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("report.PDF", PDF),
            ("essay.docx", DOCX),
            ("notes.txt", "Grüße, 你好\r\n\tend".encode()),
            ("table.csv", b"a,b\n1,2\n"),
            ("all.zip", packed(a__b="c")),
            ("essay.odt", packed(mimetype="application/vnd.oasis.opendocument.text", **{"content.xml": "<x/>"})),
        ],
    )
    def test_documents_are_taken(self, registrar_client, name, content):
        assert upload(registrar_client, name=name, content=content).status_code == 201

    @pytest.mark.checklist(53, 55)
    @pytest.mark.parametrize(
        ("name", "content", "code"),
        [
            ("photo.png", b"", "empty_file"),
            ("photo.png", PDF, "file_type_mismatch"),
            ("photo.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "file_type_mismatch"),
            ("report.pdf", b"MZ\x90\x00" + bytes(60), "file_type_mismatch"),
            ("essay.docx", packed(a="b"), "file_type_mismatch"),
            ("essay.docx", DOCX[:-4], "file_type_mismatch"),
            ("many.zip", many(), "file_type_mismatch"),
            ("many.zip", understated(many()), "file_type_mismatch"),
            ("huge.zip", huge(comment=b"x" * 65_535), "file_type_mismatch"),
            ("notes.txt", b"\xff\xfe\x00", "file_type_mismatch"),
            ("notes.txt", b"cut off \xe2\x82", "file_type_mismatch"),
            ("notes.txt", b"bell \x07", "file_type_mismatch"),
            ("notes.txt", b" <!DOCTYPE html><script>alert(1)</script>", "file_type_mismatch"),
            ("page.html", b"<html>", "file_type_not_allowed"),
            ("logo.svg", b"<svg/>", "file_type_not_allowed"),
            ("photo.png.exe", PNG, "file_type_not_allowed"),
            ("photo", PNG, "file_type_not_allowed"),
        ],
    )
    def test_what_is_not_what_it_says_is_refused(self, registrar_client, files_root, name, content, code):
        answer = upload(registrar_client, name=name, content=content)

        assert (answer.status_code, codes(answer)) == (400, {(code, "file")})
        assert not FileAsset.objects.exists()
        assert kept(files_root) == set()

    @pytest.mark.checklist(45)
    def test_a_file_beyond_the_limit_is_refused(self, registrar_client, files_root, settings):
        settings.FILES_MAX_SIZE = len(PNG) - 1

        answer = upload(registrar_client)

        assert (answer.status_code, codes(answer)) == (400, {("file_too_large", "file")})
        assert kept(files_root) == set()

    def test_a_form_beyond_the_limit_is_not_even_read(self, registrar_client, settings, files_root):
        settings.BODY_MAX_SIZES = {"/api/v1/files/": 100}

        assert upload(registrar_client).status_code == 413
        assert not files_root.exists()

    def test_types_are_taken_as_the_institution_says(self, registrar_client, settings):
        settings.FILES_TYPES = frozenset({"application/pdf"})

        assert codes(upload(registrar_client)) == {("file_type_not_allowed", "file")}
        assert upload(registrar_client, name="a.pdf", content=PDF).status_code == 201

    def test_names_are_kept_exactly(self, registrar_client):
        for sent, name in {
            b'filename="&amp; Co.png"': "&amp; Co.png",
            b"filename*=UTF-8''%E4%BD%A0%E5%A5%BD%20%F0%9F%91%A9%E2%80%8D%F0%9F%94%AC.png": "你好 👩‍🔬.png",
            'filename="Grüße.png"'.encode(): "Grüße.png",
        }.items():
            answer = raw(registrar_client, sent)

            assert answer.json()["data"]["name"] == name

    @pytest.mark.checklist(53)
    @pytest.mark.parametrize(
        "disposition",
        [
            b'filename="../../etc/photo.png"',
            b"filename*=UTF-8''a%5Cphoto.png",
            b"filename*=UTF-8''a%00.png",
            b"filename*=UTF-8''a%0D%0ASet-Cookie:%20x.png",
            b"filename*=UTF-8''%E2%80%AEgnp.png",
            b"filename*=UTF-8''%E2%80%A8.png",
            b"filename*=UTF-8''%FF.png",
            b'filename=".."',
            b'filename="' + b"a" * 252 + b'.png"',
        ],
    )
    def test_names_that_cannot_be_kept_are_refused(self, registrar_client, disposition):
        answer = raw(registrar_client, disposition)

        assert (answer.status_code, codes(answer)) == (400, {("invalid_file_name", "file")})

    @pytest.mark.parametrize("body", [{}, {"file": "text"}, {**part(), "colour": "red"}])
    def test_a_form_without_a_file_or_with_more_is_refused(self, registrar_client, body):
        assert registrar_client.post(URL, body, format="multipart").status_code == 400

    def test_a_form_that_was_cut_off_is_refused(self, registrar_client, files_root):
        body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf'

        answer = registrar_client.generic(
            "POST", URL, body, content_type="multipart/form-data; boundary=x", CONTENT_LENGTH=str(len(body) + 5),
            **{"wsgi.input": io.BytesIO(body)},
        )  # fmt: skip

        assert (answer.status_code, answer.json()["code"]) == (400, "incomplete_body")
        assert not files_root.exists()

    @pytest.mark.parametrize("charset", ["rot13", "hex", "idna", "undefined", "latin-1", '"utf-16"'])
    @pytest.mark.parametrize("headers", [{}, {"HTTP_IDEMPOTENCY_KEY": "photo"}])
    def test_a_form_is_read_as_utf_8_alone(self, registrar_client, charset, headers):
        body = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--x--\r\n'

        answer = registrar_client.generic(
            "POST", URL, body, content_type=f"multipart/form-data; boundary=x; charset={charset}", **headers
        )

        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


class TestDownloading:
    @pytest.mark.checklist(53)
    @pytest.mark.parametrize(
        ("name", "content"), [('Größe "5".png', PNG), ("photo.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")]
    )
    def test_a_content_is_handed_out_to_be_saved_and_never_shown(
        self, registrar_client, registrar, asset_of, name, content
    ):
        asset = asset_of(registrar, content, name)

        answer = registrar_client.get(f"{URL}{asset.pk}/content/")

        assert b"".join(answer.streaming_content) == content
        assert answer["Content-Type"] == asset.media_type
        assert answer["Content-Disposition"].startswith("attachment; filename")
        assert (answer["X-Content-Type-Options"], answer["Cache-Control"]) == ("nosniff", "private, no-store")
        assert "sandbox" in answer["Content-Security-Policy"]
        assert answer["ETag"] == f'"{asset.sha256}"'

    def test_what_is_there_already_is_not_sent_again(self, registrar_client, registrar, asset_of):
        asset = asset_of(registrar)

        answer = registrar_client.get(f"{URL}{asset.pk}/content/", HTTP_IF_NONE_MATCH=f'"{asset.sha256}"')

        assert answer.status_code == 304

    @pytest.mark.parametrize(
        ("asked", "sent"),
        [
            ("bytes=2-4", (206, PNG[2:5])),
            ("bytes=3-", (206, PNG[3:])),
            ("bytes=-4", (206, PNG[-4:])),
            ("bytes=0-999999", (206, PNG)),
            ("bytes=4-2", (200, PNG)),
            ("bytes=0-1,3-4", (200, PNG)),
            ("lines=1-2", (200, PNG)),
        ],
    )
    def test_a_part_is_sent_to_whoever_goes_on(self, registrar_client, registrar, asset_of, asked, sent):
        asset = asset_of(registrar)

        answer = registrar_client.get(f"{URL}{asset.pk}/content/", HTTP_RANGE=asked)

        assert (answer.status_code, b"".join(answer.streaming_content)) == sent
        assert answer["Content-Length"] == str(len(sent[1]))

    @pytest.mark.parametrize("asked", ["bytes=2-4", "bytes=5000-"])
    def test_only_get_has_parts(self, registrar_client, registrar, asset_of, asked):
        answer = registrar_client.head(f"{URL}{asset_of(registrar).pk}/content/", HTTP_RANGE=asked)

        assert (answer.status_code, answer["Content-Length"]) == (200, str(len(PNG)))
        assert "Content-Range" not in answer

    def test_a_part_beyond_the_end_or_of_another_content_is_not_sent(self, registrar_client, registrar, asset_of):
        asset = asset_of(registrar)
        beyond = registrar_client.get(f"{URL}{asset.pk}/content/", HTTP_RANGE="bytes=5000-")
        other = registrar_client.get(f"{URL}{asset.pk}/content/", HTTP_RANGE="bytes=1-2", HTTP_IF_RANGE='"other"')

        assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{len(PNG)}")
        assert beyond.json()["code"] == "range_not_satisfiable"
        assert other.status_code == 200

    def test_nginx_sends_it_where_the_settings_say_so(self, registrar_client, registrar, asset_of, settings):
        asset = asset_of(registrar)
        settings.FILES_SENT_FROM = "/stored-files/"

        answer = registrar_client.get(f"{URL}{asset.pk}/content/")

        digest = asset.sha256
        assert (answer.content, answer["X-Accel-Redirect"]) == (
            b"", f"/stored-files/{digest[:2]}/{digest[2:4]}/{digest}",
        )  # fmt: skip
        assert answer["Content-Disposition"] == 'attachment; filename="photo.png"'


class TestOwnFiles:
    def test_the_list_has_what_one_sees(self, registrar_client, registrar, user_with, client_for, asset_of):
        mine, other = asset_of(registrar), user_with(Role.STUDENT)
        theirs = asset_of(other)

        assert [row["id"] for row in registrar_client.get(URL).json()["data"]] == [str(mine.pk)]
        assert [row["id"] for row in client_for(other).get(URL).json()["data"]] == [str(theirs.pk)]

    @pytest.mark.checklist(2, 3)
    def test_those_of_others_are_as_if_they_were_not_there(self, registrar_client, user_with, asset_of):
        theirs = asset_of(user_with(Role.STUDENT))
        missing = "01955500-0000-7000-8000-000000000000"

        for path in ("{}/", "{}/content/"):
            answers = [registrar_client.get(URL + path.format(pk)) for pk in (theirs.pk, missing)]
            assert [answer.status_code for answer in answers] == [404, 404]
            assert answers[0].json()["detail"] == answers[1].json()["detail"]
        assert registrar_client.delete(f"{URL}{theirs.pk}/").status_code == 404
        assert FileAsset.objects.live().get() == theirs

    def test_one_that_was_deleted_is_gone(self, registrar_client, registrar, asset_of):
        asset = asset_of(registrar)

        assert registrar_client.delete(f"{URL}{asset.pk}/").status_code == 204

        assert registrar_client.get(f"{URL}{asset.pk}/content/").status_code == 404
        assert registrar_client.get(URL).json()["data"] == []
        assert FileAsset.objects.get().deleted_at is not None

    def test_the_auditor_reads_all_and_deletes_none(self, user_with, client_for, asset_of):
        theirs, auditor = asset_of(user_with(Role.STUDENT)), client_for(user_with(Role.AUDITOR))

        assert auditor.get(f"{URL}{theirs.pk}/").status_code == 200
        assert auditor.delete(f"{URL}{theirs.pk}/").status_code == 403
        delete_file(theirs, by=None)
        assert auditor.get(f"{URL}{theirs.pk}/").status_code == 404
