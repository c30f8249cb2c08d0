"""How long texts are compared with, and what becomes of them when somebody is erased."""

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import QuerySet

from core.db.purging import purge
from core.privacy import Subject
from core.privacy.retention import held_people
from texts.models import Document

KEPT = timedelta(days=5 * 365)
BATCH = 200

_LEAVE = """
    UPDATE texts_document
    SET authors = ARRAY(SELECT author FROM unnest(authors) AS author WHERE author <> ALL (%(people)s::uuid[])),
        updated_at = statement_timestamp()
    WHERE authors && %(people)s::uuid[]
"""


def documents_due(at: datetime) -> QuerySet[Document]:
    """Return the texts that have had their time, but for those of people whose records are held."""
    return Document.objects.filter(created_at__lt=at - KEPT).exclude(authors__overlap=held_people())


def purge_documents(at: datetime) -> int:
    """Forget texts that have had their time, in small transactions; return how many.

    Raises `LockHeldError` when somebody else is at it.
    """
    return purge(documents_due(at), order="created_at", batch=BATCH)


def forget_authors(subject: Subject, *, dry_run: bool) -> int:
    """Forget what a person wrote: texts of theirs alone go, others stay as those of whom they wrote them with."""
    people = list(subject.people)
    theirs = Document.objects.by(people)
    if dry_run:
        return theirs.count()
    alone, _ = theirs.filter(authors__contained_by=people).delete()
    with connection.cursor() as cursor:
        cursor.execute(_LEAVE, {"people": people})
        return alone + int(cursor.rowcount)
