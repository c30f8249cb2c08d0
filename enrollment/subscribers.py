"""What enrolment reacts to."""

from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.models import User
from core.events import subscribe
from courses.events import SectionCancelled
from enrollment import services


@subscribe(SectionCancelled)
def release_everybody_from_a_cancelled_section(event: dict[str, Any]) -> None:
    """Cancel the live enrolments of the section."""
    services.cancel_all_in(
        UUID(event["section_id"]),
        by=User.objects.filter(pk=event["actor_id"]).first() if event["actor_id"] else None,
        at=datetime.fromisoformat(event["happened_at"]),
        reason=event["reason"],
    )
