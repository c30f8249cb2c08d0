"""Putting texts where later ones are compared with them, and taking them away again."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from django.db import transaction

from core.errors import InvalidError
from texts.analysis.comparing import Text
from texts.models import Document

# In characters: some five hundred pages.
LONGEST = 1_000_000
BATCH = 100
# What a database takes in no text; each is one character, so whatever is found stands at the same place.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class TextTooLongError(InvalidError):
    """A text is longer than `LONGEST`."""

    code = "text_too_long"
    title = f"The text is longer than {LONGEST:,} characters."


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A text as it is registered: one of a corpus, of the record `owner`, by these people."""

    corpus: str
    owner: UUID
    text: str
    authors: Collection[UUID] = ()


def register(entry: Entry) -> Document:
    """Let later texts be compared with this one; it takes the place of what its owner has in the corpus.

    Raises `TextTooLongError`.
    """
    rows = _documents([entry])
    with transaction.atomic():
        _store(rows)
        return Document.objects.get(corpus=entry.corpus, owner=entry.owner)


def register_many(entries: Iterable[Entry]) -> int:
    """Register texts as `register` does, some in each transaction; return how many. Raises `TextTooLongError`."""
    waiting, count = iter(entries), 0
    while batch := list(islice(waiting, BATCH)):
        rows = _documents(batch)
        _store(rows)
        count += len(rows)
    return count


def remove(*, corpus: str, owner: UUID) -> bool:
    """Compare nothing with the text of a record any more; say whether there was one."""
    return bool(Document.objects.filter(corpus=corpus, owner=owner).delete()[0])


def _documents(entries: Collection[Entry]) -> list[Document]:
    # In one order, so that two who register the same texts wait for each other and for nothing else.
    latest = {(entry.corpus, entry.owner): entry for entry in entries}
    return [_document(latest[key]) for key in sorted(latest)]


def _store(rows: Collection[Document]) -> None:
    Document.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["corpus", "owner"],
        update_fields=["authors", "text", "hashes", "updated_at"],
    )


def _document(entry: Entry) -> Document:
    if len(entry.text) > LONGEST:
        raise TextTooLongError(field="text")
    text = _UNSTORABLE.sub("\ufffd", entry.text)
    authors = sorted(set(entry.authors))
    return Document(corpus=entry.corpus, owner=entry.owner, authors=authors, text=text, hashes=Text(text).hashes)
