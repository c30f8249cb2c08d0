"""Imports keep their files in a folder of the test's own, and a worker that comes when it is called."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from campushub360.celery import app
from core.relay import Relay


@pytest.fixture(autouse=True)
def import_root(settings: Any, tmp_path: Path) -> Path:
    settings.IMPORT_ROOT = tmp_path / "imports"
    return settings.IMPORT_ROOT


@pytest.fixture
def work() -> Callable[[], int]:
    """Return a function that relays what is due and runs the tasks it finds on the queue, as a worker would."""
    app.loader.import_default_modules()
    app.control.purge()

    def run() -> int:
        Relay().drain()
        done = 0
        with app.connection_for_read() as connection, connection.SimpleQueue(app.conf.task_default_queue) as queue:
            while True:
                try:
                    message = queue.get_nowait()
                except queue.Empty:
                    return done
                message.ack()
                app.tasks[message.headers["task"]](*message.payload[0])
                done += 1

    return run
