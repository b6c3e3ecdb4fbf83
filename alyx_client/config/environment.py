"""Settings in environment variables."""

from __future__ import annotations

import os

from alyx_client.http.url import same_origin

__all__ = ["variable"]


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
