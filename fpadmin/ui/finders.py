"""Serves the few files we use from Python wheels, by a list, so that none is committed."""

from pathlib import Path

import bootstrap_wrapper
import django_htmx
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage

# static path → directory of the wheel and the file in it
_BOOTSTRAP = Path(bootstrap_wrapper.get_bootstrap_dir())
_HTMX = Path(django_htmx.__file__).parent / "static" / "django_htmx"
FILES = {
    "vendor/bootstrap.min.css": _BOOTSTRAP / "css" / "bootstrap.min.css",
    "vendor/bootstrap.min.css.map": _BOOTSTRAP / "css" / "bootstrap.min.css.map",
    "vendor/bootstrap.bundle.min.js": _BOOTSTRAP / "js" / "bootstrap.bundle.min.js",
    "vendor/bootstrap.bundle.min.js.map": _BOOTSTRAP / "js" / "bootstrap.bundle.min.js.map",
    "vendor/htmx.min.js": _HTMX / "htmx-2.min.js",
}


class _WheelStorage(FileSystemStorage):
    def __init__(self):
        super().__init__(location="/")

    def path(self, name):
        return str(FILES[name])


class WheelFinder(BaseFinder):
    """Finds exactly the files of the list, for collectstatic and for the server of DEBUG."""

    storage = _WheelStorage()

    def check(self, **kwargs):
        return []

    def find(self, path, find_all=False, **kwargs):
        found = str(FILES[path]) if path in FILES else None
        return ([found] if found else []) if find_all or kwargs.get("all") else found

    def list(self, ignore_patterns):
        for name in FILES:
            yield name, self.storage
