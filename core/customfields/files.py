"""What a file value refers to, decided by whichever app keeps files.

`core` knows no files. The app that does registers one resolver when it is ready; until then no
file value is accepted. It also appoints itself as the keeper of the references that records hold,
and as what chooses a file in a form.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from django import forms
from django.contrib.admin.widgets import AdminUUIDInputWidget
from django.utils.safestring import SafeString

from core.customfields.errors import FileUnavailableError
from core.errors import DomainError
from core.models import CustomField, CustomFieldType
from core.visibility import Actor

# Says whether a record that `actor` writes (None: a job of the system) may refer to the file.
Resolver = Callable[[UUID, Actor | None], bool]
# Makes the form field by which an actor chooses a file, from the options of every form field.
FieldBuilder = Callable[[Any, dict[str, Any]], forms.Field]


class Keeper(Protocol):
    """Knows which record refers to which file by which field."""

    def refer(self, definition: CustomField, wanted: Mapping[UUID, UUID], *, among: Iterable[UUID]) -> list[UUID]:
        """Note the files by record, for the records `among`; return the records whose file is not there any more."""

    def release(self, ids: Iterable[UUID]) -> None:
        """End the references of records that are about to be deleted."""


_resolvers: list[Resolver] = []
_keepers: list[Keeper] = []
# How forms choose a file, and how pages that nobody may change lead to one.
_pages: list[tuple[FieldBuilder, Callable[[Any], SafeString]]] = []


def register_file_resolver(resolver: Resolver) -> Resolver:
    """Accept the files that `resolver` knows as values of file fields."""
    _resolvers.append(resolver)
    return resolver


def unregister_file_resolver(resolver: Resolver) -> None:
    """Accept the files of `resolver` no longer; stored values stay."""
    _resolvers.remove(resolver)


def appoint_file_keeper(keeper: Keeper) -> None:
    """Tell `keeper` which records refer to which files from now on."""
    _keepers[:] = [keeper]


def choose_files_by(builder: FieldBuilder, link: Callable[[Any], SafeString]) -> None:
    """Let forms choose files by the field that `builder` makes, and pages lead to them by `link`."""
    _pages[:] = [(builder, link)]


def require_file(file_id: UUID, actor: Actor | None) -> None:
    """Raise `FileUnavailableError` unless a resolver knows the file."""
    if not any(resolver(file_id, actor) for resolver in _resolvers):
        raise FileUnavailableError


def file_field(actor: Any, options: dict[str, Any]) -> forms.Field:
    """Return the form field by which the actor chooses a file."""
    return _pages[0][0](actor, options) if _pages else forms.UUIDField(**options, widget=AdminUUIDInputWidget)


def link_to_file(file_id: str) -> str:
    """Return what leads a page to a file: a link, or its id where no app has files."""
    return _pages[0][1](file_id) if _pages else file_id


def refer_to_files(held: Mapping[UUID, Mapping[str, Any]], definitions: Sequence[CustomField]) -> list[DomainError]:
    """Let the keeper note the files of records just written; return a refusal for each that is not there any more."""
    errors: list[DomainError] = []
    for definition in definitions:
        if definition.field_type != CustomFieldType.FILE:
            continue
        wanted = {pk: UUID(data[definition.name]) for pk, data in held.items() if definition.name in data}
        for keeper in _keepers:
            errors += [
                FileUnavailableError(field=f"custom_fields.{definition.name}", meta={"id": str(pk)})
                for pk in keeper.refer(definition, wanted, among=held)
            ]
    return errors


def release_files(ids: Iterable[UUID]) -> None:
    """Let the keeper know that records are about to be deleted, with what they refer to."""
    gone = list(ids)
    for keeper in _keepers:
        keeper.release(gone)
