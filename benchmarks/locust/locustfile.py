"""Asks the product from outside as its people do: students who look around, a registrar's office that reads and writes.

It knows nothing but the address, the demo accounts and their password, so it can be pointed at any installation that
has them. How many there are, and for how long, says its command line (docs/how-to/benchmarks.md).
"""

import os
import random
from typing import Any

from locust import FastHttpUser, between, events, task

MAIL = "demo.campushub360.example"
API = "/api/v1"
# What everybody looks at, the commonest first.
CATALOGUE = ["courses", "terms", "departments", "programs", "meetings", "rooms", "campuses"]
SEED = 20_000


@events.init.add_listener
def same_choices_in_every_run(**_: Any) -> None:
    random.seed(SEED)


class Person(FastHttpUser):
    """Somebody who logs in once, and looks around at a person's pace."""

    abstract = True
    wait_time = between(0.5, 2)
    role: str

    def on_start(self) -> None:
        account = {"email": f"{self.role}@{MAIL}", "password": os.environ["DEMO_PASSWORD"]}
        answer = self.client.post(f"{API}/auth/token/", json=account, name="log in")
        while answer.status_code != 200:  # noqa: PLR2004 - too many at once share the account
            self.wait()
            answer = self.client.post(f"{API}/auth/token/", json=account, name="log in")
        self.token = answer.json()["data"]["access"]
        self.sections = [row["id"] for row in self.read("/sections/?page_size=50", "sections")]

    def read(self, path: str, name: str) -> Any:
        """Ask for something, and return what was shown."""
        with self.client.get(
            f"{API}{path}", headers={"Authorization": f"Bearer {self.token}"}, name=name, catch_response=True
        ) as answer:
            if answer.status_code == 401:  # noqa: PLR2004 - the token has expired
                answer.success()
                self.on_start()
                return []
            if answer.status_code != 200:  # noqa: PLR2004
                answer.failure(f"{answer.status_code} {answer.text[:200]}")
                return []
            return answer.json()["data"]

    @task(6)
    def looks_at_a_section(self) -> None:
        if self.sections:
            rank = min(int(random.paretovariate(1)), len(self.sections))
            self.read(f"/sections/{self.sections[rank - 1]}/", "a section")

    @task(4)
    def looks_at_the_catalogue(self) -> None:
        rank = min(int(random.paretovariate(1)), len(CATALOGUE))
        self.read(f"/{CATALOGUE[rank - 1]}/", "catalogue")


class Student(Person):
    """A student: looks at what is taught, and at their own record."""

    weight = 9
    role = "student"

    @task(1)
    def looks_at_their_own_record(self) -> None:
        self.read("/students/", "own record")


class Registrar(Person):
    """Somebody of the registrar's office: looks for students, turns pages, and now and then changes a section."""

    weight = 1
    role = "registrar"

    @task(4)
    def looks_for_students(self) -> None:
        self.read(f"/students/?search={random.choice('abcdefghilmnoprst')}a", "search")

    @task(2)
    def turns_pages(self) -> None:
        self.read(f"/students/?page={random.randint(1, 20)}", "numbered page")

    @task(1)
    def changes_a_section(self) -> None:
        if self.sections:
            self.client.patch(
                f"{API}/sections/{random.choice(self.sections)}/",
                json={"waitlist_capacity": random.randint(0, 50)},
                headers={"Authorization": f"Bearer {self.token}", "If-Match": "*"},
                name="change a section",
            )
