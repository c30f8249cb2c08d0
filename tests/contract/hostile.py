"""Input as attackers, accidents and broken clients send it."""

import json
from dataclasses import dataclass
from typing import Any

DEEP = 100_000
OCTETS = "application/octet-stream"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Frame:
    """A body that no operation can mean anything by, and the status that says so."""

    body: bytes
    status: int = 400
    content_type: str = "application/json"
    encoding: str = ""


FRAMES = {
    "an escaped NUL": Frame(rb'{"name": "a\u0000b"}'),
    "a NUL": Frame(b'{"name": "a\x00b"}'),
    "a NUL in a key": Frame(rb'{"na\u0000me": "a"}'),
    "a high surrogate alone": Frame(rb'{"name": "\ud83d"}'),
    "a low surrogate alone": Frame(rb'{"name": "\ude00"}'),
    "surrogates the wrong way round": Frame(rb'{"name": "\ude00\ud83d"}'),
    "a surrogate in a key": Frame(rb'{"\udfff": "a"}'),
    "brackets": Frame(b"[" * DEEP),
    "closed brackets": Frame(b"[" * DEEP + b"]" * DEEP),
    "nested objects": Frame(b'{"a":' * DEEP + b"1" + b"}" * DEEP),
    "brackets in a field": Frame(b'{"name": ' + b"[" * DEEP + b"]" * DEEP + b"}"),
    "NaN": Frame(b'{"capacity": NaN}'),
    "Infinity": Frame(b'{"capacity": Infinity}'),
    "-Infinity": Frame(b'{"capacity": -Infinity}'),
    "1e400": Frame(b'{"capacity": 1e400}'),
    "-1e400": Frame(b'{"capacity": -1e400}'),
    "10^30": Frame(b'{"capacity": %d}' % 10**30),
    "-10^30": Frame(b'{"capacity": %d}' % -(10**30)),
    "2^63": Frame(b'{"capacity": %d}' % 2**63),
    "a number of 100,000 digits": Frame(b'{"capacity": ' + b"9" * DEEP + b"}"),
    "a fraction of 100,000 digits": Frame(b'{"capacity": 0.' + b"9" * DEEP + b"}"),
    "a key twice": Frame(b'{"name": "a", "name": "b"}'),
    "a key twice, escaped": Frame(rb'{"name": "a", "n\u0061me": "b"}'),
    "a key twice, deeper": Frame(b'{"items": [{"name": "a", "name": "b"}]}'),
    "2 MB": Frame(b'{"name": "' + b"a" * 2_000_000 + b'"}', 413),
    "2 MB of blanks": Frame(b" " * 2_000_000 + b"{}", 413),
    "bad UTF-8": Frame(b'{"name": "\xff\xfe"}'),
    "an overlong form": Frame(b'{"name": "\xc0\xaf"}'),
    "a surrogate in UTF-8": Frame(b'{"name": "\xed\xa0\x80"}'),
    "UTF-8 cut short": Frame(b'{"name": "\xe2\x82'),
    "UTF-16": Frame('{"name": "a"}'.encode("utf-16")),
    "a byte order mark": Frame(b'\xef\xbb\xbf{"name": "a"}'),
    "JSON cut short": Frame(b'{"name": '),
    "JSON and more": Frame(b'{"name": "a"} {"name": "b"}'),
    "single quotes": Frame(b"{'name': 'a'}"),
    "a comment": Frame(b'{"name": "a" /* b */}'),
    "a trailing comma": Frame(b'{"name": "a",}'),
    "a control character": Frame(b'{"name": "a\x01b"}'),
    "an unknown escape": Frame(rb'{"name": "\x41"}'),
    "a leading zero": Frame(b'{"capacity": 012}'),
    "blanks": Frame(b"  \n"),
    "null": Frame(b"null"),
    "true": Frame(b"true"),
    "a number": Frame(b"5"),
    "a string": Frame(b'"name"'),
    "an array": Frame(b"[]"),
    "an array of objects": Frame(b'[{"name": "a"}]'),
    "XML": Frame(b"<a/>", 415, "application/xml"),
    "a form": Frame(b"name=a&name=b", 415, FORM),
    "a form with a file": Frame(b"--x\r\nbroken", 415, "multipart/form-data; boundary=x"),
    "a form without a boundary": Frame(b"--x\r\nbroken", 415, "multipart/form-data"),
    "octets": Frame(b"\x00\x01\x02", 415, OCTETS),
    "text": Frame(b'{"name": "a"}', 415, "text/plain"),
    "a type that is none": Frame(b'{"name": "a"}', 415, "json"),
    "UTF-16 as it says": Frame(b'{"name": "a"}', 415, "application/json; charset=utf-16"),
    "a charset that is none": Frame(b'{"name": "a"}', 415, "application/json; charset=\x7f"),
    "gzip": Frame(b"\x1f\x8b\x08\x00", 415, encoding="gzip"),
}

# One for each way in which a view could stand aside from the common parser.
COMMON_FRAMES = (
    "an escaped NUL",
    "a low surrogate alone",
    "brackets in a field",
    "NaN",
    "1e400",
    "10^30",
    "a key twice",
    "2 MB",
    "bad UTF-8",
    "JSON cut short",
    "null",
    "an array of objects",
    "a form",
    "text",
)

# Values for any field, whatever its type: each is wrong for most of them, and few for none.
VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    -(2**63),
    2**63 - 1,
    2**31,
    0.1,
    1e308,
    -5e-324,
    "",
    " ",
    "x",
    "a" * 300,
    "a" * 30_000,
    "-1",
    "9" * 40,
    "1e400",
    "NaN",
    "-Infinity",
    "0.000000000000000000000000000001",
    "١٢",
    "2026-02-30",
    "0000-00-00",
    "0001-01-01",
    "9999-12-31",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999-14:00",
    "2026-11-21T09:00:00",
    "24:00:00",
    "23:59:59.999999",
    "00000000-0000-0000-0000-000000000000",
    "{00000000-0000-0000-0000-000000000000}",
    "not-an-id",
    "'; DROP TABLE students_student; --",
    "%s %(name)s {0} \\u0000 \\x00",
    "\u202e\u200b\ufeff\ufffe\U0010ffff",
    [],
    [None],
    [[]],
    ["x"] * 1_001,
    {},
    {"id": None},
    {"": ""},
    {"$ne": 1, "__class__": "x", "id__in": [1]},
    [{"id": "x"}, {}],
]


def encoded(value: Any) -> bytes:
    """Return a value as JSON."""
    return json.dumps(value).encode()
