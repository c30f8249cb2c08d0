"""What is refused before any view runs."""

import logging
from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
TOKEN = "/api/v1/auth/token/"


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


class TestMethods:
    pytestmark = pytest.mark.checklist(72)

    @pytest.mark.parametrize(
        "path", ["/", "/api/v1/students/", "/api/v1/docs/", "/admin/", "/health/", "/livez", "/nowhere/"]
    )
    @pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND", "get", "X" * 100])
    def test_methods_that_nothing_serves_are_refused_everywhere(self, client: Client, path: str, method: str) -> None:
        response = client.generic(method, path, headers={"X-Canary": "canary"})

        if method == "get":  # Django reads methods without regard to case
            assert response.status_code != 500
        else:
            assert response.status_code == 405
            assert response.json()["code"] == "method_not_allowed"
            assert "TRACE" not in response["Allow"]
        assert b"canary" not in response.content

    @pytest.mark.parametrize("path", ["/", "/favicon.ico", "/admin/", "/admin/login/", "/health/", "/livez", "/readyz"])
    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
    def test_pages_and_probes_are_read_only(self, client: Client, path: str, method: str) -> None:
        assert client.generic(method, path).status_code == 405

    @pytest.mark.parametrize("path", ["/", "/favicon.ico", "/api/v1/docs/", "/api/v1/schema/", "/health/", "/livez"])
    def test_what_takes_no_form_refuses_post(self, client: Client, path: str) -> None:
        assert client.post(path).status_code == 405

    @pytest.mark.parametrize("path", ["/health/", "/livez", "/readyz", "/metrics"])
    def test_what_machines_ask_refuses_a_form_before_it_is_taken_for_a_forgery(self, path: str) -> None:
        response = Client(enforce_csrf_checks=True).post(path)

        assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")


class TestHostsAndPaths:
    @pytest.mark.parametrize("path", ["/api/v1/students/", "/livez", "/admin/", "/nowhere"])
    def test_another_host_is_refused_under_its_own_code_and_told_in_one_line(
        self, client: Client, caplog: pytest.LogCaptureFixture, path: str
    ) -> None:
        with caplog.at_level(logging.INFO):
            response = client.get(path, headers={"Host": "evil.example"})

        assert (response.status_code, response.json()["code"]) == (400, "host_not_allowed")
        assert b"evil" not in response.content
        told = [getattr(record, "code", None) for record in caplog.records if record.msg == "api.refused"]
        loud = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert told == ["host_not_allowed"]
        assert [(record.levelname, record.exc_info) for record in loud] == [("WARNING", None)]

    @pytest.mark.parametrize("path", ["/api/v1/students/%00/", "/%00", "/admin/%00", "/api/v1/students/?search=%00"])
    def test_a_nul_is_told_wherever_it_stands_in_the_address(self, registrar_client: Any, path: str) -> None:
        response = registrar_client.get(path)

        assert (response.status_code, response.json()["code"]) == (400, "nul_character")


class TestAddresses:
    pytestmark = pytest.mark.checklist(74)

    @pytest.fixture(autouse=True)
    def lists(self, settings: Any) -> None:
        inside = ["10.0.0.0/8"]
        settings.IP_ALLOW_LIST = {
            "/admin/": [*inside, "2001:db8::/32"], "/health/": inside, "/api/v1/docs/": inside,
            "/api/v1/schema/": inside,
        }  # fmt: skip

    @pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::7"])
    def test_who_is_on_the_list_is_answered(self, client: Client, address: str) -> None:
        assert client.get("/admin/login/", REMOTE_ADDR=address).status_code == 200

    @pytest.mark.parametrize(
        "path",
        ["/admin/", "/admin/login/", "/admin/nowhere/", "/health/", "/api/v1/docs/", "/api/v1/docs/redoc/",
         "/api/v1/schema/"],
    )  # fmt: skip
    def test_who_is_not_is_refused_before_anything_is_asked(
        self, client: Client, path: str, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(0):
            response = client.get(path, REMOTE_ADDR="192.0.2.1")

        assert response.status_code == 403
        assert response.json()["code"] == "address_not_allowed"

    @pytest.mark.parametrize("spelled", ["/ADMIN/", "/./admin/", "/admin", "/%61dmin/login/", "/api/../admin/"])
    def test_no_other_spelling_of_the_path_leads_there(self, client: Client, spelled: str) -> None:
        assert client.get(spelled, REMOTE_ADDR="192.0.2.1").status_code in (403, 404)

    def test_what_is_not_listed_is_answered_to_everybody(self, client: Client) -> None:
        assert client.get("/livez", REMOTE_ADDR="192.0.2.1").status_code == 200

    @pytest.mark.checklist(50)
    @pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP", "True-Client-IP"])
    def test_a_claimed_address_opens_nothing(self, client: Client, name: str) -> None:
        response = client.get("/admin/login/", headers={name: "10.1.2.3"}, REMOTE_ADDR="192.0.2.1")

        assert response.status_code == 403

    def test_behind_a_proxy_the_client_is_what_counts(self, client: Client, settings: Any) -> None:
        settings.NUM_PROXIES = 1
        settings.TRUSTED_PROXIES = ["10.9.9.9"]
        outside = {"X-Forwarded-For": "10.1.2.3, 192.0.2.1"}

        assert client.get("/admin/login/", headers=outside, REMOTE_ADDR="10.9.9.9").status_code == 403
        assert (
            client.get("/admin/login/", headers={"X-Forwarded-For": "10.1.2.3"}, REMOTE_ADDR="10.9.9.9").status_code
            == 200
        )


class TestSizes:
    pytestmark = pytest.mark.checklist(45)

    @pytest.mark.parametrize("path", [TOKEN, "/admin/login/", "/api/v1/students/"])
    def test_a_body_that_says_it_is_too_long_is_not_read(self, client: Client, settings: Any, path: str) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

        response = client.generic("POST", path, b"x" * 1001, content_type="application/json")

        assert response.status_code == 413
        assert response.json()["code"] == "payload_too_large"

    @pytest.mark.parametrize("path", [TOKEN, "/admin/login/", "/api/v1/students/"])
    def test_a_body_of_unsaid_length_is_refused_instead_of_read_as_empty(self, client: Client, path: str) -> None:
        response = client.generic("POST", path, b"", content_type="application/json", HTTP_TRANSFER_ENCODING="chunked")

        problem = response.json()
        assert (response.status_code, problem["code"], problem["success"]) == (411, "length_required", False)
        assert response["Content-Type"] == "application/problem+json"

    def test_a_route_may_take_more_than_the_others(self, client: Client, settings: Any) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
        settings.BODY_MAX_SIZES = {"/api/v1/imports/": 2000}

        sizes = {size: client.generic("POST", "/api/v1/imports/", b"x" * size).status_code for size in (2000, 2001)}

        assert sizes == {2000: 401, 2001: 413}

    @pytest.mark.parametrize("length", ["9" * 30, "9" * 5000, "-1", "1e9", "0x10"])
    def test_no_spelling_of_a_length_is_an_error_of_ours(self, client: Client, length: str) -> None:
        response = client.generic("POST", TOKEN, b"{}", content_type="application/json", CONTENT_LENGTH=length)

        assert 400 <= response.status_code < 500


class TestOrigins:
    pytestmark = pytest.mark.checklist(68)

    @pytest.fixture(autouse=True)
    def origins(self, settings: Any) -> None:
        settings.CORS_ALLOWED_ORIGINS = ["https://portal.example.edu"]

    @staticmethod
    def preflight(client: Client, origin: str) -> Any:
        asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization, if-match"}
        return client.options("/api/v1/students/", headers={"Origin": origin, **asked})

    def test_a_listed_origin_may_ask_and_read(self, client: Client) -> None:
        response = self.preflight(client, "https://portal.example.edu")

        assert response.status_code == 200
        assert response["Access-Control-Allow-Origin"] == "https://portal.example.edu"
        assert "PATCH" in response["Access-Control-Allow-Methods"]
        assert {"authorization", "if-match", "idempotency-key"} <= set(
            response["Access-Control-Allow-Headers"].split(", ")
        )
        assert not response.has_header("Access-Control-Allow-Credentials")
        assert "origin" in response["Vary"]

    @pytest.mark.parametrize(
        "origin",
        [
            "null",
            "https://evil.example",
            "http://portal.example.edu",
            "https://portal.example.edu:444",
            "https://portal.example.edu.evil.example",
            "https://evil-portal.example.edu",
            "https://PORTAL.example.edu",
            "*",
            "",
        ],
    )
    def test_no_other_origin_is_told_anything(self, client: Client, origin: str) -> None:
        preflight = self.preflight(client, origin)
        read = client.get("/api/v1/students/", headers={"Origin": origin})

        assert not preflight.has_header("Access-Control-Allow-Origin")
        assert not read.has_header("Access-Control-Allow-Origin")
        assert not read.has_header("Access-Control-Allow-Credentials")

    def test_refusals_can_be_read_by_a_listed_origin(self, client: Client, settings: Any) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
        origin = {"Origin": "https://portal.example.edu"}

        refused = client.post(TOKEN, {"email": "somebody"}, content_type="application/json", headers=origin)

        assert refused.status_code == 413
        assert refused["Access-Control-Allow-Origin"] == "https://portal.example.edu"
        assert {"RateLimit", "Retry-After", "ETag"} <= set(refused["Access-Control-Expose-Headers"].split(", "))

    def test_pages_have_no_other_origins(self, client: Client) -> None:
        response = client.get("/admin/login/", headers={"Origin": "https://portal.example.edu"})

        assert not response.has_header("Access-Control-Allow-Origin")
