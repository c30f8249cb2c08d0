"""Calls to addresses that somebody named reach public hosts alone, and hold nobody."""

import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from core.security.outgoing import CallError, UnusableUrlError, check_url, is_callable, post
from tests.notifications.listener import Listener, drip, flood, listening

pytestmark = pytest.mark.checklist(59)
INSIDE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200",
    "0.0.0.0", "224.0.0.1", "240.0.0.1", "255.255.255.255", "168.63.129.16", "192.0.0.192", "198.18.0.1",  # noqa: S104 - not bound to
    "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1", "fec0::1",
]  # fmt: skip
PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]


@pytest.fixture
def plain(settings: Any) -> None:
    settings.OUTGOING_PLAIN_HTTP = True
    settings.OUTGOING_ALLOWED_NETWORKS = ["127.0.0.1/32"]


@pytest.fixture
def listener(plain: None) -> Iterator[Listener]:
    with listening() as server:
        yield server


def leading(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let names lead to these addresses, one answer after the other; return the names that were asked for."""
    asked: list[str] = []
    waiting = list(answers)

    def getaddrinfo(host: str, port: int, **_options: Any) -> list[Any]:
        asked.append(host)
        found = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in found
        ]

    monkeypatch.setattr("core.security.outgoing.socket.getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_inside_is_called_by_its_number_or_by_a_name(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spelled = f"[{address}]" if ":" in address else address
    leading(monkeypatch, [address])

    with pytest.raises(UnusableUrlError, match="address"):
        check_url(f"https://{spelled}/")
    with pytest.raises(CallError, match="AddressNotPublic"):
        post("https://innocent.example/", b"", {})


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_called(address: str) -> None:
    assert is_callable(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "https://", "https:///x",
        "https://user:word@example.org/", "https://user@example.org/", "https://example.org:22/",
        "https://example.org:99999/", "https://example.org/#part", "https://exa mple.org/", "https://example.org\\@evil/",
        "https://example.org/\r\nX: y", "https://exämple.org/", "https://[::1", "javascript:alert(1)", "", "/path",
        "https://example.org/" + "x" * 500,
    ],
)  # fmt: skip
def test_other_urls_are_none(url: str) -> None:
    with pytest.raises(UnusableUrlError):
        check_url(url)


@pytest.mark.parametrize(
    "url", ["https://2130706433/", "https://0x7f.1/", "https://017700000001/", "https://localhost/"]
)
def test_other_spellings_of_the_own_machine_lead_to_it_and_are_not_called(url: str) -> None:
    with pytest.raises(CallError):
        post(url, b"", {})


def test_a_name_that_leads_inside_as_well_is_not_called(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    leading(monkeypatch, ["127.0.0.1", "10.0.0.1"])

    with pytest.raises(CallError, match="AddressNotPublic"):
        post(listener.url("both.example"), b"", {})

    assert not listener.calls


def test_a_name_is_asked_once_and_the_address_that_was_looked_at_is_called(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that says something else the second time is asked no second time (DNS rebinding)."""
    asked = leading(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])

    assert post(listener.url("rebinding.example"), b"{}", {"X-Sent": "yes"}).status == 204

    assert asked == ["rebinding.example"]
    [(path, headers, body)] = listener.calls
    assert (path, body, headers["x-sent"]) == ("/hook", b"{}", "yes")
    assert headers["host"] == f"rebinding.example:{listener.port}"


def test_the_second_answer_is_refused_where_the_first_was_not(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    leading(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])

    post(listener.url("rebinding.example"), b"", {})
    with pytest.raises(CallError, match="AddressNotPublic"):
        post(listener.url("rebinding.example"), b"", {})


def test_a_redirect_is_an_answer_and_not_followed(listener: Listener) -> None:
    listener.status = 307

    assert post(listener.url(), b"{}", {}).status == 307
    assert [path for path, _, _ in listener.calls] == ["/hook"]


@pytest.mark.parametrize("say", [drip, lambda call: time.sleep(3)])
def test_a_slow_answer_is_given_up_in_time(listener: Listener, say: Any) -> None:
    listener.say = say
    began = time.monotonic()

    with pytest.raises(CallError, match="TimeoutError"):
        post(listener.url(), b"{}", {}, seconds=0.5)

    assert time.monotonic() - began < 2


def test_of_an_endless_answer_a_little_is_read(listener: Listener) -> None:
    listener.say = flood

    assert post(listener.url(), b"{}", {}, seconds=5).status == 200


def test_nobody_there_is_a_failure_that_quotes_nothing(plain: None) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(CallError, match=r"^ConnectionRefusedError$"):
            post(f"http://127.0.0.1:{taken.getsockname()[1]}/secret", b"", {})


class TestByTls:
    @pytest.fixture
    def certificate(self, tmp_path: Path) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hooks.example")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example")]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )  # fmt: skip
        path = tmp_path / "hooks.pem"
        no_password = serialization.NoEncryption()
        shape = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password
        path.write_bytes(key.private_bytes(*shape) + made.public_bytes(serialization.Encoding.PEM))
        return path

    @pytest.fixture
    def secured(self, certificate: Path, settings: Any) -> Iterator[Listener]:
        settings.OUTGOING_ALLOWED_NETWORKS = ["127.0.0.1/32"]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        with listening(context=context) as server:
            yield server

    def test_a_host_proves_who_it_is_at_the_address_that_was_looked_at(
        self, secured: Listener, certificate: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.OUTGOING_CA_FILE = str(certificate)
        leading(monkeypatch, ["127.0.0.1"])

        assert post(secured.url("hooks.example"), b"{}", {}).status == 204
        with pytest.raises(CallError, match="SSLCertVerificationError"):
            post(secured.url("others.example"), b"{}", {})
        assert len(secured.calls) == 1

    def test_a_host_that_nobody_vouches_for_is_told_nothing(
        self, secured: Listener, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        leading(monkeypatch, ["127.0.0.1"])

        with pytest.raises(CallError, match="SSLCertVerificationError"):
            post(secured.url("hooks.example"), b"{}", {})
        assert not secured.calls
