"""Every public service ends in an audit event."""

import ast

from tests.guards.source import dotted, python_files, relative, unexplained

RECORDING = {"record", "record_many"}
EXEMPT = {
    "households/services/special_log.py:record_visit": "made of services that record each their part",
    "fpadmin/entry/services.py:keep_draft": "one's own unsent text, kept every few seconds",
    "fpadmin/entry/services.py:drop_submitted": "what was drafted is saved, and recorded as that",
    "fpadmin/entry/services.py:answer_once": "the service that the page calls records what it did",
    "fpadmin/entry/services.py:restored": "a question, nothing changes",
    "fpadmin/reporting/services.py:signature_of": "a question, nothing changes",
    "households/services/scope.py:require_visible": "a refusal, nothing changes",
    "households/services/special_care.py:check_refusals": "a question, nothing changes",
    "households/services/residents.py:save_unless_taken": "one save of services that record it",
    "subsidies/services/bank_files.py:request_file": "the ledger of jobs records who asked",
    "subsidies/services/policies.py:check_version": "a question, nothing changes",
    "subsidies/services/policies.py:check_rates": "a question, nothing changes",
}


def is_service_file(path) -> bool:
    return path.name == "services.py" or path.parent.name == "services"


def faults(text: str, path: str) -> list[str]:
    """`path:function` of each public function that reaches no log.record in its own module."""
    tree = ast.parse(text)
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    calls = {
        name: {dotted(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)}
        for name, node in functions.items()
    }
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "fpadmin.audit.log"
        for alias in node.names
        if alias.name in RECORDING
    }
    recording = {f"{log}.{verb}" for log in ("log", "audit.log") for verb in RECORDING} | imported
    audited = {name for name, called in calls.items() if called & recording}
    while more := {n for n, called in calls.items() if called & audited} - audited:
        audited |= more
    return [f"{path}:{n}" for n in functions if not n.startswith("_") and n not in audited]


def test_public_services_record_what_they_did():
    found = []
    for path in python_files():
        if is_service_file(path):
            found += faults(path.read_text(encoding="utf-8"), relative(path))
    assert unexplained(found, EXEMPT) == []


def test_guard_finds_a_service_that_records_nothing():
    sample = """
from fpadmin.audit import log
def register(*, by): _finish(by)
def _finish(by): log.record("x", by=by)
def forget(*, by): by.delete()
def pretend(*, by): other.record("x")
"""
    assert faults(sample, "a/services.py") == ["a/services.py:forget", "a/services.py:pretend"]
