"""Writing the days that matter to a project: each act concerns the locked project as a whole."""

from datetime import date as day
from typing import TypedDict, Unpack

from django.db import transaction

from core import crud
from core.errors import InvalidError
from core.visibility import Actor
from projects.models import ImportantDate, Project
from projects.services.writing import require_written_here

MOST_DATES = 50


class DateChanges(TypedDict, total=False):
    """What may be changed of a date."""

    title: str
    date: day
    description: str


class TooManyDatesError(InvalidError):
    """A project would have more dates than it may."""

    code = "too_many_dates"
    title = f"A project has at most {MOST_DATES} important dates."


@transaction.atomic
def add_important_date(
    project: Project, *, by: Actor | None, title: str, date: day, description: str = ""
) -> ImportantDate:
    """Note a day of the project. Raises `TooManyDatesError` and `EditConflictError`."""
    require_written_here(project)
    if project.important_dates.count() >= MOST_DATES:
        raise TooManyDatesError
    values = {"project": project, "title": title, "date": date, "description": description}
    row = crud.create(ImportantDate, values, by=by)
    crud.touch(project)
    return row


@transaction.atomic
def update_important_date(row: ImportantDate, *, by: Actor | None, **changes: Unpack[DateChanges]) -> ImportantDate:
    """Change what is noted of a day; the same again changes nothing. Raises `EditConflictError`."""
    require_written_here(row.project)
    version = row.version
    crud.update(row, changes, by=by)
    if row.version != version:
        crud.touch(row.project)
    return row


@transaction.atomic
def delete_important_date(row: ImportantDate, *, by: Actor | None) -> None:
    """Remove a day from its project. Raises `EditConflictError`."""
    require_written_here(row.project)
    crud.touch(row.project)
    crud.delete(row)
