"""A process of its own that guesses and refreshes at a given moment: `python -m … EMAIL WRONG REFRESH TIMES`.

It says as JSON which successors of the refresh token it got, and how often it compared a guess with the stored hash.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import django

if __name__ == "__main__":
    django.setup()

    from django.contrib.auth.hashers import get_hasher
    from django.db import connection
    from django.utils import timezone

    from accounts import services
    from accounts.models import User

    email, wrong, refresh, times = sys.argv[1:]
    stored, compared = User.objects.get(email=email).password, []
    hasher = type(get_hasher())
    verify = hasher.verify

    def counting(self, password, encoded):
        compared.extend([encoded] if encoded == stored else [])
        return verify(self, password, encoded)

    hasher.verify = counting

    def act(number):
        try:
            if number % 2:
                return services.refresh_session(refresh=refresh, ip=None, at=timezone.now()).refresh
            services.log_in(email=email, password=wrong, at=timezone.now())
        except (services.InvalidCredentialsError, services.InvalidRefreshError) as refused:
            return type(refused).__name__ if number % 2 else None
        finally:
            connection.close()

    connection.close()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(act, range(int(times))))
    sys.stdout.write(json.dumps({"compared": len(compared), "successors": sorted({each for each in got if each})}))
