"""What is worth an alert, and whom it is mailed to. A threshold of 0 is none."""

from datetime import timedelta

import environ

_env = environ.Env()

ALERT_RECIPIENTS = [address.strip() for address in _env.list("ALERT_RECIPIENTS", default=[]) if address.strip()]
# What is counted together, and for how long the same alert is not raised again.
ALERT_WINDOW = timedelta(hours=1)
# So many people's records shown to one account, at any time and outside of hours.
ALERT_DISCLOSED = _env.int("ALERT_DISCLOSED", default=1000)
ALERT_DISCLOSED_OFF_HOURS = _env.int("ALERT_DISCLOSED_OFF_HOURS", default=200)
# The first and the last hour outside of hours, in TIME_ZONE: 22-5 is from 22:00 to 05:59.
ALERT_OFF_HOURS = _env.str("ALERT_OFF_HOURS", default="") or "22-5"
# So many accounts locked, or so many failed log-ins from so many addresses.
ALERT_LOCKED = _env.int("ALERT_LOCKED", default=10)
ALERT_FAILED = _env.int("ALERT_FAILED", default=500)
ALERT_FAILED_ADDRESSES = _env.int("ALERT_FAILED_ADDRESSES", default=20)
