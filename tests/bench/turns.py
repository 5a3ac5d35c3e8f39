"""Several registries asked for the same pages in turns, each by a process that keeps its connection.

They take turns request by request, so that what else the machine does meanwhile falls on all alike.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

ROOT = Path(__file__).resolve().parents[2]
WARM, ROUNDS = 3, 40
ROLES = ("county", "clerk")


def in_turns(
    registries: dict[int, tuple[dict, dict]],
) -> Iterator[tuple[str, str, dict[int, float]]]:
    """(role, page, {size: seconds of the 95th of a hundred}) for every page of every role.

    `registries` gives for each size the process's environment and its step's options.
    """
    offices = {
        size: subprocess.Popen(
            [sys.executable, "-m", "tests.bench.child", "offices", json.dumps(options)],
            cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for size, (environment, options) in registries.items()
    }  # fmt: skip
    try:
        pages = [_read(office)["pages"] for office in offices.values()][0]
        for role in ROLES:
            for page in pages:
                times: dict[int, list[float]] = {size: [] for size in offices}
                for _ in range(WARM + ROUNDS):
                    for size, office in offices.items():
                        times[size].append(_ask(office, role, page))
                yield role, page, {s: quantiles(ts[WARM:], n=20)[-1] for s, ts in times.items()}
    finally:
        for office in offices.values():
            office.stdin.close()
            office.wait()


def _ask(office: subprocess.Popen, role: str, page: str) -> float:
    office.stdin.write(json.dumps({"role": role, "page": page}) + "\n")
    office.stdin.flush()
    return _read(office)["seconds"]


def _read(office: subprocess.Popen) -> dict:
    line = office.stdout.readline()
    if not line:
        raise SystemExit("a process that was to be timed has ended; see above")
    return json.loads(line)
