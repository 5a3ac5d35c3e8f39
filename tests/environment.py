"""The environment of the tests. A pytest plugin (`-p` in pyproject.toml), since pytest-django reads the
settings before it reads conftest.py."""

import os
import shutil
import tempfile

_made_here = ""

if "FPADMIN_VAR" not in os.environ:
    # Keys and files of the tests stay out of var/. xdist's workers inherit the directory.
    _made_here = os.environ["FPADMIN_VAR"] = tempfile.mkdtemp(prefix="fpadmin-test-")
os.environ.setdefault("DATABASE_URL", f"sqlite:///{os.environ['FPADMIN_VAR']}/test.sqlite3")
os.environ.setdefault("HTTPS", "False")
os.environ.setdefault(
    "STATICFILES_STORAGE", "django.contrib.staticfiles.storage.StaticFilesStorage"
)
os.environ.setdefault("ALLOWED_HOSTS", "testserver,localhost,127.0.0.1")
# Nobody listens here unless a test starts a broker: jobs stay queued, and no real one is touched.
os.environ["BROKER_URL"] = "redis+socket://{}/{}.sock".format(
    os.environ["FPADMIN_VAR"], os.environ.get("PYTEST_XDIST_WORKER", "alone")
)


def pytest_unconfigure(config):
    if _made_here:
        shutil.rmtree(_made_here, ignore_errors=True)
