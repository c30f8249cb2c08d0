"""Beginning an import, asking for its steps, and forgetting it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from django.db import transaction

from core import crud
from core.errors import ConflictError, InvalidError
from core.events import publish
from core.visibility import Actor
from interop.events import ApplicationRequested, ValidationRequested
from interop.models import IN_FORCE, ImportJob
from interop.models import ImportState as State
from interop.reading.stored import SealedFile
from interop.services import files, states
from interop.services.application import refuse_repetition
from interop.services.reversal import request_reversal
from interop.sources import cells
from interop.targets.registration import BEYOND_CAPACITY

OPTIONS: Mapping[str, type] = {"overwrite_edited": bool, BEYOND_CAPACITY: bool, "starts_on": str, "ends_on": str}
DAYS = frozenset({"starts_on", "ends_on"})
NAME_LENGTH = 255
# States from which a worker may begin, or go on with, a step.
VALIDATABLE = frozenset(state for state, allowed in states.TRANSITIONS.items() if State.VALIDATING in allowed)
APPLICABLE = frozenset({State.VALIDATED, State.APPLYING, State.FAILED})
INTERRUPTED = frozenset({State.UPLOADED, State.VALIDATING, State.APPLYING, State.FAILED, State.REVERTING})


class UnknownOptionError(InvalidError):
    """An option that no import has, or a value that it cannot have."""

    code = "unknown_option"
    title = "Imports have no such option."
    field = "options"


class InForceError(ConflictError):
    """The records still hold what the import wrote."""

    code = "import_in_force"
    title = "What the import wrote is in force; take it back first."


def upload(
    *,
    by: Actor | None,
    kind: str,
    content: BinaryIO,
    file_name: str,
    mapping: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    force: bool = False,
) -> ImportJob:
    """Store an uploaded file and begin its import; a worker validates it.

    Refused when the beginning of the file shows that it cannot be imported, and with
    `override_not_permitted` when an option waives rules that `by` may not waive everywhere.
    """
    states.require_importer(by)
    checked = _checked(options or {})
    states.require_options(by, checked)
    name = _safe_name(file_name)
    stored, sha256 = files.store(content, name)
    try:
        with files.open_source(kind, SealedFile(files.root() / stored), name, mapping or {}, checked):
            pass
        place = _Place(name, str(stored), sha256, is_uploaded=True)
        with transaction.atomic():
            transaction.on_commit(files.Provisional(files.root() / stored))
            return _create(by, kind, place, mapping or {}, checked, force=force)
    except BaseException:
        (files.root() / stored).unlink(missing_ok=True)
        raise


def from_path(
    *,
    by: Actor | None,
    kind: str,
    path: Path,
    mapping: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    force: bool = False,
) -> ImportJob:
    """Begin the import of a file or folder where it lies."""
    place = path.resolve()
    name, checked = _safe_name(place.name), _checked(options or {})
    states.require_options(by, checked)
    found = _Place(name, str(place), files.digest_of(place), is_uploaded=False)
    return _create(by, kind, found, mapping or {}, checked, force=force)


@dataclass(frozen=True)
class _Place:
    """Where the file of an import lies, and what it is known by."""

    file_name: str
    stored_path: str
    sha256: str
    is_uploaded: bool


@transaction.atomic
def _create(
    by: Actor | None, kind: str, place: _Place, mapping: Mapping[str, Any], options: Mapping[str, Any], *, force: bool
) -> ImportJob:
    values = {
        **asdict(place),
        "kind": kind,
        "mapping": dict(mapping),
        "options": dict(options),
        # Whoever asks for hand-made changes to be overwritten wants the same file again.
        "is_forced": force or bool(options.get("overwrite_edited")),
        "actor_id": states.id_of(by),
    }
    job = crud.create(ImportJob, values, by=by)
    if place.is_uploaded:
        publish(ValidationRequested(job_id=job.pk, requested_by=states.id_of(by)))
    return job


@transaction.atomic
def request_validation(job: ImportJob, *, by: Actor | None) -> ImportJob:
    """Let a worker find out what the file would do, again; refused with `illegal_transition`."""
    states.require_importer(by)
    states.require_options(by, job.options)
    if job.state not in VALIDATABLE | {State.VALIDATING}:
        raise states.TransitionError(f"An import that is {job.state} is not validated again.")
    publish(ValidationRequested(job_id=job.pk, requested_by=states.id_of(by)))
    return job


@transaction.atomic
def request_application(job: ImportJob, *, by: Actor | None) -> ImportJob:
    """Let a worker write the records of a validated file, or go on where an earlier run stopped.

    Refused with `illegal_transition`, or with `already_imported` when the same file is in force.
    """
    states.require_importer(by)
    states.require_options(by, job.options)
    if not is_past_validation(job):
        raise states.TransitionError(f"An import that is {job.state} cannot be applied.")
    if job.state != State.APPLYING:
        refuse_repetition(job)
    publish(ApplicationRequested(job_id=job.pk, requested_by=states.id_of(by)))
    return job


@transaction.atomic
def request_resumption(job: ImportJob, *, by: Actor | None) -> ImportJob:
    """Let a worker go on with the step in which a job was interrupted or failed.

    Refused with `illegal_transition` when there is none.
    """
    if job.state not in INTERRUPTED:
        raise states.TransitionError(f"An import that is {job.state} has nothing to go on with.")
    if job.state == State.REVERTING:
        return request_reversal(job, by=by)
    return request_application(job, by=by) if is_past_validation(job) else request_validation(job, by=by)


def is_past_validation(job: ImportJob) -> bool:
    """Say whether the step that a job takes next is to write its records."""
    return job.state in APPLICABLE and job.validated_at is not None


@transaction.atomic
def delete_job(job: ImportJob, *, by: Actor | None) -> None:
    """Forget an import and its file; refused with `import_in_force` while the records hold what it wrote."""
    locked = states.locked(job.pk)
    has_written = locked.rows.filter(applied_at__isnull=False, before__isnull=False).exists
    if (locked.state in IN_FORCE and locked.has_effect) or (locked.state == State.FAILED and has_written()):
        raise InForceError
    if locked.state in (State.APPLYING, State.REVERTING):
        raise states.TransitionError("The import is being worked on.")
    crud.delete(locked)
    transaction.on_commit(lambda: files.discard(job))


def _checked(options: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in options.items():
        if name not in OPTIONS or not isinstance(value, OPTIONS[name]):
            raise UnknownOptionError(f"{str(name)[:80]!r} is no option, or has another kind of value.")
    for name in DAYS & options.keys():
        try:
            cells.day(options[name])
        except ValueError:
            raise UnknownOptionError(f"{name} is a day such as 2026-08-20.") from None
    if 0 < len(DAYS & options.keys()) < len(DAYS):
        raise UnknownOptionError("starts_on and ends_on are given together.")
    return dict(options)


def _safe_name(name: str) -> str:
    """Return a file's name without folders and control characters."""
    bare = Path(name.replace("\\", "/")).name or "file"
    shown = "".join(c for c in bare if c.isprintable())[:NAME_LENGTH]
    return shown.encode("utf-8", "replace").decode() or "file"
