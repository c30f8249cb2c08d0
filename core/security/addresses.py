"""Where a request comes from, believed of those alone who may say so.

Anybody can write `X-Forwarded-For`. It counts only when the connection itself comes from one of
`TRUSTED_PROXIES`, and then only the entry that the outermost of our `NUM_PROXIES` proxies wrote:
the last one but that many. Everything to the left of it is what the client claims.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from django.conf import settings
from django.http import HttpRequest

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

# A household or a host is given a network of this size, so its single addresses are one caller.
IPV6_CALLER_PREFIX = 64


def client_address(request: HttpRequest) -> Address | None:
    """Return the address of whoever sent the request; None on a socket that has none."""
    peer = read_address(request.META.get("REMOTE_ADDR", ""))
    if not is_from_proxy(request):
        return peer
    hops: int = settings.NUM_PROXIES
    claims = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    # A chain shorter than declared, or one that names no address, was not written by our proxies.
    return (read_address(claims[-hops]) if len(claims) >= hops else None) or peer


def is_from_proxy(request: HttpRequest) -> bool:
    """Say whether the connection itself comes from a proxy of ours."""
    peer = read_address(request.META.get("REMOTE_ADDR", ""))
    return bool(settings.NUM_PROXIES >= 1 and (peer is None or is_within(peer, settings.TRUSTED_PROXIES)))


def caller_of(address: Address | None) -> str:
    """Return what stands for an address in counts: itself, or of IPv6 its network."""
    if isinstance(address, IPv6Address):
        return str(ip_network((address, IPV6_CALLER_PREFIX), strict=False))
    return str(address or "")


def is_within(address: Address | None, networks: Iterable[str]) -> bool:
    """Say whether an address belongs to one of the networks."""
    return address is not None and any(address in network for network in _networks(tuple(networks)))


def networks_for(path: str, lists: Mapping[str, Sequence[str]]) -> Sequence[str] | None:
    """Return the networks from which `path` may be asked, by the longest prefix that fits; None for everywhere."""
    fitting = [prefix for prefix in lists if path.startswith(prefix)]
    return lists[max(fitting, key=len)] if fitting else None


@lru_cache(maxsize=4096)
def read_address(text: str) -> Address | None:
    """Return the address that `text` spells, an IPv4 one out of its IPv6 clothes; None if it is no address."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@cache
def _networks(spelled: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(text, strict=False) for text in spelled)


def read_network_lists(text: str) -> dict[str, tuple[str, ...]]:
    """Return the networks by path that `/admin/=10.0.0.0/8 192.0.2.7;/health/=10.0.0.0/8` spells; raise ValueError."""
    lists: dict[str, tuple[str, ...]] = {}
    for item in filter(None, (item.strip() for item in text.split(";"))):
        path, equals, networks = item.partition("=")
        if not equals or not path.startswith("/") or not networks.split():
            raise ValueError(f"{item!r} names no path and its networks: write `/admin/=10.0.0.0/8 192.0.2.7`")
        _networks(tuple(networks.split()))
        lists[path.strip()] = tuple(networks.split())
    return lists


def is_network(text: str) -> bool:
    """Say whether `text` spells an address or a network."""
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True
