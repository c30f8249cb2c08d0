"""A relay in a process of its own, with subscribers that leave a countable trace.

`python -m tests.core.relay_process [ARGUMENTS OF manage.py relay]` runs it; importing the module
registers the same subscribers here.
"""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import django

if __name__ == "__main__":
    django.setup()

from django.core.management import call_command

from core.events import Event, subscribe
from core.ids import new_id
from tests.testapp.models import Item, Parent


@dataclass(frozen=True, kw_only=True)
class ItemWanted(Event):
    name: ClassVar[str] = "tests.item_wanted"
    label: str
    gate: str = ""  # a folder: say "reached" there, and wait for somebody to say "open"


@dataclass(frozen=True, kw_only=True)
class TroubleExpected(Event):
    name: ClassVar[str] = "tests.trouble_expected"
    label: str
    kind: str


@subscribe(ItemWanted)
def make_item(payload: dict[str, Any]) -> None:
    Item.objects.create(name=payload["label"])
    if payload["gate"]:
        gate = Path(payload["gate"])
        (gate / "reached").touch()
        while not (gate / "open").exists():
            time.sleep(0.01)
    if "CRASH_AFTER_EFFECT" in os.environ:
        os.kill(os.getpid(), signal.SIGKILL)


@subscribe(TroubleExpected)
def make_first(payload: dict[str, Any]) -> None:
    Item.objects.create(name=f"first {payload['label']}")
    payload["label"] = "changed"


@subscribe(TroubleExpected)
def make_trouble(payload: dict[str, Any]) -> None:
    Item.objects.create(name=f"trouble {payload['label']}")
    match payload["kind"]:
        case "bug":
            raise ValueError(f"cannot digest {payload['label']}")
        case "broken reference":
            Item.objects.create(name="orphan", parent_id=new_id())
        case "duplicate":
            for _ in range(2):
                Parent.objects.create(code=payload["label"], name="twin")
        case "lost connection":
            from django.db import connection

            connection.close()


@subscribe(TroubleExpected)
def make_last(payload: dict[str, Any]) -> None:
    Item.objects.create(name=f"last {payload['label']}")


if __name__ == "__main__":
    import sys

    call_command("relay", *sys.argv[1:])
