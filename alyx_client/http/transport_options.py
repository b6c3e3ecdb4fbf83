"""The settings of a transport, as keywords."""

from __future__ import annotations

import ssl
from types import NoneType
from typing import TYPE_CHECKING, TypedDict

from alyx_client.http.arguments import require
from alyx_client.http.own_headers import OwnHeaders
from alyx_client.http.retry import Retries
from alyx_client.http.token_scheme import TokenScheme

if TYPE_CHECKING:
    from alyx_client.http.rate import Rate

__all__ = ["ConnectionOptions", "TransportOptions", "check_connection"]


class ConnectionOptions(TypedDict, total=False):
    """The settings of a transport that downloads share, as keywords; see `Transport`."""

    connect_timeout: float | None
    read_timeout: float | None
    retries: Retries
    verify: bool | ssl.SSLContext


class TransportOptions(ConnectionOptions, total=False):
    """The settings of a transport, as keywords; see `Transport`."""

    max_response_bytes: float
    own_headers: OwnHeaders
    max_requests: int
    token_scheme: TokenScheme
    rate_limit: Rate | None


def check_connection(retries: object, verify: object) -> None:
    """Check the settings that are no numbers.

    Raises
    ------
    TypeError
        One of them is of another type.
    """
    require("retries", retries, (Retries, NoneType), "an alyx_client.Retries")
    require("verify", verify, (bool, ssl.SSLContext), "True, False or an ssl.SSLContext")
