"""System checks: the keys are there and apart, and a deployment has no demonstration in it."""

import base64
import binascii
import stat

from django.conf import settings
from django.core.checks import Error, Tags, Warning, register


def key_faults(fields: str, digest: str, audit: str, secret: str) -> list[str]:
    """What is wrong with the keys, in sentences; nothing when they serve."""
    faults, ids = [], []
    for part in fields.split(","):
        key_id, _, encoded = part.strip().partition(":")
        ids.append(key_id)
        try:
            length = len(base64.urlsafe_b64decode(encoded.encode()))
        except (binascii.Error, ValueError):
            length = 0
        if length != 32:
            faults.append(f"FIELD_ENCRYPTION_KEYS: key {key_id!r} is not 32 bytes in base64")
    if "" in ids or len(set(ids)) != len(ids):
        faults.append("FIELD_ENCRYPTION_KEYS: every key needs an id of its own, as in k2:…,k1:…")
    if len({digest, audit, secret}) != 3 or any(k in fields for k in (digest, audit, secret)):
        faults.append("SECRET_KEY, DIGEST_KEY, AUDIT_KEY and the field keys must all differ")
    return faults


@register(Tags.security)
def check_keys(app_configs, **kwargs):
    faults = key_faults(
        settings.FIELD_ENCRYPTION_KEYS,
        settings.DIGEST_KEY,
        settings.AUDIT_KEY,
        settings.SECRET_KEY,
    )
    return [Error(fault, id="fpadmin.E001") for fault in faults]


@register(Tags.security)
def check_key_file(app_configs, **kwargs):
    path = settings.VAR_DIR / "keys.env"
    if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
        return [
            Error(
                f"{path} can be read by other users of this machine",
                hint=f"chmod 600 {path}",
                id="fpadmin.E002",
            )
        ]
    return []


@register(Tags.security, deploy=True)
def check_deployment(app_configs, **kwargs):
    found = []
    if settings.DEMO or settings.TODAY:
        found.append(
            Error(
                "FPADMIN_DEMO and FPADMIN_TODAY belong to the demonstration: accounts with a "
                "published password and a fixed day",
                hint="Unset both, and start from an empty database.",
                id="fpadmin.E003",
            )
        )
    if not settings.HTTPS:
        found.append(Warning("HTTPS is off: passwords travel in clear", id="fpadmin.W001"))
    if "*" in settings.ALLOWED_HOSTS:
        found.append(Warning("ALLOWED_HOSTS must name the hosts", id="fpadmin.W002"))
    return found
