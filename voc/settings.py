"""Every knob is an environment variable with a safe default; the table in README.md lists them."""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from surveys.demo import company as demo
from voc.logs import logging_config
from voc.unfold import unfold

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

DEVELOPMENT_KEY = "development-only-never-in-production"

# Parts
EMBEDDED = env.bool("EMBEDDED", default=False)  # `make run`: servers of our own, an inbox page
INBOX_DIR = env("INBOX_DIR", default="")

# Who we are
COMPANY = env("COMPANY", default=demo.COMPANY if EMBEDDED else "Our company")
SITE_URL = env("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
CURRENCY = env("CURRENCY", default="EUR")
CONTACT_EMAIL = env("CONTACT_EMAIL", default="surveys@localhost.localdomain")

# Manners: between two surveys to one customer, of whatever families; reminders do not count.
GLOBAL_THROTTLE_DAYS = env.int("GLOBAL_THROTTLE_DAYS", default=7)

# After a task was closed, its customer is asked whether somebody got back to them.
CONFIRM_AFTER_HOURS = env.int("CONFIRM_AFTER_HOURS", default=24)

# Of tasks that fall due on one day, those of such accounts come first: CURRENCY a year.
HIGH_REVENUE = env.int("HIGH_REVENUE", default=100_000)

# How long things are kept; a sweep each night sees to it (surveys/loop/expire.py).
KEEP_MAIL_DAYS = env.int("KEEP_MAIL_DAYS", default=30)  # what came in, and what servers said
KEEP_ADDRESS_DAYS = env.int("KEEP_ADDRESS_DAYS", default=30)  # of visitors, with their browsers
KEEP_ANSWER_MONTHS = env.int("KEEP_ANSWER_MONTHS", default=24)  # with the name of who gave them
KEEP_AUDIT_MONTHS = env.int("KEEP_AUDIT_MONTHS", default=36)
ERASURE_LOG = env("ERASURE_LOG", default="")  # whom to forget again after a backup is restored
if KEEP_AUDIT_MONTHS < 12 or min(KEEP_MAIL_DAYS, KEEP_ADDRESS_DAYS, KEEP_ANSWER_MONTHS) < 1:
    raise ImproperlyConfigured(
        "KEEP_MAIL_DAYS, KEEP_ADDRESS_DAYS and KEEP_ANSWER_MONTHS must be at least 1, and "
        "KEEP_AUDIT_MONTHS at least 12: the database refuses to delete younger audit entries."
    )

# Safety
DEBUG = env.bool("DEBUG", default=False)
SECURE = env.bool("SECURE", default=SITE_URL.startswith("https://"))
SECRET_KEY = env("SECRET_KEY", default=DEVELOPMENT_KEY)
# Signs survey links and hashes suppressed addresses. Keep it when SECRET_KEY is rotated:
# with another key every link in every mailbox is dead and every opt-out forgotten.
LINK_KEY = env("LINK_KEY", default="") or SECRET_KEY
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
PROXY_COUNT = env.int("PROXY_COUNT", default=0)  # that append to X-Forwarded-For
# Who opened a customer's link when, for 30 days: the evidence for telling machines from people.
RECORD_VISITS = env.bool("RECORD_VISITS", default=not env.bool("TESTING", default=False))
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

if SECRET_KEY == DEVELOPMENT_KEY and not (DEBUG or env.bool("TESTING", default=False)):
    raise ImproperlyConfigured(
        "SECRET_KEY is not set, and the development key would let anyone forge log-ins and survey "
        "links. Set SECRET_KEY to 50 random characters (python3 -c 'import secrets; "
        "print(secrets.token_urlsafe(50))'), or DEBUG=1 on your own machine."
    )

SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # probes come over plain HTTP
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "csp",
    "surveys",
    "analysis",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "voc.logs.RequestLog",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "surveys.pages.staff.StaffTimeZone",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "voc.urls"
WSGI_APPLICATION = "voc.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "voc" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Truth: PostgreSQL, and nothing else. An open pool saves a connection per request.
DATABASES = {"default": env.db("DATABASE_URL", default="postgres://voc@/voc?host=/run/postgresql")}
DATABASES["default"].update(
    ENGINE="django.db.backends.postgresql",
    CONN_HEALTH_CHECKS=True,
    OPTIONS={
        **DATABASES["default"].get("OPTIONS", {}),
        "pool": {"min_size": 1, "max_size": env.int("DATABASE_POOL", default=8), "timeout": 10},
    },
)
if env.bool("TESTING", default=False):
    DATABASES["default"]["OPTIONS"].pop("pool")  # test databases come and go under a pool
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Hints: losing every message on the broker costs seconds, never work.
CELERY_BROKER_URL = env("CELERY_BROKER_URL", default=env("REDIS_URL", default=""))
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 1,
    "socket_timeout": 10,
    "max_retries": 0,  # kombu would try for 6 seconds before a request may go on without its hint
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 300
CELERY_TASK_TIME_LIMIT = 330
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TIMEZONE = "UTC"

# Mail
EMAIL_CONFIG = env.email("EMAIL_URL", default="smtp://127.0.0.1:25")
EMAIL_HOST, EMAIL_PORT = EMAIL_CONFIG["EMAIL_HOST"], EMAIL_CONFIG["EMAIL_PORT"]
EMAIL_HOST_USER = EMAIL_CONFIG["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = EMAIL_CONFIG["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = EMAIL_CONFIG.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = EMAIL_CONFIG.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=30)
MAIL_CONNECTIONS = env.int("MAIL_CONNECTIONS", default=6)  # of one sender, at once
MAIL_RATE = env.float("MAIL_RATE", default=10)  # mails a second of one sender; 0: no limit
RESEND_IN_DOUBT = env.bool("RESEND_IN_DOUBT", default=False)
BOUNCE_ADDRESS = env("BOUNCE_ADDRESS", default="")  # with one, each mail has its own return path
# With one, each task has an address of its own: mails to it, or with it in BCC, log themselves.
TASK_ADDRESS = env("TASK_ADDRESS", default=CONTACT_EMAIL if EMBEDDED else "")
# How our mail server names itself in Authentication-Results: without it no mail proves its sender.
AUTHSERV_ID = env("AUTHSERV_ID", default="")
INBOUND_URL = env("INBOUND_URL", default="")  # the mailbox that bounces and replies come to
PROVIDERS = ["brevo", "mailersend", "mailgun", "mailjet", "mailtrap",
             "postmark", "resend", "sendgrid", "sparkpost"]  # fmt: skip
MAIL_PROVIDER = env("MAIL_PROVIDER", default="")  # instead of EMAIL_URL: a provider's API
if MAIL_PROVIDER and MAIL_PROVIDER not in PROVIDERS:
    raise ImproperlyConfigured(f"MAIL_PROVIDER must be one of: {', '.join(PROVIDERS)}.")
ANYMAIL = {
    f"{MAIL_PROVIDER.upper()}_{option}": value
    for option, value in env.dict("MAIL_PROVIDER_OPTIONS", default={}).items()
}
WEBHOOK_SECRET = env("WEBHOOK_SECRET", default="")  # user:password of the provider's webhooks
ANYMAIL |= {
    "WEBHOOK_SECRET": WEBHOOK_SECRET,
    "REQUESTS_TIMEOUT": EMAIL_TIMEOUT,
    "SEND_DEFAULTS": {"track_opens": False, "track_clicks": False},
    "IGNORE_UNSUPPORTED_FEATURES": True,  # such as turning off a tracking that they do not have
}
DEFAULT_FROM_EMAIL = SERVER_EMAIL = CONTACT_EMAIL

# People
AUTH_USER_MODEL = "surveys.User"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_FORM_FIELD = "username"  # of the log-in form; axes would look for "email"
AXES_USERNAME_CALLABLE = "surveys.admin.passwords.name_tried"
AXES_IPWARE_PROXY_COUNT = PROXY_COUNT or None
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False  # its pages would delete evidence; a lock-out ends by itself
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
ADMIN_EMAIL = env("ADMIN_EMAIL", default="")  # becomes the first administrator

# Ticket systems and CRMs that tell what happened; one without a secret has no address
HOOK_SECRETS = {
    "zendesk": env("HOOK_SECRET_ZENDESK", default=""),
    "freshdesk": env("HOOK_SECRET_FRESHDESK", default=""),
    "salesforce": env("HOOK_SECRET_SALESFORCE", default=""),
    "intercom": env("HOOK_SECRET_INTERCOM", default=""),
}

# Language and time
LANGUAGE_CODE = env("LANGUAGE_CODE", default="en")
LANGUAGES = [
    ("en", "English"),
    ("de", "Deutsch"),
    ("fr", "Français"),
    ("es", "Español"),
    ("pt", "Português"),
    ("it", "Italiano"),
    ("nl", "Nederlands"),
    ("pl", "Polski"),
    ("ja", "日本語"),
    ("ar", "العربية"),
]
TIME_ZONE = env("TIME_ZONE", default="UTC")
USE_I18N = USE_TZ = True

# Static files
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "voc" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
if DEBUG or EMBEDDED or env.bool("TESTING", default=False):
    STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    WHITENOISE_USE_FINDERS = True

UNFOLD = unfold(COMPANY)

# The admin theme runs on Alpine, which evaluates expressions: unsafe-eval, but nothing inline.
# Customers' pages replace this by a stricter policy of their own (surveys/pages/public.py).
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'", "'unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'"],  # Alpine sets style attributes
        "img-src": ["'self'", "data:"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "object-src": ["'none'"],
    }
}

# API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["surveys.api.keys.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["surveys.api.keys.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["surveys.api.strict_json.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "surveys.api.paging.Pages",
    "DEFAULT_FILTER_BACKENDS": [
        "surveys.api.filters.KnownParameters",
        "django_filters.rest_framework.DjangoFilterBackend",
        "surveys.api.filters.Search",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS: the schema says more, at /api/schema/
    "DEFAULT_THROTTLE_CLASSES": ["surveys.api.keys.KeyThrottle"],
    "DEFAULT_THROTTLE_RATES": {"key": env("API_RATE", default="600/min")},
    "EXCEPTION_HANDLER": "surveys.api.errors.one_shape",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "voc",
    "DESCRIPTION": (
        "Feed customers in, read answers and outreach tasks out. Send your key as "
        "`Authorization: Bearer voc_…`. Times are RFC 3339 in UTC. Lists come in pages: follow "
        "`next`. Fields and parameters that are not listed here are refused, not ignored."
    ),
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "Channel": "surveys.models.Channel",
        "ContactOutcome": "surveys.models.Contact.Outcome",
        "TaskOutcome": "surveys.models.OutreachTask.Outcome",
        "TaskState": "surveys.models.OutreachTask.State",
        "WaveState": "surveys.models.Wave.State",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "surveys.api.schema.add_refusals",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

LOGGING = logging_config(env("LOG_LEVEL", default="INFO"))
LOGGING_CONFIG = "logging.config.dictConfig"
SILENCED_SYSTEM_CHECKS: list[str] = []
