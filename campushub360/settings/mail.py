"""Which mail server takes mails, whom they come from, and where the links in them lead."""

import environ

_env = environ.Env()

# EMAIL_BACKEND, EMAIL_HOST and so on; without a server mails are printed where the worker writes its log.
vars().update(_env.email_url_config(_env.str("EMAIL_URL", default="") or "consolemail://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = _env.str("MAIL_FROM", default="") or "campushub360@localhost"
# Where people find the pages that mailed links lead to. No link is made of what a request says its host is. Production
# has to name it; `make run` tells its processes which port it listens at.
_PORT = _env.str("PORT", default="") or "8000"
PUBLIC_URL = (_env.str("PUBLIC_URL", default="") or f"http://localhost:{_PORT}").rstrip("/")
