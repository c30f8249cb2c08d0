"""A teacher in a process of their own who marks a class again and again: `python -m … AUTHORIZATION ROSTER CODE CODE`.

Each request reads the sheet and marks everybody with one of the two codes in turn. What was acknowledged is said in a
line: the name that the device gave to the request.
"""

import sys
from itertools import cycle
from uuid import uuid4

import django

if __name__ == "__main__":
    django.setup()

    from django.test.utils import setup_test_environment
    from rest_framework.test import APIClient

    setup_test_environment()
    authorization, roster, *codes = sys.argv[1:]
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=authorization)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for code in cycle(codes):
        name, read = str(uuid4()), client.get(roster)
        assert read.status_code == 200, read.content
        body = {"marks": [], "default": code, "client_id": name}
        answer = client.put(roster, body, format="json", headers={"If-Match": read.headers["ETag"]})
        assert answer.status_code in (200, 412), answer.content
        if answer.status_code == 200:
            sys.stdout.write(f"{name}\n")
            sys.stdout.flush()
