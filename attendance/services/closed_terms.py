"""Terms that are over: who was there in them stays as it is, whoever says otherwise and by whatever way.

The services say so of the sessions before anything is written; the database refuses whatever goes past them, and lets
no term be closed while marks are being written in it.
"""

from collections.abc import Iterable

from django.db.models import prefetch_related_objects

from attendance.models import ClassSession
from departments.models import TermState
from enrollment.services import TermClosedError

OVER = (TermState.CLOSED, TermState.ARCHIVED)


def is_over(session: ClassSession) -> bool:
    """Say whether the term of a session is closed; `know_terms` spares the question to the database."""
    return session.section.term.state in OVER


def know_terms(sessions: Iterable[ClassSession]) -> None:
    """Read the terms of sessions, in two statements however many there are, or none where they are known."""
    prefetch_related_objects(list(sessions), "section__term")


def require_open_term(session: ClassSession) -> None:
    """Raise `TermClosedError` when the term of a session is closed."""
    if is_over(session):
        raise term_closed(session)


def term_closed(session: ClassSession) -> TermClosedError:
    """Return the refusal, which names the term and its state."""
    term = session.section.term
    return TermClosedError(
        f"The term {term.code} is {term.state}; what was marked in it stays.", meta={"state": term.state}
    )
