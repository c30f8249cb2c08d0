"""What writes to the logs, and what keeps them in order."""

from audit.services.alerts import alert_about_account, alert_disclosures, raise_alert, windows
from audit.services.disclosures import record_disclosures
from audit.services.events import record
from audit.services.keeping import Keeper
from audit.services.redaction import ERASED, allow_erasing, erase_history
from audit.services.seals import RestoredError, Verdict, seal_logs, seal_restored, verify_logs

__all__ = [
    "ERASED",
    "Keeper",
    "RestoredError",
    "Verdict",
    "alert_about_account",
    "alert_disclosures",
    "allow_erasing",
    "erase_history",
    "raise_alert",
    "record",
    "record_disclosures",
    "seal_logs",
    "seal_restored",
    "verify_logs",
    "windows",
]
