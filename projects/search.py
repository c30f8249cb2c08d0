"""Finding projects by words: every word of a search begins one of the project's, and what says more of it comes first.

A word in the name counts for more than one in what the kind adds, and that for more than one in a note.
"""

from typing import Any, TypeVar

from django.db.models import F, Func, IntegerField, QuerySet, Value

from core.search import Matches, Prefixes, Words, words_of
from projects.models import Project, ProjectWords

ProjectT = TypeVar("ProjectT", bound=Project)


class Rank(Func):
    """How much a vector says of a query, in millionths: a whole number, so that a page ends where the next begins."""

    template = "round(ts_rank(%(expressions)s) * 1000000)::integer"
    output_field = IntegerField()


def found_by(projects: QuerySet[ProjectT], text: str) -> QuerySet[ProjectT]:
    """Narrow projects to those that a text finds: all of them by a blank one, none by one without letter or digit."""
    if not text.strip():
        return projects
    words = words_of(text)
    if not words:
        return projects.none()
    found = ProjectWords.objects.filter(Matches(F("words"), _query(words)))
    return projects.filter(pk__in=found.values("project"))


def ranked(projects: QuerySet[ProjectT], text: str) -> QuerySet[ProjectT]:
    """Let projects say by `rank` how well they fit a text: by a blank one, all alike."""
    words = words_of(text)
    found: QuerySet[Any] = projects.annotate(rank=Rank(F("words__words"), _query(words)) if words else Value(0))
    return found


def _query(words: list[str]) -> Prefixes:
    return Prefixes(Words(Value(" ".join(words))))
