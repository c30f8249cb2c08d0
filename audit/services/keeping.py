"""How this app keeps what the foundation tells it."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from audit.services.disclosures import record_disclosures
from audit.services.events import record, record_denial


class Keeper:
    """Keeps what the foundation has to say of disclosures and refusals."""

    def disclosed(self, *, what: str, subjects: Collection[UUID], to: Any, permission: str, route: str) -> None:
        """Put every disclosure on record."""
        record_disclosures(what=what, subjects=subjects, to=to, permission=permission, route=route)

    def denied(self, *, code: str, route: str) -> None:
        """Put a refusal on record."""
        record_denial(code=code, route=route)

    def administered(self, *, action: str, subject: Any) -> None:
        """Put an act of administration on record."""
        record(action=f"admin.{action}", subject=subject)
