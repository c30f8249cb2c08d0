"""What the logs announce to the layers above them."""

from dataclasses import dataclass
from typing import ClassVar

from core.events import Event


@dataclass(frozen=True, kw_only=True)
class AlertRaised(Event):
    """Something is on record that somebody should look at."""

    name: ClassVar[str] = "audit.alert.raised"

    alert_id: int
