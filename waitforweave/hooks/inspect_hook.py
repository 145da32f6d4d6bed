"""After containers/*/json, where asked for: `docker inspect` shows the attached addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from waitforweave.docker.json_object import (
    MalformedError,
    NotAnObjectError,
    dump,
    get,
    get_object,
    parse,
    put,
)
from waitforweave.hooks.book import Attached, Book
from waitforweave.hooks.protocol import ServerResponse

NETWORK = "weave"


@dataclass(frozen=True)
class InspectHook:
    """Under NetworkSettings.Networks, as one more network (weave#117, #1199)."""

    book: Book

    def __call__(self, response: ServerResponse) -> ServerResponse:
        if response.Code != 200 or not response.Body:
            return response
        try:
            container = parse(response.Body)
            record = self.book.get(str(get(container, "Id")))
            settings = get_object(container, "NetworkSettings")
            networks = get_object(settings, "Networks")
        except (NotAnObjectError, MalformedError):
            return response
        # A network of Docker's own may have this name.
        if record is None or not isinstance(record.state, Attached) or NETWORK in networks:
            return response
        put(settings, "Networks", {**networks, NETWORK: endpoint(record.state.addresses)})
        put(container, "NetworkSettings", settings)
        return msgspec.structs.replace(response, Body=dump(container))


def endpoint(addresses: tuple[str, ...]) -> dict[str, Any]:
    """As the engine shows one (moby: api/types/network, EndpointSettings), which has room for one
    address of each family; DriverOpts has all."""
    v4 = next((each for each in addresses if ":" not in each), "/0")
    v6 = next((each for each in addresses if ":" in each), "/0")
    return {
        "IPAMConfig": None,
        "Links": None,
        "Aliases": None,
        "NetworkID": "",
        "EndpointID": "",
        "Gateway": "",
        "IPAddress": v4.partition("/")[0],
        "IPPrefixLen": int(v4.partition("/")[2]),
        "IPv6Gateway": "",
        "GlobalIPv6Address": v6.partition("/")[0],
        "GlobalIPv6PrefixLen": int(v6.partition("/")[2]),
        "MacAddress": "",
        "DriverOpts": {"weavewait.addresses": " ".join(addresses)},
    }
