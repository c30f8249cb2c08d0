"""`python -m tests.core.celery_process worker|beat`: one of the two, over the broker and queue that the variables name.

The scheduler sends every entry of the product's schedule again and again, as if each were due all the time.
"""

import os
import sys

import django

if __name__ == "__main__":
    django.setup()

    from campushub360.celery import app

    app.conf.update(broker_url=os.environ["TEST_BROKER"], task_default_queue=os.environ["TEST_QUEUE"])
    if sys.argv[1] == "beat":
        app.conf.beat_schedule = {
            name: {"task": entry["task"], "schedule": 1.0} for name, entry in app.conf.beat_schedule.items()
        }
        app.start(["beat", "--enable-remote-control", f"--hostname={os.environ['TEST_QUEUE']}@%h"])
    else:
        app.worker_main(["worker", "--pool=solo", "--without-gossip", "--without-mingle", "--without-heartbeat"])
