"""Writing what somebody notes about a project: each act concerns the locked project as a whole."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from core import crud
from core.db.constraints import refusal, refusing
from core.db.json import ExactEncoder
from core.errors import ConflictError, DomainError, InvalidError, raise_all
from core.visibility import Actor
from projects.models import Project, ProjectMeta
from projects.models.metadata import LARGEST_VALUE, LONGEST_KEY
from projects.services.writing import require_written_here

MOST_KEYS = 100
# What the constraint of the key says.
SPELLING = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*", re.ASCII)


class InvalidMetadataKeyError(InvalidError):
    """A key is spelled as none is."""

    code = "invalid_metadata_key"
    title = f"A key has at most {LONGEST_KEY} small letters and digits, with single - and _ between them."


class MetadataTooLargeError(InvalidError):
    """A value has more than is kept of it."""

    code = "metadata_too_large"
    title = f"A value has at most {LARGEST_VALUE} bytes as JSON."


class TooManyMetadataError(InvalidError):
    """A project would have more keys than it may."""

    code = "too_many_metadata"
    title = f"A project has at most {MOST_KEYS} keys."
    field = "metadata"


class MetadataKeyTakenError(ConflictError):
    """The project has a value under this key."""

    code = "metadata_key_taken"
    title = "The project has a value under this key."


refusal("projects_projectmeta_small", MetadataTooLargeError)


@transaction.atomic
def add_metadata(project: Project, *, by: Actor | None, metadata: Mapping[str, Any]) -> Project:
    """Note values under keys that the project does not have; `metadata_key_taken` for each that it has."""
    _require_sound(metadata, nothing=False)
    taken = project.metadata.filter(key__in=list(metadata)).values_list("key", flat=True)
    raise_all([MetadataKeyTakenError(field=f"metadata.{key}") for key in sorted(taken)])
    return _written(project, metadata)


@transaction.atomic
def replace_metadata(project: Project, *, by: Actor | None, metadata: Mapping[str, Any]) -> Project:
    """Let the project have these values and no others."""
    _require_sound(metadata, nothing=False)
    project.metadata.exclude(key__in=list(metadata)).delete()
    return _written(project, metadata)


@transaction.atomic
def merge_metadata(project: Project, *, by: Actor | None, metadata: Mapping[str, Any]) -> Project:
    """Write these values and keep the others; what is None is removed (RFC 7396, of the keys alone)."""
    _require_sound(metadata, nothing=True)
    project.metadata.filter(key__in=[key for key, value in metadata.items() if value is None]).delete()
    return _written(project, {key: value for key, value in metadata.items() if value is not None})


@transaction.atomic
def clear_metadata(project: Project, *, by: Actor | None) -> Project:
    """Remove all that is noted about the project."""
    return replace_metadata(project, by=by, metadata={})


def _require_sound(metadata: Mapping[str, Any], *, nothing: bool) -> None:
    """Refuse every key and value that is not kept; `nothing` says whether a value may be None."""
    raise_all([error for key, value in metadata.items() for error in _faults(key, value, nothing=nothing)])


def _faults(key: str, value: Any, *, nothing: bool) -> Iterable[DomainError]:
    if len(key) > LONGEST_KEY or not SPELLING.fullmatch(key):
        yield InvalidMetadataKeyError(field=f"metadata.{key[:LONGEST_KEY]}")
    elif value is None and not nothing:
        yield InvalidError("This field may not be null.", field=f"metadata.{key}", code="null")
    elif len(ExactEncoder().encode(value).encode()) > LARGEST_VALUE:
        yield MetadataTooLargeError(field=f"metadata.{key}")


@refusing()
def _written(project: Project, metadata: Mapping[str, Any]) -> Project:
    require_written_here(project)
    ProjectMeta.objects.bulk_create(
        [ProjectMeta(project=project, key=key, value=value) for key, value in metadata.items()],
        update_conflicts=True,
        unique_fields=["project", "key"],
        update_fields=["value", "updated_at"],
    )
    if project.metadata.count() > MOST_KEYS:
        raise TooManyMetadataError
    crud.touch(project)
    return project
