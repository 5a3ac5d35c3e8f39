"""One measurement in a process of its own: `python -m tests.bench.child STEP JSON`, JSON on stdout."""

import json
import os
import sys
from datetime import date
from pathlib import Path

import django

TODAY = date(2018, 10, 9)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fpadmin.settings")
    django.setup()
    from households.demo.places import plan
    from tests.bench import (
        comparison,
        eligibility,
        exporting,
        figures,
        importing,
        ledger,
        offices,
        pages,
        payments,
        special,
        workbook,
    )

    step, options = sys.argv[1], json.loads(sys.argv[2])
    places = list(plan(options["residents"], **options.get("shape", {})))
    path = Path(options.get("path", ""))
    answer = {
        "workbook": lambda: workbook.write(path, places, TODAY, rows=options["rows"]) or {},
        "ours": lambda: importing.ours(places, path),
        "again": lambda: importing.again(places, path),
        "copy": lambda: importing.bare_copy(places, path),
        "default": lambda: importing.default_resource(places, path),
        "load": lambda: figures.load(places),
        "figures": lambda: figures.figures(places),
        "ledger": ledger.ledger,
        "special": special.special,
        "eligibility": eligibility.eligibility,
        "comparison": comparison.comparison_desk,
        "pages": pages.pages,
        "payees": payments.payees,
        "batch": payments.batch,
        "batch_floor": lambda: payments.floor(path),
        "offices": offices.answer,
        "copy_registry": figures.bare_copy,
        "exported": exporting.exported,
        "exported_floor": lambda: exporting.floor(path),
    }[step]()
    if answer is not None:
        print(json.dumps(answer))


if __name__ == "__main__":
    main()
