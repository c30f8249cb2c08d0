"""Tables kept by month, so that the newest rows are found among few and the oldest leave without a row being deleted.

An app makes its table `PARTITION BY RANGE` of a date or an instant, has it kept by `operations.KeepMonthly` in the same
migration, and declares when it is ready what becomes of its months. The months to come are made by a chore, which the
application may do through a function of their owner; taking months out is the owner's alone. What no month was made for
lands in the default partition, from which it is moved when its month is made.
"""

from core.partitions.archives import Archive, DamagedArchiveError
from core.partitions.archiving import NotOwnerError, archive_month, archive_old, restore
from core.partitions.declarations import KeptError, Monthly, UnknownTableError, declare, declared, key_of
from core.partitions.making import make_months, open_months
from core.partitions.standing import Standing, standings

__all__ = [
    "Archive",
    "DamagedArchiveError",
    "KeptError",
    "Monthly",
    "NotOwnerError",
    "Standing",
    "UnknownTableError",
    "archive_month",
    "archive_old",
    "declare",
    "declared",
    "key_of",
    "make_months",
    "open_months",
    "restore",
    "standings",
]
