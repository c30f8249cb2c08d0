"""Writing projects: what all have together with what their kind adds, or neither."""

from collections.abc import Mapping
from datetime import date
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db import transaction

from core import crud
from core.bulk import faults
from core.errors import ConflictError, DomainError, InvalidError, raise_all
from core.visibility import Actor
from projects.kinds import Kind, SubtypeMismatchError, kind_of, kinds
from projects.models import Project, ProjectState

# What the key and the type of the project are is not the caller's to say.
FILLED_IN = ("project", "project_type")


class ProjectValues(TypedDict, total=False):
    """What a caller says of a project; and under the name of what its kind adds, the values of that."""

    name: str
    start_date: date | None
    end_date: date | None
    custom_fields: dict[str, Any]
    school_data: Mapping[str, Any] | None
    self_study_data: Mapping[str, Any] | None


class UnknownKindError(InvalidError):
    """There are no projects of this type."""

    code = "invalid_choice"
    title = "There is no such kind of project."
    field = "project_type"


class KindWrittenApartError(ConflictError):
    """Projects of this kind are written by a resource of their own."""

    code = "kind_written_apart"
    title = "Projects of this kind are written by a resource of their own."
    field = "project_type"


@transaction.atomic
def create_project(
    *,
    by: Actor | None,
    project_type: str,
    owner_id: UUID | None = None,
    is_draft: bool = True,
    **values: Unpack[ProjectValues],
) -> Project:
    """Begin a project with what its kind adds, as a draft unless said otherwise; of whoever acts, or of `owner_id`.

    Raises all that is wrong at once: `subtype_mismatch` for what another kind adds, `ends_before_start`, and under the
    name of what the kind adds what is wrong with that.
    """
    return make_project(_written(project_type), by=by, owner_id=owner_id, is_draft=is_draft, values=values)


@transaction.atomic
def make_project(
    kind: Kind, *, by: Actor | None, owner_id: UUID | None = None, is_draft: bool = True, values: Mapping[str, Any]
) -> Project:
    """Do what `create_project` does for whichever kind: what writes a kind apart begins here."""
    own, details, errors = _apart(kind, values)
    state = ProjectState.DRAFT if is_draft else ProjectState.ACTIVE
    owner_id = owner_id or (None if by is None else by.pk)
    errors += _details_faults(kind, details)
    try:
        facts = {"project_type": kind.project_type, "owner_id": owner_id, "state": state}
        project = crud.create(Project, {**own, **facts}, by=by)
    except DomainError as refused:
        raise_all([*refused.violations, *errors])
        raise
    raise_all(errors)
    crud.create(kind.model, {**details, "project": project})
    return project


@transaction.atomic
def update_project(project: Project, *, by: Actor | None, **changes: Unpack[ProjectValues]) -> Project:
    """Change a project and what its kind adds; what is not named stays, and so does the type.

    Raises all that is wrong at once, as `create_project` does, and `EditConflictError`.
    """
    return change_project(_written(project.project_type), project, by=by, changes=changes)


@transaction.atomic
def change_project(kind: Kind, project: Project, *, by: Actor | None, changes: Mapping[str, Any]) -> Project:
    """Do what `update_project` does for whichever kind."""
    own, details, errors = _apart(kind, changes)
    row: Any = getattr(project, kind.details)
    errors += _details_faults(kind, details, row=row)
    version = project.version
    try:
        crud.update(project, own, by=by)
    except DomainError as refused:
        raise_all([*refused.violations, *errors])
        raise
    raise_all(errors)
    if any(getattr(row, name) != value for name, value in details.items()):
        crud.update(row, details)
        if project.version == version:
            crud.touch(project)
    return project


@transaction.atomic
def delete_project(project: Project, *, by: Actor | None) -> None:
    """Delete a project with all that belongs to it; raises `InUseError` while others refer to it."""
    _written(project.project_type)
    crud.delete(project)


def require_written_here(project: Project) -> None:
    """Raise `KindWrittenApartError` for a project that another resource writes."""
    _written(project.project_type)


def _written(project_type: str) -> Kind:
    """Return the kind of a type that these services write."""
    kind = kind_of(project_type)
    if kind is None:
        raise UnknownKindError
    if kind.is_written_apart:
        raise KindWrittenApartError
    return kind


def _apart(kind: Kind, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], list[DomainError]]:
    """Return a project's own values, those of what its kind adds, and a refusal of what another kind would add."""
    of_kinds = {each.details for each in kinds()}
    own = {name: value for name, value in values.items() if name not in of_kinds}
    foreign = [name for name in of_kinds - {kind.details} if values.get(name) is not None]
    errors: list[DomainError] = [
        SubtypeMismatchError(f"A {kind.label} has no {name}.", field=name) for name in sorted(foreign)
    ]
    return own, dict(values.get(kind.details) or {}), errors


def _details_faults(kind: Kind, details: Mapping[str, Any], *, row: Any = None) -> list[DomainError]:
    """Return what is wrong with what the kind adds, or with what changes of it."""
    found = faults(kind.model, details, partial=row is not None, ignoring=FILLED_IN, row=row)
    if not found:
        standing = {} if row is None else {name: getattr(row, name) for name in kind.fields}
        found = list(kind.validate({**standing, **details}))
    for each in found:
        if each.error_code in ("required", "blank") and each.field in kind.fields:
            each.detail = kind.demand(each.field)
    return [each.under(kind.details) for each in found]
