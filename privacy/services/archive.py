"""Everything that the records say about a person, as one ZIP: for each table a JSON file and the same as CSV."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from psycopg.types.range import Range

from core.privacy import Personal, Subject, as_plain, columns_of, declared, in_steps, name_of
from core.tables import line

INTRODUCTION = """What the records of {institution} say about you, as of {at:%Y-%m-%d %H:%M} UTC.

Each table is there twice: as JSON, which says exactly what is recorded, and as CSV for spreadsheets. In CSV an
apostrophe before = + - @ keeps a text from being taken for a formula. What is kept as a file is there as that file, in
a folder named as its table and under its id. Rows refer to each other by their ids. Keys to
other people, who dealt with your records in the course of their work, are ids alone. Secrets, such as the hash of your
password, are left out; so is what the database computes from the rest.
{protected}
"""
MASKED = "Identity numbers are masked, because this file was made for somebody else than the person.\n"


class _Encoder(DjangoJSONEncoder):
    def default(self, o: Any) -> Any:
        if isinstance(o, Range):
            return {"from": o.lower, "until": o.upper}
        return super().default(o)


@contextmanager
def one_moment() -> Iterator[None]:
    """Let all that the block reads be of one moment, in a transaction of its own; in a caller's, it is the caller's."""
    is_own = not connection.in_atomic_block
    with transaction.atomic():
        if is_own:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def listed(subject: Subject) -> dict[str, int]:
    """Return how many rows of each table are about a person."""
    return {each.model._meta.label: each.rows(subject).count() for each in declared()}


def write_archive(target: Any, subject: Subject, *, to_themselves: bool, at: datetime) -> dict[str, int]:
    """Write the archive to a stream and return how many rows it has of each table; a step of rows is in memory."""
    counts = {}
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for each in declared():
            counts[each.model._meta.label] = _write_table(archive, each, subject, to_themselves=to_themselves)
        archive.writestr("README.txt", _readme(counts, to_themselves=to_themselves, at=at))
    return counts


def _write_table(archive: ZipFile, declaration: Personal, subject: Subject, *, to_themselves: bool) -> int:
    def rows() -> Iterator[dict[str, Any]]:
        found = in_steps(declaration.rows(subject))
        return (as_plain(declaration, row, subject, to_themselves=to_themselves) for row in found)

    found = rows()
    first = next(found, None)
    if first is None:
        return 0
    label, count = declaration.model._meta.label_lower, 0
    with _member(archive, f"{label}.json") as member:
        for count, row in enumerate(chain([first], found), 1):
            member.write(("[\n" if count == 1 else ",\n") + json.dumps(row, cls=_Encoder, ensure_ascii=False))
        member.write("\n]\n")
    with _member(archive, f"{label}.csv") as member:
        member.write("\ufeff" + line(name_of(column) for column in columns_of(declaration)))
        for row in rows():
            member.write(line(map(_flat, row.values())))
    _write_attachments(archive, declaration, subject)
    return count


def _write_attachments(archive: ZipFile, declaration: Personal, subject: Subject) -> None:
    if declaration.attaches is None:
        return
    for row in in_steps(declaration.rows(subject)):
        name, content = declaration.attaches(row)
        with archive.open(f"{declaration.model._meta.label_lower}/{name}", "w") as member:
            for piece in content:
                member.write(piece)


@contextmanager
def _member(archive: ZipFile, name: str) -> Iterator[io.TextIOWrapper]:
    with archive.open(name, "w") as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as text:
        yield text


def _flat(value: Any) -> Any:
    """Return what fits into a cell: what is made of parts becomes JSON."""
    if isinstance(value, dict | list | Range):
        return json.dumps(value, cls=_Encoder, ensure_ascii=False)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _readme(counts: dict[str, int], *, to_themselves: bool, at: datetime) -> str:
    text = INTRODUCTION.format(
        institution=settings.INSTITUTION_NAME or "the university", at=at, protected="" if to_themselves else MASKED
    )
    for each in declared():
        label, count = each.model._meta.label, counts[each.model._meta.label]
        text += f"\n{label.lower()}: {each.says} {count} rows.\n    Kept: {each.kept}\n"
        text += "".join(f"    Left out: {name}. {reason}\n" for name, reason in sorted(each.withholds.items()))
    return text
