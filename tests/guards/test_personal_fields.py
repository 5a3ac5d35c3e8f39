"""Every model says of each field whether it is personal."""

from django.apps import apps

from tests.guards.source import PACKAGES


def faults(fields: list[str], personal: tuple[str, ...], other: tuple[str, ...]) -> list[str]:
    """What keeps `personal` and `other` from being exactly the fields, each once."""
    named = [*personal, *other]
    return (
        [f"{name}: not classified" for name in fields if name not in named]
        + [f"{name}: no such field" for name in named if name not in fields]
        + [f"{name}: named twice" for name in sorted({n for n in named if named.count(n) > 1})]
    )


def own_models():
    for config in apps.get_app_configs():
        if config.name.split(".")[0] in PACKAGES:
            yield from config.get_models(include_auto_created=True)


def test_every_model_classifies_every_field():
    found = []
    for model in own_models():
        meta = model._meta
        fields = [f.name for f in (*meta.concrete_fields, *meta.local_many_to_many)]
        personal = model.__dict__.get("Personal")
        if personal is None:
            found.append(f"{meta.label}: no class Personal")
            continue
        found += [f"{meta.label}.{f}" for f in faults(fields, personal.personal, personal.other)]
    assert found == []


def test_guard_finds_unclassified_unknown_and_doubled_fields():
    assert faults(["id", "name"], ("name",), ("id",)) == []
    assert faults(["id", "name"], (), ("id",)) == ["name: not classified"]
    assert faults(["id"], ("gone",), ("id",)) == ["gone: no such field"]
    assert faults(["id"], ("id",), ("id",)) == ["id: named twice"]


def test_every_model_has_a_chinese_name():
    named = {m._meta.label: str(m._meta.verbose_name) for m in own_models()}
    assert {label for label, name in named.items() if name.isascii()} == set()


def test_guard_sees_the_registry_and_the_audit_trail():
    labels = {m._meta.label for m in own_models()}
    assert {"households.Resident", "audit.AuditEvent", "accounts.User"} <= labels
