"""Every setting, read strictly from the environment: a malformed value stops the start.

The variables are documented in `.env.example`. What an administrator edits is a database row
and never also a variable here.
"""

from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config.environment import StrictEnv, database
from embedded.home import Home
from security.keys import read_or_create_key

env = StrictEnv()
BASE_DIR = Path(__file__).resolve().parents[2]
StrictEnv.read_env(BASE_DIR / ".env")
PARLEY_HOME = Home.from_environment()

# -- Identity and addresses ------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
PARLEY_URL = env.origin("PARLEY_URL")  # the public address, when there is a proxy
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
ALLOWED_HOSTS += [urlsplit(PARLEY_URL).hostname] if PARLEY_URL else []
CSRF_TRUSTED_ORIGINS = [PARLEY_URL] if PARLEY_URL else []
SECURE = PARLEY_URL.startswith("https://")
PARLEY_BEHIND_PROXY = env.bool("PARLEY_BEHIND_PROXY", default=False)
if PARLEY_BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    USE_X_FORWARDED_HOST = True


def secret_key() -> str:
    """`SECRET_KEY`, or a key generated once and kept in the state folder."""
    return env.str("SECRET_KEY", default="") or read_or_create_key(PARLEY_HOME.keys / "django.key")


SECRET_KEY = secret_key()

# -- Applications ----------------------------------------------------------------------------
INSTALLED_APPS = [
    "config.apps.ParleyConfig",
    "config.apps.ParleyAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "channels",
    "csp",
    "django_rq",
    "ninja",
    "embedded",
    "observability",
    "caching",
    "security",
    "events",
    "gateway",
    "accounts",
    "knowledge",
    "agents",
    "chat",
]
MIDDLEWARE = [
    "observability.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "security.audit.AuditMiddleware",
    "accounts.middleware.DeviceMiddleware",
    "accounts.middleware.PreferencesMiddleware",
    "config.middleware.ApiProblemMiddleware",
    "config.middleware.LimitMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
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
                "django.template.context_processors.i18n",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

# -- The record and the doorbell -------------------------------------------------------------
DATABASE_URL = env.postgres_url("DATABASE_URL", default=PARLEY_HOME.database_url())
DATABASES = {
    "default": database(
        DATABASE_URL,
        pool_size=env.int("DATABASE_POOL", default=10),
        prepares=env.bool("DATABASE_PREPARE", default=True),
    )
}
PARLEY_SECOND_LOCK = env.bool("PARLEY_SECOND_LOCK", default=True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.str("REDIS_URL", default="") or PARLEY_HOME.redis_url()
# Where caches lie; several are the nodes of a Redis Cluster, which shares the keys among them.
PARLEY_CACHE_URLS = env.list("PARLEY_CACHE_URLS", default=[])
RQ_QUEUES = {
    "default": {
        "URL": REDIS_URL,
        "DEFAULT_TIMEOUT": 3600,
        "SERIALIZER": "rq.serializers.JSONSerializer",  # pickle would let Redis run code here
    }
}
RQ = {"JOB_CLASS": "embedded.notices.Notice"}
PARLEY_RQ_CALLS = {"events.jobs.run"}  # all that a job in Redis may call here
RQ_SHOW_ADMIN_LINK = False
CACHES = {
    "default": {
        "BACKEND": "security.cache.ResilientCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
        "KEY_PREFIX": "parley",
    }
}

# -- People ----------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
# Guessing is counted by PARLEY_LIMITS_SIGN_IN; a class of students may come in the same minute.
ACCOUNT_RATE_LIMITS = {"login_failed": "", "login": "300/m/ip"}
PARLEY_SIGNUP = env.str("PARLEY_SIGNUP", default="closed")
if PARLEY_SIGNUP not in {"closed", "open"}:
    raise ImproperlyConfigured("PARLEY_SIGNUP must be `closed` or `open`.")
# To whom a link may show a conversation (chat.sharing.links).
PARLEY_LINKS = env.str("PARLEY_LINKS", default="people")
if PARLEY_LINKS not in {"off", "people", "anyone"}:
    raise ImproperlyConfigured("PARLEY_LINKS must be `off`, `people` or `anyone`.")
PARLEY_AGENTS = env.str("PARLEY_AGENTS", default="everyone")
if PARLEY_AGENTS not in {"everyone", "administrators"}:
    raise ImproperlyConfigured("PARLEY_AGENTS must be `everyone` or `administrators`.")
PARLEY_APPROVAL_HOURS = env.int("PARLEY_APPROVAL_HOURS", default=24)
PARLEY_ROUTING_CHOICES_DAYS = env.int("PARLEY_ROUTING_CHOICES_DAYS", default=90)
PARLEY_USAGE_MONTHS = env.int("PARLEY_USAGE_MONTHS", default=24)  # 0: for ever
PARLEY_FALSE_HITS = env.float("PARLEY_FALSE_HITS", default=0.05)
PARLEY_TEMPORARY_HOURS = env.int("PARLEY_TEMPORARY_HOURS", default=24)
EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="parley@localhost")

# -- Browser safety --------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "blob:", "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
        "report-uri": ["/csp-report"],  # counted, never stored (security.csp_reports)
    }
}
PARLEY_INSTALLABLE = env.bool("PARLEY_INSTALLABLE", default=True)  # manifest and service worker
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrftoken"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # no cookie of its own
CSRF_FAILURE_VIEW = "config.error_pages.csrf_failure"
CSRF_COOKIE_HTTPONLY = True  # pages carry the token in a <meta>, scripts never read the cookie
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# -- Languages -------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGE_COOKIE_NAME = "__Host-language" if SECURE else "django_language"
THEME_COOKIE_NAME = "__Host-theme" if SECURE else "theme"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文"), ("zh-hant", "繁體中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "config.formats"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = USE_TZ = True

# -- Files -----------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(PARLEY_HOME.path / "static")))
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = [
    *("jpg", "jpeg", "png", "gif", "webp", "zip", "gz", "br", "woff", "woff2", "ico"),
    *("bcmap", "pfb"),  # of pdf.js, compressed as they are
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static.StaticStorage"},
}
FILES_ROOT = PARLEY_HOME.files
IMPORTS_ROOT = PARLEY_HOME.path / "imports"
PARLEY_MAX_IMPORT_MB = env.int("PARLEY_MAX_IMPORT_MB", default=200)
TAKEOUTS_ROOT = PARLEY_HOME.path / "takeouts"
PARLEY_STALE_DAYS = env.int("PARLEY_STALE_DAYS", default=365)
# Golden questions: after a change they wait for so long a calm; a change waits for so many itself.
PARLEY_GOLDEN_PAUSE_SECONDS = env.int("PARLEY_GOLDEN_PAUSE_SECONDS", default=60)
PARLEY_GOLDEN_AT_ONCE = env.int("PARLEY_GOLDEN_AT_ONCE", default=400)
PARLEY_MAX_UPLOAD_MB = env.int("PARLEY_MAX_UPLOAD_MB", default=50)
PARLEY_DOCUMENT_VERSIONS = env.int("PARLEY_DOCUMENT_VERSIONS", default=20)  # kept; 0: all
PARLEY_OCR = env.str("PARLEY_OCR", default="") or "chi_sim+eng"  # or: off
PARLEY_MAX_ATTACHMENT_MB = env.int("PARLEY_MAX_ATTACHMENT_MB", default=20)
# Folders below which administrators may let sources read, and networks that sources may reach
# although they are not the public internet.
PARLEY_SOURCE_ROOTS = env.list("PARLEY_SOURCE_ROOTS", default=[])
PARLEY_SOURCE_NETWORKS = env.networks("PARLEY_SOURCE_NETWORKS")
PARLEY_MCP_SERVERS_FILE = env.str("PARLEY_MCP_SERVERS_FILE", default="")
PARLEY_MCP_NETWORKS = env.networks("PARLEY_MCP_NETWORKS")  # the same for MCP servers
# Whether agents may be given the tool that reads web pages, and the SearXNG they search with.
PARLEY_WEB_FETCH = env.bool("PARLEY_WEB_FETCH", default=True)
PARLEY_WEB_NETWORKS = env.networks("PARLEY_WEB_NETWORKS")
PARLEY_PYTHON = env.bool("PARLEY_PYTHON", default=True)  # the same for running programs
PARLEY_WEB_SEARCH_URL = env.str("PARLEY_WEB_SEARCH_URL", default="")
PARLEY_MAX_V1_MB = env.int("PARLEY_MAX_V1_MB", default=32)
PARLEY_ATTACHMENTS_MB = env.int("PARLEY_ATTACHMENTS_MB", default=2000)  # of one person
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["security.uploads.NamelessUploadHandler"]

# -- Rates that a person never meets (see security.rate_limits) -------------------------------
PARLEY_LIMITS = {
    "sign_in": env.rates(
        "PARLEY_LIMITS_SIGN_IN", default="10/5m/guesser,20/5m/account,100/10m/address"
    ),
    "turns": env.rates("PARLEY_LIMITS_TURNS", default="120/m/person,120/m/token,1200/m/address"),
    "uploads": env.rates(
        "PARLEY_LIMITS_UPLOADS", default="6000/h/person,6000/h/token,30000/h/address"
    ),
    "searches": env.rates(
        "PARLEY_LIMITS_SEARCHES", default="300/m/person,300/m/token,3000/m/address"
    ),
    "exports": env.rates("PARLEY_LIMITS_EXPORTS", default="12/h/person,12/h/token,120/h/address"),
    "links": env.rates("PARLEY_LIMITS_LINKS", default="60/h/person,600/h/address"),
    "shared": env.rates("PARLEY_LIMITS_SHARED", default="300/m/address"),
    "tokens": env.rates("PARLEY_LIMITS_TOKENS", default="30/h/person,300/h/address"),
    "syncs": env.rates("PARLEY_LIMITS_SYNCS", default="120/h/person,120/h/token,1200/h/address"),
    "reports": env.rates("PARLEY_LIMITS_REPORTS", default="60/m/address"),
}

# -- Models, for the first start only (see gateway.services) ---------------------------------
PARLEY_MODEL_BASE_URL = env.str(
    "PARLEY_MODEL_BASE_URL", default=env.str("OPENAI_BASE_URL", default="")
)
PARLEY_MODEL_API_KEY = env.str(
    "PARLEY_MODEL_API_KEY", default=env.str("OPENAI_API_KEY", default="")
)
PARLEY_MODEL = env.str("PARLEY_MODEL", default="")
PARLEY_WRITE_TITLES = env.bool("PARLEY_WRITE_TITLES", default=True)
# That a search waits for the queries a model writes, where an agent or a collection wants them.
PARLEY_UNDERSTANDING_SECONDS = env.float("PARLEY_UNDERSTANDING_SECONDS", default=4.0)
PARLEY_GUARDRAIL_SECONDS = env.float("PARLEY_GUARDRAIL_SECONDS", default=5.0)
# That an answer waits for a better order of what was found, where an agent or a collection wants
# it; and the folder of a cross-encoder of one's own (model.onnx, tokenizer.json).
PARLEY_RERANK_SECONDS = env.float("PARLEY_RERANK_SECONDS", default=3.0)
PARLEY_CROSS_ENCODER = env.str("PARLEY_CROSS_ENCODER", default="")
PARLEY_SECRET_KEYS = env.list("PARLEY_SECRET_KEYS", default=[])
# Whether model endpoints may be on this machine or in private networks (security.outbound).
PARLEY_PRIVATE_ENDPOINTS = env.bool("PARLEY_PRIVATE_ENDPOINTS", default=True)

# -- What the assistant may remember about people (agents.memory); each person switches it on ----
PARLEY_MEMORY = env.bool("PARLEY_MEMORY", default=True)

# -- Operations ------------------------------------------------------------------------------
PARLEY_ADMIN_EMAIL = env.str("PARLEY_ADMIN_EMAIL", default="admin@localhost.localdomain")
PARLEY_METRICS_TOKEN = env.str("PARLEY_METRICS_TOKEN", default="")
PARLEY_DRAIN_SECONDS = env.float("PARLEY_DRAIN_SECONDS", default=0.0)  # for a proxy to notice
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING_CONFIG = "observability.logs.configure"
LOGGING = {"level": LOG_LEVEL}
# What the clock runs: dotted path -> seconds between runs.
CLOCK = {
    "events.ringing.ring_waiting_jobs": 5,
    "gateway.routing.checks.check_open_endpoints": 5,
    "gateway.complexity.recording.remove_old": 3600,
    "gateway.metering.rollups.roll_up": 60,
    "gateway.metering.partitions.keep": 3600,
    "gateway.metering.estimates.learn": 3600,
    "events.compaction.compact_closed_streams": 300,
    "events.compaction.remove_old_jobs": 3600,
    "chat.retention.partitions.ensure_ahead": 3600,
    "chat.retention.deletion.purge_deleted": 60,
    "knowledge.discarding.purge_discarded": 60,
    "agents.saved_prompts.purge_deleted": 60,
    "agents.approvals.services.sweep": 15,
    "agents.running.keeping.sweep": 3600,
    "chat.search.index.keep": 15,
    "chat.turns.noting.sweep": 5,
    "chat.retention.temporary.remove_ended": 15,
    "chat.imports.storage.remove_old_imports": 3600,
    "chat.retention.scrubbing.scrub_deleted_documents": 15,
    "knowledge.sweeping.close_abandoned_documents": 60,
    "knowledge.jobs.follow_default_embedder": 60,
    "knowledge.embeddings.bulk.keep_index": 30,
    "knowledge.state.fold": 60,
    "knowledge.counts.fold": 60,
    "knowledge.sources.scheduling.start_due": 15,
    "knowledge.quality.scheduling.sweep": 30,
    "knowledge.sources.sweeping.sweep": 300,
    "knowledge.sweeping.remove_orphaned_files": 3600,
    "knowledge.shelves.remove_unsent": 3600,
    "chat.retention.orphans.remove_orphaned_rows": 3600,
    "accounts.devices.sweep": 3600,
    "accounts.takeouts.sweep": 3600,
    "accounts.leaving.delete_due": 300,
    "accounts.budgets.reconciling.reconcile": 15,
    "accounts.budgets.reconciling.sweep": 3600,
    "accounts.budgets.alerts.look": 30,
}
# What goes with a deleted person, the highest app first (accounts.departures).
DEPARTURES = [
    "chat.imports.services.remove_everything_of",
    "chat.retention.deletion.remove_everything_of",
    "agents.services.remove_everything_of",
    "knowledge.inheritance.hand_over",
    "knowledge.services.remove_everything_of",
    "accounts.takeouts.remove_everything_of",
]
# What the page before that says about it, each app its part (accounts.leaving).
FATES = [
    "chat.retention.fates.tell_fates",
    "knowledge.fates.tell_fates",
    "accounts.leaving.tell_fates",
]
# How a picture of a person is drawn anew (accounts.portraits).
PORTRAIT_PAINTER = "knowledge.portraits.paint"
# What a person takes away with "Export my data", each app its part (accounts.takeouts).
TAKEOUT = [
    "accounts.takeout_parts.write_account",
    "knowledge.takeout_parts.write_files",
    "agents.takeout_parts.write_agents",
    "chat.exports.takeout_parts.write_conversations",
]
# The unique constraint on lower(email) is stricter than unique=True.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
