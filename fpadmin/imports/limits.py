"""A ceiling on what reading one workbook may take, so that no file takes the worker down.

The gate refuses what is known to be harmful; this holds for what nobody thought of.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings

from fpadmin.imports.kinds import Unreadable

try:
    import resource
except ImportError:  # Windows has no such limits; the gate still stands there
    resource = None


class _OutOfTime(Exception):
    """Raised by the timer wherever the run happens to be."""


@contextmanager
def reading() -> Iterator[None]:
    """At most IMPORT_MEMORY_MB more memory and IMPORT_SECONDS; over them Unreadable says so.

    A parser that doesn't come back to Python in time is killed with its process by the system;
    the job is then found and ended by the sweeper. Limits are as before afterwards.
    """
    with _memory(), _time():
        try:
            yield
        except MemoryError:
            raise Unreadable(
                "memory",
                f"读取这个文件需要的内存超过{settings.IMPORT_MEMORY_MB}MB的上限。请分成几个文件上传。",
            ) from None
        except _OutOfTime:
            raise Unreadable(
                "too_slow",
                f"{settings.IMPORT_SECONDS}秒内没有处理完，已停止，没有写入任何数据。请分成几个文件上传。",
            ) from None


@contextmanager
def _memory() -> Iterator[None]:
    in_use = _address_space()
    if not settings.IMPORT_MEMORY_MB or in_use is None:
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    most = in_use + settings.IMPORT_MEMORY_MB * 1024 * 1024
    with _soft_limit(resource.RLIMIT_AS, most, before):
        yield


@contextmanager
def _time() -> Iterator[None]:
    # Signals reach the main thread only; elsewhere nothing but the system's own limit is left.
    if resource is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    before = resource.getrlimit(resource.RLIMIT_CPU)
    most = int(used.ru_utime + used.ru_stime) + settings.IMPORT_SECONDS + 60
    old_handler = signal.signal(signal.SIGALRM, _out_of_time)
    signal.setitimer(signal.ITIMER_REAL, settings.IMPORT_SECONDS)
    try:
        with _soft_limit(resource.RLIMIT_CPU, most, before):
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old_handler)


@contextmanager
def _soft_limit(kind: int, most: int, before: tuple[int, int]) -> Iterator[None]:
    for ceiling in before:
        if ceiling != resource.RLIM_INFINITY:
            most = min(most, ceiling)
    resource.setrlimit(kind, (most, before[1]))
    try:
        yield
    finally:
        with suppress(ValueError):
            resource.setrlimit(kind, before)


def _address_space() -> int | None:
    """Bytes of address space in use; None where the system doesn't tell."""
    statm = Path("/proc/self/statm")
    if resource is None or not statm.exists():
        return None
    return int(statm.read_text().split()[0]) * resource.getpagesize()


def _out_of_time(signum, frame):
    raise _OutOfTime
