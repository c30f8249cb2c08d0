"""`python -m tests.interop.process relay|worker`: one of the two, over the broker and queue that the variables name."""

import os
import sys

import django

if __name__ == "__main__":
    django.setup()

    from django.core.management import call_command

    from campushub360.celery import app

    app.conf.update(broker_url=os.environ["TEST_BROKER"], task_default_queue=os.environ["TEST_QUEUE"])
    if sys.argv[1] == "relay":
        call_command("relay")
    else:
        app.worker_main(["worker", "--pool=solo", "--without-gossip", "--without-mingle", "--without-heartbeat"])
