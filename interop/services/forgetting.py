"""What becomes of tables that were asked for when somebody is erased whom they show, or whom their filters name."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat, Greatest

from accounts.models import Person
from audit.models import Disclosure
from core import crud
from core.errors import ConflictError
from core.events import publish
from core.models import PreparedState
from core.privacy import Subject
from core.search import search, words_of
from interop.events import ExportRequested
from interop.models import ExportJob
from interop.services.exporting import ROUTE, SHELF, hold_beginnings
from students.models import Student

# The clocks of the database, which writes the disclosures, and of workers may differ by so much.
CLOCKS = timedelta(minutes=2)


class ErasedError(ConflictError):
    """Nobody is left whom the table would be about."""

    code = "person_erased"
    title = "Somebody whom the table was narrowed to has been erased."


def forget_in_tables(subject: Subject, *, dry_run: bool) -> int:
    """Delete the files that show somebody, and empty the filters of others that name them; return of how many.

    What is being written may show them and is begun anew, once they are erased.
    """
    if not dry_run:
        hold_beginnings()
        _begin_anew()
    showing, naming = set(_showing(subject)), _naming(subject)
    if not dry_run:
        for pk in sorted(showing | naming):
            job = SHELF.locked(pk)
            if job is not None:
                _forget(job, is_shown=pk in showing, is_named=pk in naming)
    return len(showing | naming)


def _begin_anew() -> None:
    """Let those that are writing tables be too late, and others begin."""
    rows: Any = ExportJob.objects.filter(state=PreparedState.REQUESTED).order_by("pk")
    # Waited for are those that finish just now: what they wrote is looked at by the next statement.
    begun = [job.pk for job in rows.select_for_update(of=("self",), no_key=True) if job.run_id is not None]
    # That was no worker's death.
    ExportJob.objects.filter(pk__in=begun).update(run_id=None, attempts=Greatest(F("attempts") - 1, 0))
    for pk in begun:
        publish(ExportRequested(export_id=pk))


def _showing(subject: Subject) -> QuerySet[Any, UUID]:
    """Return the tables that wait to be fetched and show somebody, to themselves or, as is on record, to others.

    What else of the same kind was made for the same account at about that time is taken for such.
    """
    shown = Disclosure.objects.filter(
        subject_id__in=subject.people, actor_id=OuterRef("requested_by"), route=Concat(Value(ROUTE), OuterRef("kind")),
        at__range=(OuterRef("started_at") - CLOCKS, OuterRef("ready_at") + CLOCKS),
    )  # fmt: skip
    ready = ExportJob.objects.filter(state=PreparedState.READY)
    return ready.filter(Q(Exists(shown)) | Q(requested_by__person__in=subject.people)).values_list("pk", flat=True)


def _naming(subject: Subject) -> set[UUID]:
    """Return the jobs of others whose filters name somebody: by an id, or by a word that finds them."""
    others = ExportJob.objects.exclude(filters={}).exclude(requested_by__person__in=subject.people)
    filters = dict(others.values_list("pk", "filters"))
    words = {word for given in filters.values() for word in words_of(given.get("search", ""))}
    ids, finding = set(subject.ids), {word for word in words if _finds(word, subject)}
    return {
        pk for pk, given in filters.items()
        if ids & set(map(str, given.values())) or finding & set(words_of(given.get("search", "")))
    }  # fmt: skip


def _finds(word: str, subject: Subject) -> bool:
    people = Person.objects.filter(pk__in=subject.people)
    students = Student.objects.filter(person__in=subject.people)
    return any(search(rows, word, {}).exists() for rows in (people, students))


def _forget(job: ExportJob, *, is_shown: bool, is_named: bool) -> None:
    if is_shown:
        SHELF.expire(job)
    if is_named:
        lost = {"state": PreparedState.FAILED, "failure": ErasedError.code, "run_id": None}
        crud.update(job, {"filters": {}, **(lost if job.state == PreparedState.REQUESTED else {})})
