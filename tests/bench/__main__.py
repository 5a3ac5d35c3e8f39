"""`make bench`: a line per measurement, on a throw-away PostgreSQL or on BENCH_DATABASE_URL.

BENCH_RESIDENTS (100000) is the size of the imported workbook, BENCH_REGISTRY (1000000) that of the
registry whose pages are shown and whose figures are counted. Exit 1 where a target is missed.
"""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager, nullcontext
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import dj_database_url
import psycopg2

from tests.bench.turns import in_turns
from tests.run import postgresql, postgresql_binaries

ROOT = Path(__file__).resolve().parents[2]
RESIDENTS = int(os.environ.get("BENCH_RESIDENTS", "100000"))
REGISTRY = int(os.environ.get("BENCH_REGISTRY", "1000000"))
PAYING = 60_000  # residents of the township whose batch has 50,000 lines
ONE_TOWNSHIP = {"people_per_village": PAYING // 10, "villages_per_township": 10}
MIDDLE, SMALL = 100_000, 15_000  # registries whose pages are timed beside the large one's
SAMPLE = min(3_000, RESIDENTS)  # rows for the default resource, which takes minutes for all
# 100 townships of 10 villages where the registry has its default size.
SHAPE = {"people_per_village": max(REGISTRY // 1000, 1), "villages_per_township": 10}


def main() -> int:
    server = os.environ.get("BENCH_DATABASE_URL")
    binaries = None if server else postgresql_binaries()
    if not server and not binaries:
        print("No PostgreSQL here; set BENCH_DATABASE_URL to measure on yours.", file=sys.stderr)
        return 1
    with (
        tempfile.TemporaryDirectory(prefix="fpadmin-bench-") as folder,
        nullcontext(server) if server else postgresql(binaries) as url,
    ):
        met = [
            *_import(url, Path(folder)), *_payments(url, Path(folder)),
            *_registry(url, Path(folder)),
        ]  # fmt: skip
    return 0 if all(met) else 1


def _import(server: str, folder: Path) -> list[bool]:
    whole, part = folder / "residents.xlsx", folder / "sample.xlsx"
    with _database(server, "bench_import") as url, _database(server, "bench_default") as other:
        run = _runner(folder, url, residents=RESIDENTS)
        run("workbook", path=str(whole), rows=RESIDENTS)
        run("workbook", path=str(part), rows=SAMPLE)
        ours = run("ours", path=str(whole))
        again = run("again", path=str(whole))
        page = run("pages")
        file = run("exported")
        file_floor = run("exported_floor", path=str(folder / "floor.xlsx"))
        copy = run("copy")
        default = _runner(folder, other, residents=RESIDENTS)("default", path=str(part))
    speed, usual = (r["rows"] / r["seconds"] for r in (ours, default))
    return [
        _line(
            f"import of {ours['rows']:,} residents", f"{speed:,.0f} rows/s",
            f"default resource {usual:,.0f} rows/s", speed / usual, "at least 8 x",
            speed >= 8 * usual,
        ),
        _line(
            "the same against bare COPY", f"{ours['seconds']:.1f} s", f"COPY {copy['seconds']:.1f} s",
            ours["seconds"] / copy["seconds"], "no target", True,
        ),
        _line(
            "the same file again", f"{again['seconds']:.1f} s", f"first time {ours['seconds']:.1f} s",
            again["seconds"] / ours["seconds"], "no target", True,
        ),
        _line(
            "highest memory of the import", f"{ours['peak_mb']:.0f} MB", "limit 400 MB",
            ours["peak_mb"] / 400, "under 1 x", ours["peak_mb"] < 400,
        ),
        _line(
            "queries of the residents' list", f"{page['queries_of_fifty']} for fifty rows",
            f"{page['queries_of_one']} for one",
            page["queries_of_fifty"] / page["queries_of_one"], "at most 1 x",
            page["queries_of_fifty"] <= page["queries_of_one"],
        ),
        _line(
            f"export of {file['rows']:,} residents x {file['columns']} columns",
            f"{file['seconds']:.1f} s", f"openpyxl write-only {file_floor['seconds']:.1f} s",
            file["seconds"] / file_floor["seconds"], "under 1.3 x",
            file["seconds"] < 1.3 * file_floor["seconds"],
        ),
        _line(
            "highest memory of the export", f"{file['peak_mb']:.0f} MB", "limit 300 MB",
            file["peak_mb"] / 300, "under 1 x", file["peak_mb"] < 300,
        ),
    ]  # fmt: skip


def _payments(server: str, folder: Path) -> list[bool]:
    with _database(server, "bench_payments") as url:
        run = _runner(folder, url, residents=PAYING, shape=ONE_TOWNSHIP)
        run("load")
        run("payees")
        made = run("batch")
        least = run("batch_floor", path=str(folder / "bank.xlsx"))
    return [
        _line(
            f"a batch of {made['lines']:,} lines, from making to the bank's file",
            f"{made['seconds']:.1f} s", f"COPY and XlsxWriter {least['seconds']:.1f} s",
            made["seconds"] / least["seconds"], "under 60 s", made["seconds"] < 60,
        ),
        _line(
            "highest memory of it", f"{made['peak_mb']:.0f} MB", "limit 400 MB",
            made["peak_mb"] / 400, "under 1 x", made["peak_mb"] < 400,
        ),
    ]  # fmt: skip


def _registry(server: str, folder: Path) -> list[bool]:
    with (
        _database(server, "bench_registry") as url,
        _database(server, "bench_middle") as middle,
        _database(server, "bench_small") as small,
    ):
        options = {REGISTRY: {"residents": REGISTRY, "shape": SHAPE}}
        environments = {REGISTRY: _environment(folder, url)}
        run = _runner(folder, url, **options[REGISTRY])
        loaded = run("load")
        figures, monthly, special = run("figures"), run("ledger"), run("special")
        found = run("eligibility")
        desk = run("comparison")
        for size, other in ((MIDDLE, middle), (SMALL, small)):
            options[size] = {"residents": size, "shape": SHAPE}
            environments[size] = _environment(folder, other)
            _runner(folder, other, **options[size])("load")
        registries = {size: (environments[size], options[size]) for size in options}
        met = [_page(*measured) for measured in in_turns(registries)]
        copied = run("copy_registry")
    ours, by_hand = figures["ours"], figures["by_hand"]
    return met + [
        _line(
            f"inventing {loaded['residents']:,} residents", f"{loaded['seconds']:.0f} s",
            f"COPY of the same rows {copied['seconds']:.0f} s",
            loaded["seconds"] / copied["seconds"], "under 600 s", loaded["seconds"] < 600,
        ),
        _line(
            f"population and births of {figures['townships']} townships", f"{ours:.2f} s",
            f"hand-written SQL {by_hand:.2f} s", ours / by_hand, "under 2 x", ours < 2 * by_hand,
        ),
        _line(
            f"monthly ledger of {monthly['townships']} townships", f"{monthly['ours']:.2f} s",
            f"hand-written SQL {monthly['by_hand']:.2f} s", monthly["ours"] / monthly["by_hand"],
            "under 2 x", monthly["ours"] < 2 * monthly["by_hand"],
        ),
        _line(
            f"special families of {special['townships']} townships", f"{special['ours']:.2f} s",
            f"hand-written SQL {special['by_hand']:.2f} s", special["ours"] / special["by_hand"],
            "under 2 x", special["ours"] < 2 * special["by_hand"],
        ),
        *(
            _line(
                f"{code}: {one['found']:,} of {loaded['residents']:,} residents", f"{one['ours']:.2f} s",
                f"hand-written SQL {one['by_hand']:.2f} s", one["ours"] / one["by_hand"],
                "under 2 x", one["ours"] < 2 * one["by_hand"],
            )
            for code, one in found["policies"].items()
        ),
        _line(
            "explaining one person, the slowest of 100", f"{found['explaining'] * 1000:.0f} ms",
            "limit 100 ms", found["explaining"] / 0.1, "under 1 x", found["explaining"] < 0.1,
        ),
        _line(
            f"comparison of {desk['rows']:,} roster rows, {desk['lines']:,} lines", f"{desk['ours']:.2f} s",
            f"one join by hand {desk['by_hand']:.2f} s", desk["ours"] / desk["by_hand"], "under 10 s",
            desk["ours"] < 10,
        ),
        _line(
            "the same again", f"{desk['again']:.2f} s", f"first time {desk['ours']:.2f} s",
            desk["again"] / desk["ours"], "no target", True,
        ),
        _line(
            "who is missing from a roll", f"{desk['missing']:.2f} s",
            f"one join by hand {desk['by_hand']:.2f} s", desk["missing"] / desk["by_hand"],
            "no target", True,
        ),
    ]  # fmt: skip


def _page(role: str, page: str, seconds: dict[int, float]) -> bool:
    """The 95th of a hundred requests at full size, against the same of the small registry."""
    ours, middle, small = (seconds[size] * 1000 for size in (REGISTRY, MIDDLE, SMALL))
    return _line(
        f"{role}: {page}, {REGISTRY:,} residents", f"{ours:.0f} ms",
        f"{SMALL:,} {small:.0f} ms, {MIDDLE:,} {middle:.0f} ms", ours / small,
        "under 1.5 x, 150 ms", ours < 1.5 * small and ours < 150,
    )  # fmt: skip


def _line(what: str, ours: str, floor: str, ratio: float, target: str, met: bool) -> bool:
    verdict = "" if met else "   MISSED"
    print(f"{what:<62} {ours:>20}   {floor:<32} {ratio:6.2f} x   {target}{verdict}", flush=True)
    return met


def _runner(folder: Path, url: str, **common):
    """run(step, **options) measures one step in a process of its own and returns its JSON."""
    environment = _environment(folder, url)
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True
    )

    def run(step: str, **options) -> dict:
        answer = subprocess.run(
            [sys.executable, "-m", "tests.bench.child", step, json.dumps(common | options)],
            cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        return json.loads(answer.stdout.splitlines()[-1])

    return run


def _environment(folder: Path, url: str) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": url, "FPADMIN_VAR": str(folder / "var"), "FPADMIN_TODAY": "2018-10-09",
        "HTTPS": "False", "ALLOWED_HOSTS": "testserver", "LOG_LEVEL": "ERROR",
        "STATICFILES_STORAGE": "django.contrib.staticfiles.storage.StaticFilesStorage",
    }  # fmt: skip


@contextmanager
def _database(server: str, name: str):
    """A database of its own on the server, dropped at the end; its URL."""
    known = dj_database_url.parse(server)
    connection = psycopg2.connect(
        host=known["HOST"], port=known["PORT"] or None, user=known["USER"],
        password=known["PASSWORD"] or None, dbname=known["NAME"],
    )  # fmt: skip
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        finally:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    connection.close()


if __name__ == "__main__":
    sys.exit(main())
