"""The kinds of projects there are, and how another is added.

What every project has stands in `projects.models.Project`, what one of a kind has besides in a table of its own: a row
there has the id and the type of its project (a composite foreign key), and at commit every project has such a row in
the table of its type, or the transaction is refused with `subtype_mismatch`. The table of `field_trip` is
`projects_fieldtripproject`: the database finds it by that name, so a project of a kind without a table cannot be.

A kind is one module of `projects.models` and one migration:

1. a model `FieldTripProject(ProjectDetails)` with `project = belongs_to("field_trip_data")`, `project_type =
   type_of_project("field_trip")` and the columns that it adds, each required one with `given(...)`;
2. beneath it `register(Kind(...))`, and an import of both in `projects/models/__init__.py`;
3. the migration that Django makes of the model, with `KeepDetails("projects_fieldtripproject")` at its end, and
   `SearchDetails("projects_fieldtripproject", ["destination"])` if projects are to be found by words of it.

Readers, writers, filters, a list at `/projects/<resource>/`, the services and the errors follow. A kind whose projects
are written by a resource of its own says `is_written_apart`: it is read with the others, and the usual services refuse
to write it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from core.db.constraints import refusal
from core.errors import DomainError, InvalidError


class SubtypeMismatchError(InvalidError):
    """A project and what its kind adds would not belong together, or one would be there without the other."""

    code = "subtype_mismatch"
    title = "A project has what its own kind adds, and nothing that another kind does."


def nothing_more(values: Mapping[str, Any]) -> Sequence[DomainError]:
    """Find nothing wrong beside what the columns say."""
    return ()


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What there is to know about the projects of one type.

    `label` is said in sentences ("a school project"); `details` is the name of what the kind adds, in JSON and from a
    project to its row; `resource` is the last part of the path of its list. `fields` are the columns that are shown
    and written, those in `filtered` are filters of that list, those in `searched` are found by words. `validate` looks
    at their values together and returns what is wrong, each refusal with the name of its column as its field.
    """

    project_type: str
    label: str
    model: type[Model]
    details: str
    resource: str
    fields: tuple[str, ...]
    filtered: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()
    validate: Callable[[Mapping[str, Any]], Sequence[DomainError]] = nothing_more
    is_written_apart: bool = False

    @property
    def required(self) -> tuple[str, ...]:
        """The columns without which there is no project of this kind."""
        return tuple(name for name in self.fields if not self.column(name).blank)

    def column(self, name: str) -> Any:
        """Return a column of what the kind adds."""
        return self.model._meta.get_field(name)

    def demand(self, name: str) -> str:
        """Say that a column is required."""
        title = str(self.column(name).verbose_name)
        return f"{title[:1].upper()}{title[1:]} is required for {self.label}s."


_kinds: dict[str, Kind] = {}
refusal("projects_project_details_exist", SubtypeMismatchError)


def register(kind: Kind) -> Kind:
    """Let there be projects of this kind."""
    _kinds[kind.project_type] = kind
    refusal(f"{kind.model._meta.db_table}_of_project", SubtypeMismatchError)
    return kind


def unregister(kind: Kind) -> None:
    """Let there be no projects of this kind any more; their table stays."""
    del _kinds[kind.project_type]


def kinds() -> list[Kind]:
    """Return every kind, in the order in which they were registered."""
    return list(_kinds.values())


def written_kinds() -> list[Kind]:
    """Return the kinds that the usual services write."""
    return [kind for kind in kinds() if not kind.is_written_apart]


def kind_of(project_type: str) -> Kind | None:
    """Return the kind of a type, if there is one."""
    return _kinds.get(project_type)


def project_types() -> list[tuple[str, str]]:
    """Return the types that a project may have, with their labels."""
    return [(kind.project_type, f"{kind.label[:1].upper()}{kind.label[1:]}") for kind in kinds()]
