"""What a file value refers to, decided by whichever app keeps files.

`core` knows no files. The app that does registers one resolver when it is ready; until then no
file value is accepted.
"""

from collections.abc import Callable
from uuid import UUID

from core.customfields.errors import FileUnavailableError
from core.visibility import Actor

# Says whether a record that `actor` writes (None: a job of the system) may refer to the file.
Resolver = Callable[[UUID, Actor | None], bool]

_resolvers: list[Resolver] = []


def register_file_resolver(resolver: Resolver) -> Resolver:
    """Accept the files that `resolver` knows as values of file fields."""
    _resolvers.append(resolver)
    return resolver


def unregister_file_resolver(resolver: Resolver) -> None:
    """Accept the files of `resolver` no longer; stored values stay."""
    _resolvers.remove(resolver)


def require_file(file_id: UUID, actor: Actor | None) -> None:
    """Raise `FileUnavailableError` unless a resolver knows the file."""
    if not any(resolver(file_id, actor) for resolver in _resolvers):
        raise FileUnavailableError
