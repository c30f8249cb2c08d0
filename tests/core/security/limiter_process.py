"""A process of its own that spends a limit: `python -m … URL PREFIX LIMIT TIMES`; it says how often it was admitted."""

import sys

from core.security.limiter import Demand, Limit, Limiter

if __name__ == "__main__":
    url, prefix, spelled, times = sys.argv[1:]
    limit = Limit.parse("shared", spelled)
    assert limit is not None
    limiter = Limiter(url, prefix=prefix, patience=60)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(str(sum(limiter.spend([Demand(limit, "everybody")]).is_admitted for _ in range(int(times)))))
