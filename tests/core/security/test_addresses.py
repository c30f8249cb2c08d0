"""Whom a request is taken to come from, whatever it says about itself."""

from typing import Any

import pytest

from core.security.addresses import caller_of, client_address, is_within, networks_for, read_address, read_network_lists

pytestmark = pytest.mark.checklist(50)
NGINX = "172.28.60.10"
CLIENT = "198.51.100.7"


@pytest.fixture
def behind_nginx(settings: Any) -> None:
    settings.NUM_PROXIES = 1
    settings.TRUSTED_PROXIES = [NGINX]


def seen(rf: Any, peer: str, forwarded_for: str | None = None) -> str:
    headers = {"X-Forwarded-For": forwarded_for} if forwarded_for is not None else {}
    return str(client_address(rf.get("/", headers=headers, REMOTE_ADDR=peer)))


def test_without_a_proxy_the_connection_tells_and_nothing_else(rf: Any) -> None:
    assert seen(rf, CLIENT) == CLIENT
    assert seen(rf, CLIENT, "192.0.2.1") == CLIENT
    assert seen(rf, "127.0.0.1", "192.0.2.1") == "127.0.0.1"


def test_behind_a_proxy_its_entry_tells(rf: Any, behind_nginx: None) -> None:
    assert seen(rf, NGINX, CLIENT) == CLIENT


def test_what_stands_before_the_proxys_entry_is_the_clients_own_claim(rf: Any, behind_nginx: None) -> None:
    assert seen(rf, NGINX, f"192.0.2.1, 10.0.0.1,{CLIENT}") == CLIENT


def test_two_proxies_write_two_entries(rf: Any, settings: Any) -> None:
    settings.NUM_PROXIES = 2
    settings.TRUSTED_PROXIES = ["172.28.60.0/24"]

    assert seen(rf, NGINX, f"192.0.2.1, {CLIENT}, 172.28.60.9") == CLIENT
    assert seen(rf, NGINX, "172.28.60.9") == NGINX


def test_who_is_no_proxy_of_ours_is_not_believed(rf: Any, behind_nginx: None) -> None:
    assert seen(rf, CLIENT, "192.0.2.1") == CLIENT


@pytest.mark.parametrize(
    "claim", [None, "", "garbage", "unknown", "192.0.2.1:443", "192.0.2.1,", "'; DROP TABLE", "9" * 5000]
)
def test_an_entry_that_names_no_address_leaves_the_proxys(rf: Any, behind_nginx: None, claim: str | None) -> None:
    assert seen(rf, NGINX, claim) == NGINX


def test_a_socket_without_an_address_is_a_proxys(rf: Any, behind_nginx: None) -> None:
    assert seen(rf, "", CLIENT) == CLIENT
    assert seen(rf, "") == "None"


def test_an_ipv4_address_in_ipv6_clothes_is_itself() -> None:
    assert str(read_address("::ffff:192.0.2.1")) == "192.0.2.1"
    assert is_within(read_address("::ffff:192.0.2.1"), ["192.0.2.0/24"])


def test_the_hosts_of_an_ipv6_network_are_one_caller() -> None:
    first, second, third = map(read_address, ("2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1"))

    assert caller_of(first) == caller_of(second) != caller_of(third)
    assert caller_of(read_address(CLIENT)) == CLIENT


def test_the_longest_path_that_fits_decides() -> None:
    lists = read_network_lists(" /admin/=10.0.0.0/8 192.0.2.7 ; /admin/students/=192.0.2.7;")

    assert networks_for("/admin/login/", lists) == ("10.0.0.0/8", "192.0.2.7")
    assert networks_for("/admin/students/student/", lists) == ("192.0.2.7",)
    assert networks_for("/administration/", lists) is None


@pytest.mark.parametrize(
    "text", ["/admin/", "/admin/=", "admin/=10.0.0.0/8", "/admin/=everywhere", "/admin/=10.0.0.0/40"]
)
def test_what_spells_no_networks_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"path|address|network"):
        read_network_lists(text)
