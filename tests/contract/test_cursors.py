"""A cursor is a place in a list and nothing else: whoever carries it reads nothing of the row that it stands at."""

import base64
import binascii
import zlib
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit
from uuid import UUID

import pytest
from rest_framework.test import APIClient

from accounts.roles import Role
from core.api.keyset import Keyset
from tests.contract.conftest import client_of
from tests.contract.routes import Route, routes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("university"), pytest.mark.sweep]

LISTS = [route for route in routes() if route.lists]
# Shorter ones turn up by chance in what is encrypted.
SHORTEST = 7
DECODERS: tuple[Callable[[bytes], bytes], ...] = (
    lambda text: base64.b64decode(padded(text)),
    lambda text: base64.urlsafe_b64decode(padded(text)),
    lambda text: base64.b32decode(padded(text, 8), casefold=True),
    base64.b85decode,
    base64.a85decode,
    binascii.unhexlify,
    lambda text: unquote_plus(text.decode()).encode(),
    lambda text: text.decode().encode("latin-1").decode("unicode_escape").encode(),
    zlib.decompress,
    lambda text: zlib.decompress(text, wbits=-zlib.MAX_WBITS),
    lambda text: zlib.decompress(text, wbits=zlib.MAX_WBITS + 16),
    lambda text: text[::-1],
)


def padded(text: bytes, to: int = 4) -> bytes:
    return text + b"=" * (-len(text) % to)


def readings(token: str) -> set[bytes]:
    """Return what a token, or a part of it, says to whoever takes it for one thing or another, and that for another."""
    read = {token.encode(), *token.encode().split(b".")}
    for _ in range(2):
        read |= {found for text in list(read) for found in decoded(text)}
    return read


def decoded(text: bytes) -> Iterator[bytes]:
    for decode in DECODERS:
        try:
            yield decode(text)
        except (ValueError, zlib.error):
            continue


def spellings(value: Any) -> Iterator[bytes]:
    """Yield how a value of a row would stand in a token."""
    if isinstance(value, UUID):
        yield from (value.bytes, value.bytes_le)
    said = value.isoformat() if hasattr(value, "isoformat") else str(value)
    for text in {said, said.replace("-", ""), *said.split()}:
        if len(text) >= SHORTEST:
            yield text.encode()
            yield text.encode("utf-16-le")


def texts(shown: Any) -> Iterator[str]:
    """Yield every text and number that an answer shows."""
    if isinstance(shown, dict | list):
        for each in shown.values() if isinstance(shown, dict) else shown:
            yield from texts(each)
    elif shown is not None and not isinstance(shown, bool):
        yield str(shown)


@pytest.fixture(scope="module")
def everybody(university: None) -> dict[str, APIClient]:
    """Provide a client of each role."""
    return {role: client_of(role) for role in Role.values}


@pytest.mark.checklist(5)
@pytest.mark.parametrize("route", LISTS, ids=str)
def test_no_cursor_tells_anything_of_the_row_that_it_stands_at(everybody: dict[str, APIClient], route: Route) -> None:
    url, carried = route.list_url(), 0
    for role, client in everybody.items():
        page = client.get(url, {"page_size": 1}).json()
        following = (page.get("meta") or {}).get("pagination", {}).get("next")
        if following is None:
            continue
        carried += 1
        token = parse_qs(urlsplit(following).query)["cursor"][0]
        row = route.view.queryset.all().filter(pk=page["data"][0]["id"]) if "id" in page["data"][0] else None
        kept = [] if row is None else place_of(route, row)

        said = readings(token)

        for value in [*kept, *texts(page["data"])]:
            for spelt in spellings(value):
                assert not any(spelt in text for text in said), (role, value)
    assert carried


def place_of(route: Route, row: Any) -> list[Any]:
    """Return the values by which a row is ordered, whether they are shown or not."""
    names = [route.view.ordering_fields.get(name.lstrip("-"), name) for name in route.view.default_ordering]
    ordering = Keyset.of(row.order_by(*(name.removeprefix("-") for name in names)))
    found = ordering.ordered(row).first()
    return [] if found is None else [value for value in ordering.key(found) if value is not None]


def test_what_is_plain_would_be_found() -> None:
    cursor = base64.urlsafe_b64encode(b'[0,"Lovelace","Augusta"]').decode().rstrip("=") + ".signature"

    assert any(spelt in text for spelt in spellings("Augusta") for text in readings(cursor))
    assert any(spelt in text for spelt in spellings("Augusta") for text in readings(b"Augusta".hex()))
