"""What is exact among the threads of one process is so among processes, too."""

import json
import os
import subprocess
import sys

import pytest
from django.utils import timezone
from psycopg.conninfo import conninfo_to_dict

from accounts import services, tokens
from accounts.models import GuessCount, Session
from accounts.services.guesses import FREE
from campushub360.local import CHECKOUT
from core.db.notifications import direct_conninfo

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ADA, PASSWORD, WRONG = "ada@example.org", "correct horse battery staple", "incorrect horse battery staple"


@pytest.mark.checklist(22, 33)
def test_processes_that_race_guess_no_more_and_continue_the_session_once(settings):
    settings.DATABASE_DIRECT_URL = ""  # so that the others are sent to the database of the tests
    services.create_user(by=None, email=ADA, password=PASSWORD)
    refresh = services.log_in(email=ADA, password=PASSWORD, at=timezone.now()).refresh
    database = conninfo_to_dict(direct_conninfo())
    url = "postgres://{user}:{password}@{host}:{port}/{dbname}".format(**{"password": "", **database})

    racers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.accounts.racing_process", ADA, WRONG, refresh, "20"],
            cwd=CHECKOUT, env={**os.environ, "DATABASE_URL": url}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        ) for _ in range(3)
    ]  # fmt: skip
    assert [racer.stdout and racer.stdout.readline() for racer in racers] == ["ready\n"] * 3
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    said = [json.loads(racer.communicate(timeout=120)[0]) for racer in racers]

    assert sum(each["compared"] for each in said) == FREE == GuessCount.objects.get().guesses
    (successor,) = {each for process in said for each in process["successors"]}
    session = Session.objects.get()
    assert bytes(session.current_refresh_hash) == tokens.hash_of(successor)
    assert session.revoked_at is None
