"""The four ways a use case can refuse.

Apps subclass these beside the service that raises them. A domain error is safe to show to the
caller: `core.api.exceptions` turns it into a problem document, the admin into a form error, an
import into a row's reason.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self


class DomainError(Exception):
    """An anticipated refusal with a stable code.

    `field` is the dotted path of the input it concerns, empty when it concerns the whole request.
    `meta` carries facts a client may act upon (JSON-serialisable).
    """

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "The request was refused."
    field: str = ""

    def __init__(
        self,
        detail: str = "",
        *,
        field: str | None = None,
        code: str | None = None,
        meta: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.error_code = code or self.code
        self.meta = dict(meta or {})
        if field is not None:
            self.field = field

    @property
    def violations(self) -> Sequence["DomainError"]:
        """Every single refusal this error stands for."""
        return [self]

    def under(self, path: str) -> Self:
        """Return this refusal with its field moved below `path`, as an item of a list is."""
        self.field = f"{path}.{self.field}" if self.field else path
        return self

    def as_dict(self) -> dict[str, Any]:
        """Return the refusal as an item of a problem document's `errors`."""
        return {"code": self.error_code, "field": self.field, "detail": self.detail, "meta": self.meta}


class InvalidError(DomainError):
    """The request contradicts a rule of the domain."""

    code = "invalid"
    title = "The request is not valid."


class ConflictError(DomainError):
    """The request was legal once; the current state forbids it."""

    code = "conflict"
    title = "The current state forbids this."


class ForbiddenError(DomainError):
    """This actor may not do this to this object."""

    code = "permission_denied"
    title = "You do not have permission to do this."


class OutOfScopeError(ForbiddenError):
    """The row is in sight, but not among those the actor may manage."""

    code = "out_of_scope"
    title = "This row is outside the scope of your role."


class MissingError(DomainError):
    """Something the request names does not exist for this actor."""

    code = "not_found"
    title = "Not found."


class InUseError(ConflictError):
    """Other records still refer to the row that was to be deleted."""

    code = "in_use"
    title = "Other records still refer to this one."


class ViolationsError(DomainError):
    """Several refusals of one request, reported together so that a client can mend them at once.

    It answers with the status of the first violation's kind.
    """

    code = "invalid"
    title = "The request breaks several rules."

    def __init__(self, violations: Sequence[DomainError]) -> None:
        super().__init__("; ".join(violation.detail for violation in violations), code=violations[0].error_code)
        self._violations = [single for violation in violations for single in violation.violations]

    @property
    def violations(self) -> Sequence[DomainError]:
        return self._violations


def raise_all(errors: Sequence[DomainError]) -> None:
    """Raise the only refusal, or all of them as one; do nothing when there is none."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ViolationsError(errors)
