"""Which addresses a request may go to: `PUBLIC` for what people ask for, `operator_policy()` for
the model servers that an administrator entered.

The ranges are those of the IANA special-purpose registries, written out: the standard library's
`is_global` differs between versions of Python. Addresses are judged by what they reach: an IPv4
address inside an IPv6 one counts as itself.
"""

from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from security.outbound.errors import AddressRefused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _networks(names: str) -> tuple[Network, ...]:
    return tuple(ip_network(name) for name in names.split())


# One's own machine and networks; what only an administrator may name.
PRIVATE = _networks(
    "10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 172.16.0.0/12 192.168.0.0/16 ::1 fc00::/7"
)
# Where clouds hand out credentials to whoever asks from this machine: never, for nobody.
METADATA = _networks(
    "169.254.0.0/16 100.100.100.200 168.63.129.16 192.0.0.192 fd00:ec2::/32 fd20:ce::/32 fe80::/10"
)
SPECIAL = _networks(
    "0.0.0.0/8 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.18.0.0/15 198.51.100.0/24 "
    "203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 "
    "2001::/23 2001:db8::/32 2002::/16 3fff::/20"  # Teredo is in the first, 6to4 the third
)
GLOBAL_IPV6 = ip_network("2000::/3")  # all that is assigned; everything else is special
NAT64 = ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Policy:
    """`ports` None means any. `opened` are networks that are allowed in spite of their kind."""

    ports: frozenset[int] | None
    allows_private: bool = False
    opened: tuple[Network, ...] = ()

    def check_address(self, text: str) -> None:
        """Raise AddressRefused unless a connection to this IP address is allowed."""
        # A zone (`fe80::1%eth0`) says which link; a link-local address is refused on each.
        address = _reached(ip_address(text.partition("%")[0]))
        if _is_in(address, METADATA):
            raise AddressRefused(
                _("%(address)s is where a cloud keeps its credentials; nothing is sent there.")
                % {"address": text}
            )
        if _is_in(address, self.opened) or (self.allows_private and _is_in(address, PRIVATE)):
            return
        if not is_public(address):
            raise AddressRefused(
                _("%(address)s is not an address of the public internet.") % {"address": text}
            )

    def check_port(self, port: int) -> None:
        if self.ports is not None and port not in self.ports:
            raise AddressRefused(_("Port %(port)s is not allowed.") % {"port": port})


PUBLIC = Policy(ports=frozenset({80, 443, 8080, 8443}))
ANY_ENDPOINT = Policy(ports=None, allows_private=True)
PUBLIC_ENDPOINT = Policy(ports=None)


def operator_policy() -> Policy:
    """For model servers: private addresses too, unless PARLEY_PRIVATE_ENDPOINTS forbids them."""
    return ANY_ENDPOINT if settings.PARLEY_PRIVATE_ENDPOINTS else PUBLIC_ENDPOINT


def is_public(address: Address) -> bool:
    """Whether the address belongs to the public internet."""
    if isinstance(address, IPv6Address) and address not in GLOBAL_IPV6:
        return False
    return not _is_in(address, SPECIAL) and not _is_in(address, PRIVATE)


def _reached(address: Address) -> Address:
    """The IPv4 address that a mapped or a NAT64 address leads to; every other one as it is."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address


def _is_in(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)
