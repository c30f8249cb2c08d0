"""What is uploaded is scanned by the real clamd, and handed out once that has found it clean."""

import io
import random
import socket
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from audit.models import Event as AuditEvent
from core.models import OutboxEvent
from core.relay import Relay
from files import clamd, tasks
from files.clamd import ScannerUnavailableError, Verdict
from files.models import FileAsset, ScanState
from files.selectors import may_refer
from files.services import scan_content, scan_due, verify
from files.services.erasing import content_of
from files.services.scanning import TRIED_AGAIN_AFTER
from files.store import store
from tests.accounts.factories import UserFactory
from tests.files.contents import PNG, uploaded
from tests.files.scanner import EICAR, scanner

pytestmark = pytest.mark.django_db
real = pytest.mark.needs("clamav-daemon")
URL = "/api/v1/files/"


@pytest.fixture(scope="module")
def clamd_url(tmp_path_factory: Any) -> Iterator[str]:
    with scanner(tmp_path_factory.mktemp("clamd")) as url:
        yield url


@pytest.fixture
def scanned(settings: Any, clamd_url: str) -> None:
    settings.CLAMD_URL = clamd_url


@pytest.fixture
def down(settings: Any, tmp_path: Path) -> None:
    """There is to be a scanner, and there is none."""
    settings.CLAMD_URL = f"unix://{tmp_path / 'nobody'}"


@contextmanager
def pretender(settings: Any, *answers: bytes) -> Iterator[None]:
    """Listen where the scanner is to be, and say something else to each who comes; say nothing to those after."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        settings.CLAMD_URL = f"tcp://127.0.0.1:{server.getsockname()[1]}"

        def answer() -> None:
            for each in answers:
                connection, _ = server.accept()
                with connection:
                    connection.sendall(each)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield
        thread.join(10)


def state(asset: FileAsset) -> tuple[str, str]:
    asset.refresh_from_db()
    return asset.scan_state, asset.finding


def eicar(user: Any, name: str = "eicar.txt") -> FileAsset:
    return uploaded(user, EICAR, name)


@real
@pytest.mark.slow
@pytest.mark.usefixtures("scanned")
class TestTheScanner:
    @pytest.mark.checklist(56)
    def test_a_file_is_held_back_until_it_was_found_clean(self, registrar_client, registrar, asset_of):
        asset = asset_of(registrar)
        answer = registrar_client.get(f"{URL}{asset.pk}/content/")
        assert (answer.status_code, answer.json()["code"]) == (409, "file_not_scanned")
        assert registrar_client.get(f"{URL}{asset.pk}/").json()["data"]["scan_state"] == "pending"

        assert scan_due(at=timezone.now()) == 1

        assert registrar_client.get(f"{URL}{asset.pk}/").json()["data"]["scan_state"] == "clean"
        assert b"".join(registrar_client.get(f"{URL}{asset.pk}/content/").streaming_content) == PNG
        assert scan_due(at=timezone.now()) == 0

    @pytest.mark.checklist(56)
    def test_a_harmful_file_is_quarantined_for_good_and_for_everybody(self, registrar_client, registrar, client):
        files = [eicar(registrar), eicar(UserFactory(), "copy.txt")]

        assert scan_due(at=timezone.now()) == 1

        assert [state(asset) for asset in files] == [("infected", "Eicar-Test.UNOFFICIAL")] * 2
        answer = registrar_client.get(f"{URL}{files[0].pk}/content/")
        assert (answer.status_code, answer.json()["code"]) == (409, "file_infected")
        listed = registrar_client.get(URL, {"scan_state": "infected"}).json()["data"]
        assert [row["id"] for row in listed] == [str(files[0].pk)]
        client.force_login(registrar)
        page = client.get(reverse("admin:files_fileasset_content", args=[files[0].pk]))
        assert (page.status_code, EICAR in page.content) == (409, False)
        assert not may_refer(files[0].pk, None)
        name, content = content_of(files[0])
        assert name.endswith("held-back.txt")
        assert EICAR not in b"".join(content)
        assert AuditEvent.objects.filter(action="files.quarantined").count() == 2

    def test_what_is_packed_is_found_as_well(self, registrar):
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner.txt", EICAR)
        asset = uploaded(registrar, target.getvalue(), "all.zip")

        scan_due(at=timezone.now())

        assert state(asset)[0] == "infected"

    def test_an_upload_wakes_a_worker(self, registrar, monkeypatch):
        asked: list[Any] = []
        monkeypatch.setattr("celery.current_app.send_task", lambda name, args: asked.append((name, args)))
        asset = eicar(registrar)

        Relay().drain()

        assert asked == [("files.tasks.scan_content", [asset.sha256])]
        tasks.scan_content(asset.sha256)
        assert state(asset)[0] == "infected"

    def test_files_are_scanned_again_and_stay_out_meanwhile_as_they_were(self, registrar, settings, clamd_url):
        asset = asset_found(registrar, ScanState.CLEAN, EICAR, "eicar.txt")
        later = timezone.now() + settings.FILES_RESCANNED_AFTER

        assert scan_due(at=later - timedelta(minutes=1)) == 0
        assert scan_due(at=later + timedelta(minutes=1)) == 1

        assert state(asset)[0] == "infected"

    def test_what_newer_signatures_find_harmless_is_released(self, registrar, settings):
        asset = asset_found(registrar, ScanState.INFECTED)

        scan_due(at=timezone.now() + settings.FILES_RESCANNED_AFTER + timedelta(minutes=1))

        assert state(asset) == ("clean", "")
        assert AuditEvent.objects.filter(action="files.released").count() == 1

    def test_what_is_missing_in_the_store_holds_up_nobody(self, registrar):
        asset, other = uploaded(registrar), eicar(registrar)
        store().delete(asset.sha256)

        call_command("scan_files")

        assert state(asset) == ("unscannable", "The content is missing.")
        assert state(other)[0] == "infected"
        assert list(verify()) == [(asset.sha256, "missing")]

    def test_an_older_verdict_does_not_replace_a_newer_one(self, registrar, monkeypatch):
        asset = uploaded(registrar)

        def late(content: Any) -> Verdict:
            asset_now(asset, ScanState.INFECTED, at=timezone.now() + timedelta(seconds=1))
            return Verdict(ScanState.CLEAN)

        monkeypatch.setattr(clamd, "scan", late)
        scan_content(asset.sha256, at=timezone.now())

        assert state(asset)[0] == "infected"


def asset_found(user: Any, verdict: ScanState, content: bytes = PNG, name: str = "photo.png") -> FileAsset:
    """Return a file that was scanned a moment ago."""
    return asset_now(uploaded(user, content, name), verdict, at=timezone.now())


def asset_now(asset: FileAsset, verdict: ScanState, *, at: Any) -> FileAsset:
    FileAsset.objects.filter(pk=asset.pk).update(scan_state=verdict, scanned_at=at, finding="Any")
    return asset


@real
@pytest.mark.slow
def test_what_exceeds_the_limits_of_the_scanner_is_held_back(registrar, registrar_client, settings, tmp_path):
    with scanner(tmp_path / "clamd", StreamMaxLength="1M", MaxScanSize="2M") as settings.CLAMD_URL:
        streamed = uploaded(registrar, b"a" * 8 * 1024 * 1024, "long.txt")
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner.txt", random.Random(1).randbytes(2 * 1024 * 1024).hex())
        files = [streamed, uploaded(registrar, packed.getvalue(), "all.zip"), uploaded(registrar)]

        assert scan_due(at=timezone.now()) == 3

        assert [state(asset)[0] for asset in files] == ["unscannable", "unscannable", "clean"]
        answer = registrar_client.get(f"{URL}{streamed.pk}/content/")
        assert (answer.status_code, answer.json()["errors"][0]["meta"]) == (409, {"scan_state": "unscannable"})
        assert scan_due(at=timezone.now() + TRIED_AGAIN_AFTER + timedelta(minutes=1)) == 2


class TestWithoutAScanner:
    @pytest.mark.checklist(56)
    @pytest.mark.usefixtures("down")
    def test_nothing_is_found_clean_and_nothing_is_handed_out(self, registrar, registrar_client):
        asset = uploaded(registrar)

        with pytest.raises(ScannerUnavailableError):
            scan_due(at=timezone.now())
        tasks.scan_content(asset.sha256)

        assert state(asset)[0] == "pending"
        assert registrar_client.get(f"{URL}{asset.pk}/content/").status_code == 409

    @pytest.mark.usefixtures("down")
    def test_what_was_clean_stays_so(self, registrar, registrar_client, settings):
        asset = asset_found(registrar, ScanState.CLEAN)

        with pytest.raises(ScannerUnavailableError):
            scan_due(at=timezone.now() + settings.FILES_RESCANNED_AFTER * 2)

        assert registrar_client.get(f"{URL}{asset.pk}/content/").status_code == 200

    def test_where_none_is_set_up_files_are_handed_out_but_for_those_known_to_be_harmful(
        self, registrar, registrar_client
    ):
        asset = uploaded(registrar)

        assert scan_due(at=timezone.now()) == 0
        tasks.scan_content(asset.sha256)
        assert not OutboxEvent.objects.filter(name="files.content.scan_due").exists()
        assert registrar_client.get(f"{URL}{asset.pk}/content/").status_code == 200
        asset_now(asset, ScanState.INFECTED, at=timezone.now())
        assert registrar_client.get(f"{URL}{asset.pk}/content/").status_code == 409


class TestAnswers:
    @pytest.mark.parametrize(
        ("answer", "verdict"),
        [
            (b"stream: OK\0", Verdict(ScanState.CLEAN)),
            (b"stream: A.Virus FOUND\0", Verdict(ScanState.INFECTED, "A.Virus")),
            (b"INSTREAM failed. ERROR\0", Verdict(ScanState.UNSCANNABLE, "INSTREAM failed. ERROR")),
            (
                b"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0",
                Verdict(ScanState.UNSCANNABLE, "Heuristics.Limits.Exceeded.MaxFileSize"),
            ),
            (b"anything\0", Verdict(ScanState.UNSCANNABLE, "anything")),
        ],
    )
    def test_only_a_clear_word_is_clean(self, settings, answer, verdict):
        with pretender(settings, answer):
            assert clamd.scan(io.BytesIO(PNG)) == verdict

    @pytest.mark.parametrize("answer", [b"", b"stream: OK", b"x" * 10_000])
    def test_what_is_no_whole_answer_is_none(self, settings, answer):
        with pretender(settings, answer), pytest.raises(ScannerUnavailableError):
            clamd.scan(io.BytesIO(PNG))

    def test_one_that_says_nothing_is_given_up(self, settings, monkeypatch):
        monkeypatch.setattr(clamd, "SCAN_SECONDS", 0.2)
        with closing(socket.create_server(("127.0.0.1", 0))) as server:
            settings.CLAMD_URL = f"tcp://127.0.0.1:{server.getsockname()[1]}"

            with pytest.raises(ScannerUnavailableError):
                clamd.scan(io.BytesIO(PNG))

    def test_a_content_that_it_does_not_answer_holds_up_nobody(self, settings, registrar):
        asset = uploaded(registrar)
        with pretender(settings, b"", b"PONG\0"):
            scan_content(asset.sha256, at=timezone.now())

        assert state(asset)[0] == "unscannable"
