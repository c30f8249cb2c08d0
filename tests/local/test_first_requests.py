"""The pages of first requests and of files, run line by line: bash and curl against `make run`, as typed by hand."""

import json
import re
import shlex
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from campushub360.local import CHECKOUT
from tests.local.conftest import Run, free_port

# In the worker of the other runs: they share a copy of the checkout.
pytestmark = [pytest.mark.slow]

PAGES = ("first-requests.md", "files.md")
PAGE = "\n".join((CHECKOUT / "docs" / "how-to" / name).read_text() for name in PAGES)
PASSWORD = "a-password-for-every-demo-account"
AGAIN = "The same line again"
PROMISE = re.compile(r"(?:^|refused with )(?P<status>\d{3})\b(?: `?(?P<code>[a-z_]+)(?:`|$))?")
# Asks as the page does, and writes down what status came back.
PRELUDE = """
set -euo pipefail
curl() {
    local code=0
    command curl --max-time 60 --dump-header headers.txt "$@" || code=$?
    sed -n '1s/^[^ ]* \\([0-9]*\\).*/\\1/p' headers.txt >> statuses.txt
    return $code
}
: > statuses.txt
"""
NEXT = "printf '\\0'; printf '=' >> statuses.txt\n"


@dataclass(frozen=True)
class Told:
    """A line of the page, what came back, and what the page says of it."""

    line: str
    statuses: list[int]
    output: str
    promise: str

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.output)
        return body


def lines_of(block: str) -> list[str]:
    """Split a block where a person would press return: not in a continued line, nor in a text that follows `<<`."""
    lines: list[str] = []
    unfinished, end = False, ""
    for line in block.splitlines():
        if unfinished or end:
            lines[-1] += "\n" + line
            end = "" if line == end else end
        else:
            lines.append(line)
        if opened := re.search(r"<<(\w+)", line):
            end = opened[1]
        unfinished = line.endswith("\\")
    return lines


def lines_with_promises() -> list[tuple[str, str]]:
    """Return every line of the pages in order, each with what its comment or the text below says of it."""
    found: list[tuple[str, str]] = []
    for part in re.split(r"\n(?=\S)|\n\n(?=    )", PAGE):
        text = part.strip("\n")
        if text.startswith("    "):
            block = re.sub(r"^    ", "", text, flags=re.MULTILINE)
            found += [(line, (re.findall(r" # (.*)", line) or [""])[-1]) for line in lines_of(block)]
        elif text.startswith(AGAIN):
            line, promise = found[-1]
            found.append((line, promise if "answers the same" in text else text))
    return found


@pytest.fixture(scope="module")
def run(checkout: Path) -> Iterator[Run]:
    """Provide a `make run` on demo data."""
    # A busy machine may take long for a hundred, one after another.
    run = Run(checkout, free_port(), {"DEMO_PASSWORD": PASSWORD, "DATABASE_POOL_TIMEOUT": "60"})
    try:
        assert run.is_up(), run.text
        yield run
    finally:
        if run.process.poll() is None:
            run.stop()


@pytest.fixture(scope="module")
def told(run: Run, tmp_path_factory: pytest.TempPathFactory) -> list[Told]:
    """Run the page from its first line to its last in one shell, and return what each line told."""
    (start, _), *lines = lines_with_promises()
    assert start == "make run"
    script = PRELUDE
    for line, _ in lines:
        mine = re.sub(r"^PASSWORD=\S+", f"PASSWORD={shlex.quote(PASSWORD)}", line)
        script += mine.replace("127.0.0.1:8000", f"127.0.0.1:{run.port}") + "\n" + NEXT
    place = tmp_path_factory.mktemp("shell")
    done = subprocess.run(
        [shutil.which("bash") or "bash", "-c", script], cwd=place, capture_output=True, text=True, check=False
    )
    outputs = done.stdout.split("\0")[:-1]
    assert done.returncode == 0, (lines[len(outputs)], done.stderr)
    statuses = [list(map(int, part.split())) for part in (place / "statuses.txt").read_text().split("=")]
    return [Told(line, codes, out, said) for (line, said), codes, out in zip(lines, statuses, outputs, strict=False)]


def answer(told: list[Told], words: str) -> dict[str, Any]:
    """Return the answer to the first line with these words."""
    return next(one for one in told if words in one.line).body


def test_every_answer_has_the_status_and_the_code_that_the_page_gives_it(told: list[Told]) -> None:
    codes = []
    for one in told:
        *within, status = one.statuses or [200]
        promised = PROMISE.search(one.promise)
        assert status == (int(promised["status"]) if promised else 200), one
        assert set(within) <= {200}, one
        if promised and promised["code"]:
            assert one.body["code"] == promised["code"], one
            codes.append(promised["code"])

    assert codes == ["unknown_parameter", "in_use", "duplicate_enrollment", "in_use"]


def test_a_file_comes_back_as_it_was_uploaded(told: list[Told]) -> None:
    [part] = [one.output for one in told if "Range: bytes" in one.line]

    assert answer(told, "file=@letter.txt")["data"]["media_type"] == "text/plain"
    assert part == "a photo of the admission letter"[2:7]


def test_the_lists_show_what_the_page_asks_them_for(told: list[Told]) -> None:
    three = answer(told, '"$BASE/students/?page_size=3')
    following = answer(told, "8000$NEXT")
    admitted = answer(told, "ordering=-admitted_on")["data"]
    numbered = answer(told, "page=2&page_size=10")
    [course, *_] = answer(told, "fields=code,title")["data"]

    assert len(three["data"]) == len(following["data"]) == 3
    assert not ids(three) & ids(following)
    assert {student["status"] for student in admitted} == {"active"}
    assert "Lindberg" in {student["last_name"] for student in answer(told, "search=lindbrg")["data"]}
    assert answer(told, "custom.blood_group")["data"]
    assert (numbered["meta"]["pagination"]["page"], len(numbered["data"])) == (2, 10)
    assert numbered["meta"]["pagination"]["total"] == 1_000
    assert set(course) == {"code", "title", "department"}
    assert "kind" in course["department"]


def ids(body: dict[str, Any]) -> set[str]:
    return {row["id"] for row in body["data"]}


def test_a_repeated_creation_answers_the_same_and_all_faults_come_at_once(told: list[Told]) -> None:
    first, again = (one.output for one in told if "my-first-department" in one.line)

    assert first == again
    assert [error["field"] for error in answer(told, "castle")["errors"]] == ["code", "name", "kind"]


def test_an_unchanged_row_is_not_sent_again(told: list[Told]) -> None:
    [output] = [one.output for one in told if "If-None-Match" in one.line]

    assert output.split() == ["304"]


def test_a_hundred_threads_race_for_thirty_seats_of_the_server(run: Run) -> None:
    logged_in: Any = run.log_in("registrar", PASSWORD)
    token = logged_in["data"]["access"]

    def ask(method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
        with closing(HTTPConnection("127.0.0.1", run.port, timeout=120)) as connection:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            connection.request(method, f"/api/v1/{path}", json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            return answer.status, json.load(answer)

    _, offered = ask("GET", "sections/?status=open&has_seats=true&page_size=1")
    _, students = ask("GET", "students/?status=active&page_size=100&fields=id")
    like = offered["data"][0]
    _, course = ask("GET", f"courses/{like['course']['id']}/")
    new = {"code": "RACE", "title": "Race", "credits": "3.00", "department": course["data"]["department"]["id"]}
    _, course = ask("POST", "courses/", new)
    offer = {"course": course["data"]["id"], "term": like["term"]["id"], "code": "A", "capacity": 30}
    _, section = ask("POST", "sections/", offer)
    opened, _ = ask("POST", f"sections/{section['data']['id']}/move/", {"status": "open"})
    wishes = [{"student": row["id"], "section": section["data"]["id"]} for row in students["data"]]

    with ThreadPoolExecutor(len(wishes)) as threads:
        answers = list(threads.map(partial(ask, "POST", "enrollments/"), wishes))

    assert (opened, len(wishes)) == (200, 100)
    assert Counter((status, body.get("code")) for status, body in answers) == {
        (201, None): 30,
        (409, "section_full"): 70,
    }
    _, section = ask("GET", f"sections/{section['data']['id']}/")
    assert section["data"]["enrolled_count"] == 30
