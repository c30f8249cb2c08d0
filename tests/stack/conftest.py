"""A stack of the tests' own, in a copy of the checkout: `make stack` as somebody types it, from nothing."""

import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.staleness.scene import Scene
from benchmarks.staleness.stack import RunningStack, wait_until
from campushub360.local import CHECKOUT
from campushub360.local.clean import clean
from campushub360.local.engine import free_port
from tests.local.conftest import LEFT_BEHIND

PASSWORD = "a-password-for-every-demo-account"


@dataclass
class Stack:
    """The stack of a checkout, which is started when somebody needs it."""

    checkout: Path
    port: int = field(default_factory=free_port)

    @property
    def home(self) -> Path:
        return self.checkout / ".campus" / "stack"

    @property
    def certificate(self) -> Path:
        return self.home / "certificate.pem"

    def make(self, word: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Do what `make stack` or `make stack-down` does."""
        mine = {"PATH": os.environ["PATH"], "HOME": str(self.checkout), "PORT": str(self.port)}
        return subprocess.run(
            [sys.executable, "-m", "campushub360.local.stack", word],
            cwd=self.checkout, capture_output=True, text=True, check=False,
            env=mine | {"DEMO_PASSWORD": PASSWORD, "WEB_CONCURRENCY": "1", **environment},
        )  # fmt: skip

    def is_up(self) -> bool:
        try:
            return self.supervisor().is_running()
        except (FileNotFoundError, psutil.NoSuchProcess):
            return False

    def supervisor(self) -> psutil.Process:
        return psutil.Process(json.loads((self.home / "state.json").read_text())["supervisor"][0])

    def process(self, *words: str) -> psutil.Process:
        """Return the child of the supervisor that has these words on its command line."""
        [found] = [
            child for child in self.supervisor().children() if all(word in " ".join(child.cmdline()) for word in words)
        ]
        return found

    def ask(self, path: str, token: str = "", *, method: str = "GET", body: Any = None) -> tuple[int, Any]:
        """Ask through the edge, and return the status and what the answer holds."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        with closing(http.client.HTTPSConnection("localhost", self.port, context=context, timeout=60)) as edge:
            edge.request(method, f"/api/v1{path}", json.dumps(body) if body is not None else None, headers)
            answer = edge.getresponse()
            text = answer.read()
        is_json = "json" in answer.headers.get("Content-Type", "")
        return answer.status, json.loads(text)["data"] if is_json and answer.status < 400 else text

    def log_in(self, role: str = "registrar") -> str:
        account = {"email": f"{role}@demo.campushub360.example", "password": PASSWORD}
        status, pair = self.ask("/auth/token/", method="POST", body=account)
        assert status == 200, pair
        return str(pair["access"])


@dataclass
class Build:
    """The code that the servers of a stack run, of which one line may be broken."""

    scene: Scene
    checkout: Path
    sound: dict[Path, str] = field(default_factory=dict)

    def break_line(self, name: str, line: str, by: str) -> Scene:
        """Let the servers run with one line replaced, and return the scene with log-ins that are new to the edge."""
        self.mend()
        file = self.checkout / name
        self.sound[file] = file.read_text()
        assert self.sound[file].count(line) == 1, f"{name} does not say once: {line}"
        file.write_text(self.sound[file].replace(line, by))
        self.restart()
        return Scene.logged_in(self.scene.stack, self.scene.ids)

    def mend(self) -> None:
        for file, text in self.sound.items():
            file.write_text(text)
        self.sound.clear()

    def restart(self) -> None:
        """Have every server run what is written now."""
        former = self.scene.stack.workers()
        for worker in former:
            worker.kill()
        wait_until(lambda: len(self.scene.stack.workers()) == len(former), "all workers are back")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Provide a checkout in which no stack has run yet, and end the one that does at last."""
    copy = tmp_path_factory.mktemp("stack") / "CampusHub360"
    shutil.copytree(CHECKOUT, copy, ignore=LEFT_BEHIND)
    yield Stack(copy)
    clean(copy, copy / ".campus")


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """Provide a checkout in which no stack ever comes up."""
    copy = tmp_path_factory.mktemp("idle") / "CampusHub360"
    shutil.copytree(CHECKOUT, copy, ignore=LEFT_BEHIND)
    return Stack(copy)


@pytest.fixture
def stack(place: Stack) -> Stack:
    """Provide a stack that is up: the one of the test before, unless that has ended it."""
    done = place.make("up")
    assert done.returncode == 0, done.stdout + done.stderr
    return place


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    """Hold the scene on the module's stack: who writes and reads is made and logged in once."""
    return []


@pytest.fixture
def scene(place: Stack, scenes: list[Scene], request: pytest.FixtureRequest) -> Scene:
    """Provide a stack with rows that are written, and accounts that are logged in."""
    if not scenes or not place.is_up():
        request.getfixturevalue("stack")
        scenes[:] = [Scene.on(RunningStack(place.home))]
    return scenes[0]


@pytest.fixture(scope="class")
def builds() -> Iterator[list[Build]]:
    """Hold the build of the stack, which is sound again when the class is over."""
    builds: list[Build] = []
    yield builds
    for build in builds:
        build.mend()
        build.restart()


@pytest.fixture
def build(place: Stack, scene: Scene, builds: list[Build]) -> Build:
    """Provide the code of the stack, to be broken."""
    builds[:] = builds or [Build(scene, place.checkout)]
    return builds[0]
