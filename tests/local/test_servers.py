"""A checkout's own PostgreSQL and Valkey: there when needed, gone when not, whatever is killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest
from redis import Redis

from campushub360.local import CHECKOUT
from campushub360.local.locks import is_held
from campushub360.local.privileges import becoming
from campushub360.local.secrets import secret
from campushub360.local.servers import ServersError, ensure_servers, release_servers
from tests.local.conftest import eventually, give_to, kill_all, ordinary_account, processes_in

ONLY_POSTGRES = {"REDIS_URL": "redis://elsewhere"}
ONLY_VALKEY = {"DATABASE_URL": "postgres://elsewhere"}

USER = """
import sys, time
from pathlib import Path
from campushub360.local.servers import ensure_servers
print(ensure_servers({"DATABASE_URL": "postgres://elsewhere"}, home=Path(sys.argv[1]))["REDIS_URL"], flush=True)
time.sleep(600)
"""


def start_user(home: Path) -> subprocess.Popen[str]:
    """Start a process that uses Valkey and says where it is."""
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(home)], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, env=os.environ
    )


def state_of(home: Path, name: str) -> dict[str, int]:
    return json.loads((home / name / "state.json").read_text())


def remember(url: str, value: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS memory (value int)")
        connection.execute("INSERT INTO memory VALUES (%s)", [value])


def remembered(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT value FROM memory ORDER BY value")]


def test_both_servers_answer_with_the_rights_the_application_needs_and_no_more(home: Path) -> None:
    urls = ensure_servers({}, home=home)

    with psycopg.connect(urls["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE EXTENSION btree_gist")
        connection.execute("CREATE DATABASE for_a_test")
        rights = connection.execute(
            "SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    with Redis.from_url(urls["REDIS_URL"]) as redis:
        assert redis.ping()
    assert rights == (False, False)


def test_a_server_that_the_environment_names_is_not_started(home: Path) -> None:
    assert set(ensure_servers(ONLY_VALKEY, home=home)) == {"REDIS_URL"}

    assert not (home / "postgres").exists()


def test_a_wrong_password_is_refused(home: Path) -> None:
    url = ensure_servers(ONLY_POSTGRES, home=home)["DATABASE_URL"].replace(
        secret("postgres-password", home=home), "guess"
    )

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url)


def test_a_checkout_may_lie_deeper_than_a_socket_path_reaches(home: Path) -> None:
    deep = home / ("d" * 100) / ("e" * 100)
    try:
        url = ensure_servers(ONLY_POSTGRES, home=deep)["DATABASE_URL"]

        remember(url, 1)
    finally:
        release_servers(home=deep)

    assert eventually(lambda: not processes_in(deep))


def test_the_last_to_leave_takes_the_server_down_and_the_data_stays(home: Path) -> None:
    remember(ensure_servers(ONLY_POSTGRES, home=home)["DATABASE_URL"], 7)

    release_servers(home=home)

    assert eventually(lambda: not processes_in(home))
    assert remembered(ensure_servers(ONLY_POSTGRES, home=home)["DATABASE_URL"]) == [7]


def test_one_of_two_users_may_leave_without_the_other_noticing(home: Path) -> None:
    with start_user(home) as other:
        url = other.stdout.readline().strip()
        assert ensure_servers(ONLY_VALKEY, home=home)["REDIS_URL"] == url

        other.kill()
        other.wait()

        assert not eventually(lambda: not (home / "valkey" / "state.json").exists(), seconds=1)
        with Redis.from_url(url) as redis:
            assert redis.ping()


def test_an_ordinary_user_has_servers_of_their_own_from_the_first_start(home: Path) -> None:
    home.mkdir()
    account = ordinary_account(home)
    user = give_to(account, home)
    code = "import sys, pathlib, campushub360.local.servers as s; s.ensure_servers({}, home=pathlib.Path(sys.argv[1]))"

    done = subprocess.run(
        [sys.executable, "-c", code, str(home)],
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        preexec_fn=becoming(account, death_signal=signal.SIGKILL),
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert eventually(lambda: processes_in(home) == [])
    assert {path.lstat().st_uid for path in home.rglob("*")} == {user}


def test_a_killed_user_counts_as_gone(home: Path) -> None:
    with start_user(home) as user:
        user.stdout.readline()

        user.kill()

    assert eventually(lambda: not processes_in(home))


def test_two_first_starts_at_once_end_with_one_server(home: Path) -> None:
    with start_user(home) as one, start_user(home) as other:
        urls = {one.stdout.readline(), other.stdout.readline()}
        servers = list(processes_in(home / "valkey" / "data"))

        one.kill()
        other.kill()

    assert len(urls) == 1
    assert "" not in urls
    assert len(servers) == 1


@pytest.mark.parametrize("victims", [["pid"], ["keeper"], ["keeper", "pid"]])
def test_whatever_is_killed_the_next_command_finds_postgres_running_with_its_data(
    home: Path, victims: list[str]
) -> None:
    remember(ensure_servers(ONLY_POSTGRES, home=home)["DATABASE_URL"], 7)
    state = state_of(home, "postgres")

    for victim in victims:
        os.kill(state[victim], signal.SIGKILL)
    assert eventually(lambda: not any(psutil.pid_exists(state[victim]) for victim in victims))
    url = ensure_servers(ONLY_POSTGRES, home=home)["DATABASE_URL"]

    assert eventually(lambda: remembered(url) == [7])


def test_a_server_that_dies_comes_back_at_the_same_address(home: Path) -> None:
    url = ensure_servers(ONLY_VALKEY, home=home)["REDIS_URL"]
    former = state_of(home, "valkey")
    with Redis.from_url(url) as redis:
        redis.set("name", "value")

    os.kill(former["pid"], signal.SIGTERM)

    assert eventually(lambda: (home / "valkey" / "state.json").exists() and state_of(home, "valkey") != former)
    with Redis.from_url(url) as redis:
        assert redis.get("name") == b"value"


def test_a_first_start_killed_while_it_makes_the_data_is_made_good_by_the_next(home: Path) -> None:
    keeper = [sys.executable, "-m", "campushub360.local.keeper", "postgres", str(home)]
    with subprocess.Popen(keeper, cwd=CHECKOUT, env=os.environ):
        assert eventually((home / "postgres" / "data.unfinished" / "base").exists)
        kill_all(processes_in(home))
    assert not (home / "postgres" / "data").exists()

    url = ensure_servers(ONLY_POSTGRES, home=home)["DATABASE_URL"]

    remember(url, 1)
    assert [path.name for path in (home / "postgres").glob("data*")] == ["data"]


def test_a_pid_file_that_names_an_unrelated_process_stops_nothing(home: Path) -> None:
    ensure_servers(ONLY_POSTGRES, home=home)
    lines = (home / "postgres" / "data" / "postmaster.pid").read_text().splitlines()
    release_servers(home=home)
    assert eventually(lambda: not is_held(home / "postgres" / "keeper.lock"))
    (home / "postgres" / "data" / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]))

    url = ensure_servers(ONLY_POSTGRES, home=home)["DATABASE_URL"]

    remember(url, 1)


def test_data_of_another_postgres_version_is_refused_in_one_line(home: Path) -> None:
    data = home / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("12\n")

    with pytest.raises(ServersError, match=r"^\S+ was made by PostgreSQL 12 and .* is installed: `make clean`[^\n]*$"):
        ensure_servers(ONLY_POSTGRES, home=home)


def test_a_server_that_cannot_start_says_where_to_look(home: Path) -> None:
    ensure_servers(ONLY_POSTGRES, home=home)
    release_servers(home=home)
    assert eventually(lambda: not is_held(home / "postgres" / "keeper.lock"))
    shutil.rmtree(home / "postgres" / "data" / "global")

    with pytest.raises(ServersError, match=r"^PostgreSQL does not start: .*server\.log\)$"):
        ensure_servers(ONLY_POSTGRES, home=home)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / ".campus").write_text("a file where the directory should be")

    with pytest.raises(ServersError, match="the local servers need to write to"):
        ensure_servers(ONLY_VALKEY, home=tmp_path / ".campus")


def test_secrets_are_made_once_and_readable_by_their_owner_alone(home: Path) -> None:
    first = secret("word", home=home)

    assert secret("word", home=home) == first
    assert secret("other", home=home) != first
    assert (home / "secrets" / "word").stat().st_mode & 0o077 == 0
