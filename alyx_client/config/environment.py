"""Settings in environment variables."""

from __future__ import annotations

import json
import os
from typing import Any, cast

from alyx_client.errors import ConfigurationError
from alyx_client.http.own_headers import OwnHeaders
from alyx_client.http.url import same_origin

__all__ = ["headers_of_environment", "variable"]


def variable(name: str, base_url: str | None = None) -> str | None:
    """Read an environment variable.

    Parameters
    ----------
    name
        The variable, such as ``ALYX_USERNAME``.
    base_url
        The server that it is read for. If ``ALYX_URL`` is set, the other variables apply to that server only: a
        password must not reach another one.

    Returns
    -------
    str or None
        The value without surrounding blanks; None if it is empty, not set, or meant for another server.
    """
    url = os.environ.get("ALYX_URL", "").strip()
    # Without a scheme, ALYX_URL means https, as everywhere.
    if base_url and url and not same_origin(url if "://" in url else f"https://{url}", base_url):
        return None
    # Values that scripts read from files come with a newline.
    return os.environ.get(name, "").strip() or None


def headers_of_environment(base_url: str) -> OwnHeaders | None:
    """Return the header fields in ``ALYX_HEADERS``, a JSON object of names and values; None if it is not set.

    Parameters
    ----------
    base_url
        The server that they are read for.

    Raises
    ------
    ConfigurationError
        It is no such object, or a field cannot be sent; no value is quoted.
    """
    text = variable("ALYX_HEADERS", base_url)
    if text is None:
        return None
    problem = "it is not a JSON object"
    try:
        # A name that is there twice would be lost silently.
        pairs: Any = json.loads(text, object_pairs_hook=_once)
        if isinstance(pairs, dict):
            return OwnHeaders(cast("dict[str, str]", pairs))
    except RecursionError:
        pass
    except json.JSONDecodeError as error:
        problem = f"it is not JSON ({error.msg} at character {error.pos})"
    except (TypeError, ValueError) as error:
        problem = str(error)
    # The cause would quote the text, which is secret.
    raise ConfigurationError(
        f'ALYX_HEADERS: {problem}. It holds names and values, as in {{"X-Gateway-Key": "..."}}.'
    ) from None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError("a name is there twice")
    return dict(pairs)
