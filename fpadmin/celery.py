"""The Celery application. The schedule of periodic jobs stands here, in code."""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fpadmin.settings")

app = Celery("fpadmin")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.broker_transport_options = {
    "visibility_timeout": 3600,
    # A request that cannot reach the broker gives up at once: the sweeper sends the job again.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "socket_connect_timeout": 3,
    "socket_timeout": 5,
}
app.conf.beat_schedule = {
    "sweep": {
        "task": "fpadmin.jobs.tasks.sweep",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
    "old uploads": {
        "task": "fpadmin.imports.tasks.purge",
        "schedule": crontab(minute=30, hour=1),
    },
    "old drafts": {
        "task": "fpadmin.entry.tasks.purge",
        "schedule": crontab(minute=45, hour=1),
    },
    "old exports": {
        "task": "fpadmin.exports.tasks.purge",
        "schedule": crontab(minute=40, hour=1),
    },
    "stray documents": {
        "task": "households.tasks.sweep_documents",
        "schedule": crontab(minute=50, hour=1),
    },
    "stray papers": {
        "task": "subsidies.tasks.sweep_papers",
        "schedule": crontab(minute=55, hour=1),
    },
    "stray bank files": {
        "task": "subsidies.tasks.sweep_bank_files",
        "schedule": crontab(minute=57, hour=1),
    },
    "stray photos": {
        "task": "subsidies.tasks.sweep_photos",
        "schedule": crontab(minute=58, hour=1),
    },
    "invariants": {
        "task": "fpadmin.jobs.tasks.check_invariants",
        "schedule": crontab(minute=0, hour=4),
    },
    "duplicates": {
        "task": "households.tasks.find_duplicates",
        "schedule": crontab(minute=20, hour=3),
    },
    "monthly returns": {
        "task": "fpadmin.reporting.tasks.make_monthly",
        "schedule": crontab(minute=0, hour=2, day_of_month=1),
    },
    "annual returns": {
        "task": "fpadmin.reporting.tasks.make_annual",
        "schedule": crontab(minute=0, hour=3, day_of_month=1, month_of_year=10),
    },
    "returns of the calendar year": {
        "task": "fpadmin.reporting.tasks.make_calendar_annual",
        "schedule": crontab(minute=0, hour=4, day_of_month=1, month_of_year=1),
    },
}
app.autodiscover_tasks()
