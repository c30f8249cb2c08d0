"""Files that the application leaves to nginx to send: the deployed nginx, and what the application tells it."""

import hashlib
import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.test import RequestFactory

from files.handing_out import response_with
from files.models import FileAsset
from files.store import store
from tests.files.contents import PNG
from tests.local.proxying import Proxy, nginx

pytestmark = [pytest.mark.slow, pytest.mark.needs("nginx")]
DIGEST = hashlib.sha256(PNG).hexdigest()


class Application(BaseHTTPRequestHandler):
    """Answers every request as the application answers one for the content of a file."""

    def do_GET(self) -> None:
        asset = FileAsset(name="Größe.png", media_type="image/png", size=len(PNG), sha256=DIGEST)
        answer: Any = response_with(asset, RequestFactory().get(self.path))
        self.send_response(200)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def proxy(tmp_path: Path, settings: Any) -> Iterator[Proxy]:
    settings.FILES_SENT_FROM = "/stored-files/"
    settings.FILES_ROOT = tmp_path / "stored-files"
    store().keep(store().receive(io.BytesIO(PNG), largest=len(PNG)))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Application)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with nginx(tmp_path, application=server.server_port, with_edge=False) as proxy:
            yield proxy
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.checklist(53)
def test_nginx_sends_the_content_with_every_header_that_the_application_would(proxy: Proxy) -> None:
    answer = proxy.ask("/api/v1/files/x/content/")

    assert (answer.status, answer.getheader("Content-Length")) == (200, str(len(PNG)))
    for name, value in {
        "Content-Type": "image/png",
        "Content-Disposition": "attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe.png",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
        "ETag": f'"{DIGEST}"',
    }.items():
        assert answer.headers.get_all(name) == [value], name
    assert answer.getheader("X-Accel-Redirect") is None
    part = proxy.ask("/api/v1/files/x/content/", {"Range": "bytes=2-4"})
    assert (part.status, part.getheader("Content-Range")) == (206, f"bytes 2-4/{len(PNG)}")


def test_nobody_asks_for_the_folder_itself(proxy: Proxy) -> None:
    assert proxy.ask(f"/stored-files/{store().place_of(DIGEST)}").status == 404
