"""Putting on record what somebody did or tried."""

import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import DatabaseError, models, transaction

from audit.models import Event
from core.logging import describe, keep_plain_facts
from core.provenance import origin

logger = logging.getLogger(__name__)

DENIED = "access.denied"


def record(
    *,
    action: str,
    actor: Any = None,
    subject: models.Model | type[models.Model] | None = None,
    on_behalf_of: UUID | None = None,
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> Event:
    """Put an act on record, in the caller's transaction if there is one.

    `actor` is who did it when that is not whom the request comes from, `subject` a row or a kind of row. Of `reason`
    and `detail`, what looks like a secret is masked and what is no plain fact is left out, as in the logs.
    """
    source = origin()
    facts = keep_plain_facts(None, "", {"reason": reason, "detail": dict(detail or {})})
    # One statement and no savepoint: an entry is neither updated nor looked at again.
    return Event.objects.create(
        action=action,
        actor_id=getattr(actor, "pk", None) or source.actor_id,
        actor_label=str(actor)[:254] if actor is not None else source.actor_label,
        on_behalf_of=on_behalf_of,
        subject_kind=subject._meta.label_lower if subject is not None else "",
        subject_id=str(subject.pk) if isinstance(subject, models.Model) else "",
        reason=facts["reason"],
        request_id=source.request_id,
        key_prefix=source.key_prefix,
        address=source.address,
        detail=facts["detail"],
    )


def record_denial(*, code: str, route: str) -> None:
    """Put a refusal on record. One that cannot be recorded stays a refusal, and the log says so."""
    try:
        with transaction.atomic():
            record(action=DENIED, detail={"code": code, "route": route})
    except DatabaseError as error:
        logger.error("audit.denial_lost", extra={"code": code, "route": route, "error": describe(error)})  # noqa: TRY400 - of a database that is away, the trace says nothing
