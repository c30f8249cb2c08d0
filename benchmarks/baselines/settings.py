"""What every baseline is told: the environment that `benchmarks.servers` gives it."""

import os

DATABASE_URL = os.environ["BASELINE_DATABASE_URL"]
# What the tokens are signed with, by HMAC: what these frameworks' tutorials do.
TOKEN_KEY = os.environ["BASELINE_TOKEN_KEY"]
# Connections to the database that each process may have.
POOL_SIZE = int(os.environ["BASELINE_POOL_SIZE"])
PAGE_SIZE = 25
