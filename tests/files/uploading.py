"""`python -m tests.files.uploading USER WHEN`: an upload that says `now` at a moment and waits there to be killed."""

import os
import sys
import time
from typing import Any

import django


class Slow:
    """A content that stops coming."""

    def __init__(self, blocks: list[bytes]) -> None:
        self.blocks = blocks

    def read(self, size: int) -> bytes:
        if self.blocks:
            return self.blocks.pop(0)
        wait_to_be_killed()
        return b""


def wait_to_be_killed() -> None:
    sys.stdout.write("now\n")
    sys.stdout.flush()
    time.sleep(600)


def upload(user_id: str, when: str) -> None:
    from django.conf import settings
    from django.db import connection, transaction

    from accounts.models import User
    from files.services import upload_file
    from tests.files.contents import PNG, uploaded

    settings.FILES_ROOT = os.environ["FILES_ROOT_OF_TEST"]
    connection.settings_dict["NAME"] = os.environ["DATABASE_OF_TEST"]
    user = User.objects.get(pk=user_id)
    if when == "while it is received":
        content: Any = Slow([PNG])
        upload_file(by=user, content=content, name="photo.png")
    with transaction.atomic():
        uploaded(user)
        wait_to_be_killed()


if __name__ == "__main__":
    django.setup()
    upload(*sys.argv[1:])
