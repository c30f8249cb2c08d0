"""What browsers are told with every answer, whatever becomes of the request."""

import re
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.test import Client
from django.urls import include, path

from campushub360.local import CHECKOUT
from core.security.csp import CSP, LazyNonce, build_policy, csp, csp_override

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(66)]

NOTHING = "default-src 'none'; frame-ancestors 'none'"
PAGE = re.compile(
    r"default-src 'none'; script-src 'self'; style-src 'self'( 'nonce-[\w-]{22}')?; img-src 'self' data:; "
    r"font-src 'self'; connect-src 'self'; form-action '(self|none)'; base-uri 'none'; frame-ancestors 'none'"
)
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def fail(request: HttpRequest) -> HttpResponse:
    raise ValueError("a bug")


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"<style nonce={csp(request)['csp_nonce']}></style>")


urlpatterns = [
    path("fail/", fail),
    path("page/", csp_override({"style-src": [CSP.SELF, CSP.NONCE]})(page)),
    path("own/", lambda request: HttpResponse(headers={"Content-Security-Policy": "sandbox"})),
    path("", include("campushub360.urls")),
]
handler400 = "core.api.exceptions.bad_request"
handler404 = "core.api.exceptions.not_found"
handler500 = "core.api.exceptions.server_error"


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "/livez", 200),
        ("GET", "/api/v1/schema/", 200),
        ("GET", "/", 302),
        ("GET", "/plain/%00", 400),
        ("POST", "/api/v1/auth/token/", 400),
        ("GET", "/api/v1/students/", 401),
        ("GET", "/nowhere/", 404),
        ("TRACE", "/", 405),
        ("PUT", "/api/v1/auth/token/", 405),
        ("GET", "/fail/", 500),
    ],
)
def test_every_answer_carries_every_header(client: Client, method: str, url: str, status: int) -> None:
    response = client.generic(method, url, content_type="application/json")

    assert response.status_code == status
    assert {name: response.get(name) for name in ALWAYS} == ALWAYS
    assert response["Content-Security-Policy"] == NOTHING


def test_a_request_for_another_host_is_refused_with_them_too(client: Client) -> None:
    response = client.get("/api/v1/students/", headers={"Host": "evil.example"})

    assert response.status_code == 400
    assert {name: response.get(name) for name in ALWAYS} == ALWAYS
    assert response["Content-Security-Policy"] == NOTHING


@pytest.mark.parametrize("url", ["/admin/login/", "/api/v1/docs/", "/api/v1/docs/redoc/"])
def test_pages_may_use_this_servers_own_files_and_nothing_else(client: Client, url: str) -> None:
    response = client.get(url)

    assert PAGE.fullmatch(response["Content-Security-Policy"])
    assert {name: response.get(name) for name in ALWAYS} == ALWAYS


def test_browsers_are_told_to_insist_on_https_where_it_is_spoken(client: Client, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True

    answers = [Client().get(url, secure=True) for url in ("/livez", "/nowhere/", "/admin/login/")]

    assert {answer["Strict-Transport-Security"] for answer in answers} == {
        "max-age=31536000; includeSubDomains; preload"
    }


@pytest.mark.checklist(50)
def test_nobody_but_the_server_can_say_that_a_request_came_over_https(client: Client, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    claims = {"X-Forwarded-Proto": "https", "X-Forwarded-Ssl": "on", "X-Forwarded-Host": "evil.example"}

    response = client.get("/", headers=claims)

    assert not response.has_header("Strict-Transport-Security")
    assert "evil.example" not in response["Location"]


@pytest.mark.urls(__name__)
def test_a_nonce_is_of_its_request_and_named_only_if_it_was_used(client: Client) -> None:
    first, second = client.get("/page/"), client.get("/page/")

    nonces = [re.search(r"nonce=([\w-]+)", answer.content.decode())[1] for answer in (first, second)]
    assert nonces[0] != nonces[1]
    assert first["Content-Security-Policy"] == f"style-src 'self' 'nonce-{nonces[0]}'"
    assert build_policy({"style-src": [CSP.SELF, CSP.NONCE]}, LazyNonce()) == "style-src 'self'"


@pytest.mark.urls(__name__)
def test_a_policy_that_an_answer_brings_stays(client: Client) -> None:
    assert client.get("/own/")["Content-Security-Policy"] == "sandbox"


def test_templates_get_the_nonce_that_the_header_names(rf: Any) -> None:
    request = rf.get("/")
    request._csp_nonce = LazyNonce()

    content = render(request, "core/docs/redoc.html", {"title": "", "schema_url": ""}).content.decode()

    assert f'data-nonce="{request._csp_nonce}"' in content


class TestNginx:
    """Its own answers, and gunicorn's, say the same."""

    CONF = (CHECKOUT / "nginx.conf").read_text()

    def added(self) -> dict[str, str]:
        """Return what nginx adds where the application has said nothing."""
        variables = dict(re.findall(r"^    add_header (\S+) (\$\w+) always;$", self.CONF, re.MULTILINE))
        usual = dict(re.findall(r"map \"\" (\$usual_\w+) \{\s+default \"(.*)\";\s+\}", self.CONF))
        defaults = dict(re.findall(r"map \$sent_http_\w+ (\$add_\w+) \{\s+\"\" (\$\w+);\s+\}", self.CONF))
        return {name: usual[defaults[variable]] for name, variable in variables.items() if variable in defaults}

    def test_nginx_says_what_the_application_says(self, client: Client) -> None:
        response = client.get("/nowhere/")

        added = self.added()
        assert added.pop("Strict-Transport-Security") == "max-age=31536000; includeSubDomains; preload"
        assert added == {name: response[name] for name in [*ALWAYS, "Content-Security-Policy"]}

    def test_no_block_drops_the_headers_by_adding_one(self) -> None:
        everywhere = set(re.findall(r"^    add_header (\S+)", self.CONF, re.MULTILINE))
        blocks = [
            set(re.findall(r"add_header (\S+)", block)) for block in re.findall(r"location [^{]*{([^}]*)}", self.CONF)
        ]

        assert [sorted(everywhere - block) for block in blocks if block] == [[]]

    def test_each_is_decided_by_the_header_of_its_own_name(self) -> None:
        for source, variable in re.findall(r"map \$sent_http_(\w+) (\$add_\w+)", self.CONF):
            assert f"add_header {source.replace('_', '-').title()} {variable} always;" in self.CONF
