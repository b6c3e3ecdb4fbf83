"""The environment's settings, and which server they are meant for."""

from __future__ import annotations

import os

from alyx_client.http.url import same_origin


def variable(name: str, base_url: str | None = None) -> str | None:
    """Read an environment variable.

    Parameters
    ----------
    name
        ``ALYX_USERNAME``, for instance.
    base_url
        The server that it is wanted for. With ``ALYX_URL`` set, the other variables are meant for that server and must
        not reach another one.

    Returns
    -------
    str or None
        Without blanks around it; None where it is empty, not set, or meant for another server.
    """
    url = os.environ.get("ALYX_URL", "").strip()
    if base_url and url and not same_origin(url if "://" in url else f"https://{url}", base_url):
        return None
    return os.environ.get(name, "").strip() or None
