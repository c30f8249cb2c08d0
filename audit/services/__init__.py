"""What writes to the logs, and what keeps them in order."""

from audit.services.disclosures import record_disclosures
from audit.services.events import record
from audit.services.keeping import Keeper
from audit.services.partitions import make_partitions

__all__ = ["Keeper", "make_partitions", "record", "record_disclosures"]
