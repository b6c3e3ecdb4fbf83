"""Why no answer came: in words that say what to do, and whether another try may help."""

from __future__ import annotations

from enum import Enum, auto

from alyx_client.errors import AlyxConnectionError, AlyxTimeoutError
from alyx_client.http.retry import Lost


class Loss(Enum):
    """What happened to a request without an answer."""

    SLOW_ANSWER = auto()
    SLOW_CONNECTION = auto()
    UNTRUSTED = auto()
    UNKNOWN_HOST = auto()
    UNREACHABLE = auto()
    UNSENDABLE = auto()
    CLOSED = auto()
    BROKEN = auto()


# After these the server may have acted on the request.
_SENT = frozenset({Loss.SLOW_ANSWER, Loss.BROKEN})
# In these no connection was made.
_UNREACHED = frozenset({Loss.SLOW_CONNECTION, Loss.UNKNOWN_HOST, Loss.UNREACHABLE})
# After these another try would end the same way.
_HOPELESS = frozenset({Loss.UNTRUSTED, Loss.UNKNOWN_HOST, Loss.UNSENDABLE})


def lost(loss: Loss, said: str, *, method: str, url: str, host: str, limit: float | None = None) -> Lost:
    """Make the outcome of a request without an answer.

    Parameters
    ----------
    loss
        What happened.
    said
        The words of the library or system that noticed it, without secrets.
    method, url, host
        The request; the URL holds no credentials.
    limit
        The time limit that was exceeded, in seconds.

    Returns
    -------
    Lost
        With the error to raise if it is not tried again.
    """
    asked = f"{method} {url if len(url) <= 300 else url[:299] + '…'}"
    within = "in time" if limit is None else f"within {limit:g} s"
    message = {
        Loss.SLOW_ANSWER: f"{host} did not answer {asked} {within}. Some queries are slow on Alyx: ask for less "
        "(filters, a smaller limit), or allow more time.",
        Loss.SLOW_CONNECTION: f"No connection to {host} {within}. Check the address, the network and the VPN.",
        Loss.UNTRUSTED: f"The certificate of {host} is not trusted ({said}). If it is your institute's own, add its "
        "authority to the operating system's trust store, or pass verify= an SSLContext.",
        Loss.UNKNOWN_HOST: f"There is no host {host} ({said}). Check the address, the network and the VPN.",
        Loss.UNREACHABLE: f"{host} cannot be reached ({said}). Check the address, the network and the VPN.",
        Loss.UNSENDABLE: f"{asked} cannot be sent ({said}).",
        Loss.CLOSED: f"The client was closed before {asked} was sent.",
        Loss.BROKEN: f"The connection to {host} broke before {asked} was answered in full ({said}).",
    }[loss]
    if loss in _SENT and method in {"POST", "PATCH"}:
        message += " The server may have acted on it: look before sending it again."
    kind = AlyxTimeoutError if loss in {Loss.SLOW_ANSWER, Loss.SLOW_CONNECTION} else AlyxConnectionError
    error = kind(message, method=method, url=url)
    error.unreached = loss in _UNREACHED
    return Lost(error, sent=loss in _SENT, again=loss not in _HOPELESS)
