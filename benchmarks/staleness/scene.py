"""What is written in a stack, who reads it, and what each of them is to be shown."""

import asyncio
import json
import time
from dataclasses import dataclass
from http import HTTPStatus

from benchmarks.staleness.book import Row
from benchmarks.staleness.checker import Checker
from benchmarks.staleness.population import LEFT, MAIL, PARTS, READERS
from benchmarks.staleness.reader import Account, Course, Question
from benchmarks.staleness.stack import PATIENCE_SECONDS, RunningStack, StackIsDownError
from benchmarks.staleness.wire import Wire

# A token ends after ten minutes, and no day takes half of that.
RENEW_SECONDS = 240.0


@dataclass
class Scene:
    """A stack with what is written in it and who reads."""

    stack: RunningStack
    ids: dict[str, str]
    accounts: list[Account]
    writer: Account
    logged_in_at: float

    @classmethod
    def on(cls, stack: RunningStack) -> "Scene":
        """Make the rows and log everybody in."""
        return cls.logged_in(stack, stack.populate())

    @classmethod
    def logged_in(cls, stack: RunningStack, ids: dict[str, str]) -> "Scene":
        """Log everybody in, whether or not they were before."""
        began, tokens = time.monotonic(), asyncio.run(_log_in(stack))
        accounts = []
        for name, (role, part) in READERS.items():
            hidden = {f"{other}-student" for other in PARTS if part and other != part}
            is_refused = not role or name == LEFT
            sees = frozenset() if is_refused else frozenset(ids) - hidden
            accounts.append(Account(name, tokens[name], sees, is_refused))
        (writer,) = [account for account in accounts if account.name == "registrar"]
        return cls(stack, ids, accounts, writer, began)

    async def stay_logged_in(self) -> None:
        """Give everybody a token that is not about to end."""
        began = time.monotonic()
        if began - self.logged_in_at < RENEW_SECONDS:
            return
        tokens = await _log_in(self.stack)
        for account in self.accounts:
            account.token = tokens[account.name]
        self.logged_in_at = began

    def checker(self, *, often: int, gap: float) -> Checker:
        """Return what checks this scene, from now on, as busily as a `Pace` says."""
        rows = [
            Row("campus", f"/campuses/{self.ids['campus']}/", "name"),
            *[Row(f"{part}-department", f"/departments/{self.ids[f'{part}-department']}/", "name") for part in PARTS],
            Row("north-program", f"/programs/{self.ids['north-program']}/", "name"),
            *[Row(f"{part}-section", f"/sections/{self.ids[f'{part}-section']}/", "code") for part in PARTS],
            *[Row(f"{part}-student", f"/students/{self.ids[f'{part}-student']}/", "cohort") for part in PARTS],
        ]
        path = {row.label: row.path for row in rows}
        department, section, course = self.ids["north-department"], self.ids["north-section"], self.ids["course"]
        shape, student = frozenset({"north-department"}), frozenset({"north-department", "north-program"})
        questions = [
            Question("/campuses/?code=STALE", "campus", times=often),
            Question("/departments/?code=STALE-NORTH", "north-department", times=often),
            Question("/programs/?code=STALE-NORTH", "north-program", shape, times=often),
            Question(path["campus"], "campus", times=often),
            Question(path["south-department"], "south-department", times=often),
            *[Question(path[f"{part}-section"], f"{part}-section", times=often) for part in PARTS],
            Question(f"/sections/?course={course}", "north-section", frozenset({"south-section"})),
            Question(f"/meetings/?section={section}", "north-section"),
            Question(f"/students/?department={department}", "north-student", student),
            Question("/students/?search=STALE-SOUTH&page=1", "south-student", frozenset({"south-department"})),
            Question(path["south-student"], "south-student", frozenset({"south-department"})),
        ]
        common = Course(
            {row.label: row for row in rows}, past=frozenset({"south-department", "south-section"}), gap=gap
        )
        return Checker(self.stack.edge(), self.stack.servers(), common, questions)


async def _log_in(stack: RunningStack) -> dict[str, str]:
    wire, until = Wire(stack.edge()), time.monotonic() + PATIENCE_SECONDS
    tokens = {}
    for name in READERS:
        account = {"email": f"{name}@{MAIL}", "password": stack.environment["DEMO_PASSWORD"]}
        answer = await wire.ask("POST", "/auth/token/", "", body=json.dumps(account).encode())
        while answer.is_refused_for_now and time.monotonic() < until:
            await asyncio.sleep(0.1)
            answer = await wire.ask("POST", "/auth/token/", "", body=json.dumps(account).encode())
        if answer.status != HTTPStatus.OK:
            raise StackIsDownError(f"{name} cannot log in: {answer.status} {answer.body[:300]!r}")
        tokens[name] = str(json.loads(answer.body)["data"]["access"])
    await wire.ask("POST", "/auth/logout/", tokens[LEFT], body=b"{}")
    wire.close()
    return tokens
