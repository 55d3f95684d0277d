from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.delivery.webhooks import PublicAddresses
from reward_llm.delivery.webhooks.addresses import may_be_sent_to, parsed_url, resolve
from reward_llm.errors import WebhookUrlRefused

PUBLIC = ["9.9.9.9", "2620:fe::fe", "64:ff9b::909:909"]
PRIVATE = [
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.9.9.9",
    "::1",
    "fd00::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "64:ff9b::a00:1",
    "2002:a00:1::",
]
NEVER = [
    "169.254.169.254",
    "fe80::1",
    "fe80::1%eth0",
    "0.0.0.0",  # noqa: S104 - an address, not one to listen on
    "::",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2001:0:a9fe:a9fe::1",
    "fec0::1",
    "240.0.0.1",
    "198.18.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "fd00:ec2::254",
    "fd20:ce::254",
    "64:ff9b::a83f:8110",
]


def known(**hosts: Sequence[str]) -> PublicAddresses:
    """Hosts of the domain `.test`."""

    async def lookup(host: str, port: int) -> Sequence[str]:
        if host.removesuffix(".test") not in hosts:
            raise OSError("unknown")
        return hosts[host.removesuffix(".test")]

    return PublicAddresses(lookup)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_sent_to(address: str) -> None:
    assert may_be_sent_to(address, allow_private=False)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_and_this_machine_s_may_be_if_that_is_allowed(address: str) -> None:
    assert not may_be_sent_to(address, allow_private=False)
    assert may_be_sent_to(address, allow_private=True)


@pytest.mark.parametrize("address", NEVER)
def test_what_is_no_host_s_address_and_the_clouds_metadata_never_may_be(address: str) -> None:
    assert not may_be_sent_to(address, allow_private=False)
    assert not may_be_sent_to(address, allow_private=True)


@given(st.ip_addresses())
def test_what_is_allowed_without_private_networks_is_allowed_with_them(address: object) -> None:
    if may_be_sent_to(str(address), allow_private=False):
        assert may_be_sent_to(str(address), allow_private=True)


@given(st.ip_addresses(v=4))
def test_an_address_carried_in_ipv6_is_judged_as_itself(address: object) -> None:
    for carried in (f"::ffff:{address}", f"64:ff9b::{address}"):
        assert may_be_sent_to(carried, allow_private=True) == may_be_sent_to(str(address), allow_private=True)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://9.9.9.9/",
        "file:///etc/passwd",
        "gopher://9.9.9.9/",
        "https://",
        "https:///hook",
        "9.9.9.9",
        "",
        "https://ann:pass@hooks.test/",
        "https://127.0.0.1%2f@hooks.test/",
        "https://hooks.test/#there",
        "https://hooks.test/\r\nHost: other",
        "https://hooks.test/é",
        "https://hooks.test:99999/",
        "https://[::1/",
        "https://hooks.test/" + "x" * 2_000,
    ],
)
def test_a_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(WebhookUrlRefused):
        parsed_url(url)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "10.1.2.3", "169.254.169.254", "127.1", "0x7f.1", "2130706433"]
)
async def test_a_literal_private_address_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(WebhookUrlRefused):
        await PublicAddresses().check(f"https://{host}/hook")


async def test_a_name_is_refused_if_any_of_its_addresses_is_private() -> None:
    addresses = known(good=PUBLIC, bad=[*PUBLIC, "10.0.0.1"])
    await addresses.check("https://good.test/hook")
    with pytest.raises(WebhookUrlRefused, match=r"bad\.test"):
        await addresses.check("https://bad.test/hook")


async def test_a_name_that_nobody_knows_yet_is_accepted_until_it_is_sent_to() -> None:
    addresses = known()
    await addresses.check("https://soon.test/hook")
    with pytest.raises(OSError, match="unknown"):
        await addresses.addresses(parsed_url("https://soon.test/hook"))


async def test_plain_http_stays_on_this_machine() -> None:
    with pytest.raises(WebhookUrlRefused, match="https"):
        await known(good=PUBLIC).check("http://good.test/hook")
    allowing = PublicAddresses(allow_private=True)
    await allowing.check("http://127.0.0.1:8080/hook")
    with pytest.raises(WebhookUrlRefused, match="https"):
        await allowing.check("http://10.0.0.1/hook")


@pytest.mark.parametrize("host", ["a" * 70 + ".test", "a..test"])
async def test_a_host_that_no_resolver_takes_has_no_address(host: str) -> None:
    with pytest.raises(OSError, match=r"no host's name|not known|resolution|No address"):
        await resolve(host, 443)
