"""What this app announces: contents that are a worker's part."""

from dataclasses import dataclass
from typing import ClassVar

from core.events import Event


@dataclass(frozen=True, kw_only=True)
class ScanDue(Event):
    """Something was uploaded that a scanner has to look at."""

    name: ClassVar[str] = "files.content.scan_due"

    sha256: str
