"""All settings, read from the environment. `.env.example` lists every variable.

A variable can also be given as a file: NAME_FILE names it, as docker secrets are.

With only DATABASE_URL set every command works: keys that are missing are made once in
var/keys.env (see keys.py). Security is on by default; DEBUG relaxes it.
"""

from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from fpadmin import keys

BASE_DIR = Path(__file__).resolve().parent.parent


def env(name: str, default: str = "") -> str:
    return keys.given(name, default)


def env_bool(name: str, default: bool) -> bool:
    """True or False and nothing else, so that a slip doesn't turn a protection off."""
    value = env(name)
    if not value:
        return default
    if value not in ("True", "False"):
        raise ImproperlyConfigured(f"{name} must be True or False, not {value!r}")
    return value == "True"


def env_int(name: str, default: int) -> int:
    return int(env(name, str(default)))


def env_list(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in env(name, default).split(",") if part.strip()]


VAR_DIR = Path(env("FPADMIN_VAR", str(BASE_DIR / "var"))).resolve()
_keys = keys.load(VAR_DIR)
SECRET_KEY = _keys["SECRET_KEY"]
FIELD_ENCRYPTION_KEYS = _keys["FIELD_ENCRYPTION_KEYS"]  # first writes, all read
DIGEST_KEY = _keys["DIGEST_KEY"]
AUDIT_KEY = _keys["AUDIT_KEY"]

DEBUG = env_bool("DEBUG", False)
# The demonstration: accounts with a published password, the banner, a fixed day.
DEMO = env_bool("FPADMIN_DEMO", False)
# yyyy-mm-dd; the day the demo lives in. Empty means the real date.
TODAY = env("FPADMIN_TODAY")
PRODUCT_NAME = "人口与家庭服务系统"
SUPPORT_PHONE = env("SUPPORT_PHONE", "0871-0000000")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_filters",
    "django_htmx",
    "django_tables2",
    "fpadmin.accounts",
    "fpadmin.audit",
    "fpadmin.jobs",
    "fpadmin.selfcheck",
    "fpadmin.imports",
    "fpadmin.exports",
    "fpadmin.entry",
    "fpadmin.reporting",
    "fpadmin.deploy",
    "fpadmin.ui",
    "households",
    "subsidies",
]
MIDDLEWARE = [
    "fpadmin.audit.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "fpadmin.ui.middleware.SecurityHeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "fpadmin.accounts.middleware.SessionPolicyMiddleware",
    "fpadmin.entry.middleware.KeepExpiredFormMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "fpadmin.audit.middleware.DeniedAccessMiddleware",
]
ROOT_URLCONF = "fpadmin.urls"
WSGI_APPLICATION = "fpadmin.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "fpadmin.ui.context.shell",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"
DJANGO_TABLES2_TEMPLATE = "_components/table.html"
FILTERS_EMPTY_CHOICE_LABEL = "全部"

# Database -------------------------------------------------------------------------------------
VAR_DIR.mkdir(parents=True, exist_ok=True)
_database = dj_database_url.parse(
    env("DATABASE_URL", f"sqlite:///{VAR_DIR / 'fpadmin.sqlite3'}"), conn_max_age=60
)
if _database["ENGINE"].endswith("sqlite3"):
    if _database["NAME"] != ":memory:":
        _database["NAME"] = str(BASE_DIR / _database["NAME"])
    _database["CONN_MAX_AGE"] = 0
    _database["OPTIONS"] = {
        "timeout": 30,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
        "PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY;",
    }
else:
    _database["CONN_HEALTH_CHECKS"] = True
    # jit costs 40-70 % on the set-based queries here and never pays. PostgreSQL's own cost of a random
    # page is that of a turning disk: with it a list reads whole tables instead of its indexes.
    _database.setdefault("OPTIONS", {})["options"] = (
        "-c jit=off -c work_mem=64MB -c random_page_cost=1.1"
    )
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Accounts and sessions ------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "fpadmin.accounts.passwords.CompositionValidator"},
    {"NAME": "fpadmin.accounts.passwords.HistoryValidator"},
]
LOGIN_URL = "accounts:sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "accounts:sign-in"
SIGN_IN_FAILURES = env_int("SIGN_IN_FAILURES", 5)
SIGN_IN_LOCK_MINUTES = env_int("SIGN_IN_LOCK_MINUTES", 15)
# Failures of one address, over all accounts, within the lock's minutes; an office may share one.
SIGN_IN_ADDRESS_FAILURES = env_int("SIGN_IN_ADDRESS_FAILURES", 30)
SESSION_IDLE_MINUTES = env_int("SESSION_IDLE_MINUTES", 30)
SESSION_ABSOLUTE_HOURS = env_int("SESSION_ABSOLUTE_HOURS", 12)
# How long unsent text waits for its writer.
DRAFT_KEEP_DAYS = env_int("DRAFT_KEEP_DAYS", 14)
SESSION_COOKIE_AGE = SESSION_ABSOLUTE_HOURS * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "fpadmin.ui.views.csrf_failure"

# HTTPS: on unless this is a machine that serves itself (make run, tests).
HTTPS = env_bool("HTTPS", not (DEBUG or DEMO))
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if HTTPS:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
# Exactly one reverse proxy of ours stands in front and sets X-Forwarded-For and -Proto.
BEHIND_PROXY = env_bool("BEHIND_PROXY", False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Language and time ----------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True
DATE_INPUT_FORMATS = ["%Y-%m-%d"]

# Files ----------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(env("STATIC_ROOT", str(VAR_DIR / "static")))
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns of a missing one
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "fpadmin.ui.finders.WheelFinder",
]
MEDIA_ROOT = Path(env("MEDIA_ROOT", str(VAR_DIR / "files")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": env(
            "STATICFILES_STORAGE", "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = DEBUG
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# Gates of the import (security.md S28, S29). Over them a file is refused with the limit named.
IMPORT_MAX_BYTES = env_int("IMPORT_MAX_MB", 50) * 1024 * 1024
IMPORT_MAX_UNPACKED = env_int("IMPORT_MAX_UNPACKED_MB", 500) * 1024 * 1024
IMPORT_MAX_RATIO = env_int("IMPORT_MAX_RATIO", 100)
IMPORT_MAX_ENTRIES = 200
IMPORT_MAX_ROWS = env_int("IMPORT_MAX_ROWS", 200_000)
IMPORT_MAX_COLUMNS = 100
IMPORT_MAX_CELL = 4_000
# Address space of the process that parses an uploaded file; 0 switches the limit off.
IMPORT_MEMORY_MB = env_int("IMPORT_MEMORY_MB", 2_000)
IMPORT_SECONDS = env_int("IMPORT_SECONDS", 900)
IMPORT_KEEP_DAYS = env_int("IMPORT_KEEP_DAYS", 90)
# The largest paper or photo of an archive.
DOCUMENT_MAX_BYTES = env_int("DOCUMENT_MAX_MB", 10) * 1024 * 1024
# More than these many rows on one day need a second person (S30): with bank accounts, with health
# data, of any kind. A file can be fetched for some hours and is deleted after some days (S31).
EXPORT_LIMIT_BANK = env_int("EXPORT_LIMIT_BANK", 25)
EXPORT_LIMIT_HEALTH = env_int("EXPORT_LIMIT_HEALTH", 250)
EXPORT_LIMIT_ROWS = env_int("EXPORT_LIMIT_ROWS", 2_500)
EXPORT_LINK_HOURS = env_int("EXPORT_LINK_HOURS", 24)
EXPORT_KEEP_DAYS = env_int("EXPORT_KEEP_DAYS", 7)
# Figures below this many births are shown with the words that they don't suffice for a verdict.
SMALL_CELL = env_int("SMALL_CELL", 5)

# Jobs -----------------------------------------------------------------------------------------
CELERY_BROKER_URL = env("BROKER_URL", "redis://127.0.0.1:6379/0")
CELERY_RESULT_BACKEND = None  # the job row is the truth
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TIMEZONE = TIME_ZONE
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
JOB_LEASE_SECONDS = env_int("JOB_LEASE_SECONDS", 60)
JOB_MAX_ATTEMPTS = env_int("JOB_MAX_ATTEMPTS", 5)

# Backups --------------------------------------------------------------------------------------
BACKUP_DIR = Path(env("BACKUP_DIR", str(VAR_DIR / "backups")))
BACKUP_RECIPIENT = env("BACKUP_RECIPIENT")  # the public key they are sealed for
BACKUP_AT = env("BACKUP_AT", "02:30")
BACKUP_KEEP_DAYS = env_int("BACKUP_KEEP_DAYS", 30)

SESSION_ENGINE = "django.contrib.sessions.backends.db"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env("LOG_LEVEL", "INFO")},
}
