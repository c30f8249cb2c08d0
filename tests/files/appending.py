"""`python -m tests.files.appending UPLOAD`: goes on with an upload of what stdin has, and waits to be killed."""

import os
import sys
import time

import django


class Slow:
    """What stdin has, from the offset on; after some of it says `now`, and nothing more comes."""

    def __init__(self, offset: int, pieces: int) -> None:
        self.pieces = pieces
        sys.stdin.buffer.read(offset)

    def read(self, size: int, /) -> bytes:
        if self.pieces == 0:
            sys.stdout.write("now\n")
            sys.stdout.flush()
            time.sleep(600)
        self.pieces -= 1
        return sys.stdin.buffer.read(size)


def append(pk: str) -> None:
    from django.conf import settings
    from django.db import connection

    from files.models import FileUpload
    from files.services import append, resuming

    settings.FILES_ROOT = os.environ["FILES_ROOT_OF_TEST"]
    connection.settings_dict["NAME"] = os.environ["DATABASE_OF_TEST"]
    resuming.BLOCK, resuming.PIECE = 512, 256
    upload = FileUpload.objects.get(pk=pk)
    append(upload, offset=upload.offset, content=Slow(upload.offset, 5))


if __name__ == "__main__":
    django.setup()
    append(sys.argv[1])
