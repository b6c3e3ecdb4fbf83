"""What the client's errors advise, and its docstrings describe, as what to type at the shell.

Both are for callers of Python: ``timeout=``, ``client.subjects.list()``, "use django". Each row of the tables is a part
of such texts, and what stands in its place here.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection

from alyx_client.cli.names import option
from alyx_client.http.url import redact_url

__all__ = ["ADVICE", "DESCRIPTIONS", "description_for_the_shell", "for_the_shell"]

_LOG_IN = "Log in again: alyx login (or correct ALYX_TOKEN, if it is set)."
_DATA_SERVER = "alyx login --setup, or ALYX_DATA_SERVER"


def _list(match: re.Match[str]) -> str:
    return f"alyx list {option(match['endpoint'])}"


def _list_with_filter(match: re.Match[str]) -> str:
    return f"{_list(match)} --{option(match['filter'])} {shlex.quote(match['key'])}"


def _list_with_condition(match: re.Match[str]) -> str:
    condition = f"{match['field']} == {match['key']}"
    return f"{_list(match)} --where {shlex.quote(condition)}"


def _record(match: re.Match[str]) -> str:
    return f"- record {int(match['index']) + 1}{match['uncertain'] or ''}: "


def _setting(match: re.Match[str]) -> str:
    if match["name"] == "timeout":
        return "(--timeout SECONDS before the command, or ALYX_TIMEOUT)"
    return f"({match['variable'] or match['name'] + ' in the settings file'})"


Replacement = str | Callable[[re.Match[str]], str]
ADVICE: tuple[tuple[str, Replacement], ...] = (
    # Logins and settings
    (r"Pass username= and password= \(or token=\), or set", "Run: alyx login; or set"),
    (r"Call authenticate\(\) to log in again\.", "To log in again, run: alyx login"),
    (r"Log in again with username= and password=, or pass a new token= \(from the site, or in ALYX_TOKEN\)\.", _LOG_IN),
    (r"move (it|the file) away and run AlyxClient\.setup\(\) again\.", r"move \1 away and run: alyx login"),
    (r"Correct it there, or run AlyxClient\.setup\(\)\.", "Correct it there, or run: alyx login --setup"),
    (
        r"holds a user name; pass it as username= and password= instead",
        "holds a user name; leave it out: a login prompts",
    ),
    (r"Pass a key or a URL of that server, or create a client for the other one", "Choose the other one with --url"),
    (r"where this client's token belongs", "where the token belongs; choose another server with --url"),
    (r"This client has no login; pass username=, or log in first", "nobody is logged in; run: alyx login"),
    (r", or pass verify= an SSLContext", ", or in SSL_CERT_FILE"),
    (r"; pass token= for it", "; alyx login stores a token, and ALYX_TOKEN may hold one"),
    # Time limits and sizes
    (r"did not end within \w+=(\S+) s:", r"did not end within \1 s:"),
    (r", or allow more time \(read_timeout= of the client\)", ""),
    (r"\b\w+= of the client or (ALYX_\w+)", r"\1"),
    (r"\((?P<name>\w+)= of the (?:call or the )?client(?:, or (?P<variable>ALYX_\w+))?\)", _setting),
    (r"^timeout=(\S+): pass", r"--timeout \1: pass"),
    (r"a long list of keys is split if it is passed as id=\[\.\.\.\]", "a long list of keys is split if each has --id"),
    (r"fetch larger pages \(page_size=1000, or limit=1000 by name\)", "fetch larger pages (--page-size 1000)"),
    # Offline, and the cache
    (r"Pass username=(?=$|, or set)", "Set ALYX_USERNAME"),
    (r"Make the call once while the server is reachable", "Run the command once while the server is reachable"),
    (r"\bset offline to False", "leave out --offline"),
    (r"Set client\.offline = False first", "Leave out --offline"),
    (
        r"choose another folder \(cache_dir=, ALYX_CACHE_DIR\), or turn the cache off \(cache_rest=None\)",
        "or choose another folder with ALYX_CACHE_DIR",
    ),
    # Keys, filters and fields
    (
        r"\[row for row in client\.(?P<endpoint>\w+)\.list\(\) if row\.(?P<field>\w+) == (?P<key>'.*')\]",
        _list_with_condition,
    ),
    (r"\bclient\.(?P<endpoint>\w+)\.list\(\)", _list),
    (r"with client\.(?P<endpoint>\w+)\.list\(\.\.\.\) and", lambda match: f"with {_list(match)}, and"),
    (r"\bclient\.(?P<endpoint>\w+)\.list\((?P<filter>\w+)='(?P<key>.*)'\)", _list_with_filter),
    (r"unknown name in `django=`", "unknown name in --django"),
    (r" extra_params=\{.*?\} sends anything\.", ""),
    (r", or django=\{.*?\]\}", ""),
    (r"; pass None if there is none", "; write null if there is none"),
    (r"; send None instead", "; write null instead"),
    # Several records
    (r"(?m)^\w+\.create_many\(\): ", ""),
    (
        r"(?m)^- \[(?P<index>\d+)\](?:, .*?)?(?P<uncertain> \(the server may have carried it out\))?: \w+: ",
        _record,
    ),
    (r", in `(?:failures|results)` of this error", ""),
    # Files
    (r"(?m)^- results\[\d+\][,:] ", "- "),
    (r"name a data server in the settings \(data_server=\)", f"set the data server: {_DATA_SERVER}"),
    (
        r"Name its server in the settings \(data_server=\), or use http_download_file, which sends no stored "
        r"credentials\.",
        f"If it is a data server of Alyx, set it: {_DATA_SERVER}; otherwise download the file with another program.",
    ),
    (
        r"username= and password= of the call, data_server= of the client, ALYX_DATA_USERNAME and ALYX_DATA_PASSWORD, "
        r"or the settings \(.*?\)",
        "alyx login --setup, or ALYX_DATA_USERNAME and ALYX_DATA_PASSWORD",
    ),
    (
        r"Pass keep_tree=True to keep the server's folders, or a target_dir for each file\.",
        "Add --tree to keep the server's folders, or download each by itself, with --to.",
    ),
    (r"Pass a target_dir for each file\.", "Download each by itself, with --to."),
    (r"choose another target_dir", "choose another folder with --to"),
    (r"the next call resumes", "the next one resumes"),
    # The server's schema
    (
        r"If client\.check_schema\(\) reports that the server has changed, regenerate the client:",
        "If alyx doctor reports that the server has changed, generate a package for it, and pass it as --package:",
    ),
    # The outbox
    (
        r"settle\(\), resend\(\) or drop\(\) it",
        "look there, then run alyx outbox resend NUMBER --anyway, or alyx outbox drop NUMBER",
    ),
)
"""Patterns of the client's messages, and what replaces them."""

DESCRIPTIONS: tuple[tuple[str, Replacement], ...] = (
    (
        r"field names and lookups with their values, as a mapping or in the server's own comma-separated form",
        "FIELD,VALUE or FIELD__LOOKUP,VALUE, and further pairs after commas; --where takes Python's syntax",
    ),
    (r"\buse django (\w+__\w+)", r"use --django \1,VALUE"),
    (r"\bdjango (\w+__\w+) (\w+)", r"--django \1,\2"),
    (r"\buse django\b", "use --where or --django"),
    (r"\buse register_file\b", "use alyx create register-file"),
    # No command sets single keys.
    (r"; ``client\.\w+\.json_field_update`` sets single keys and leaves the others unchanged", ""),
    (r", or a list of \w+ at once; for a list, the result is a list", ", or several with --from FILE"),
    (r"The file: its path, its content, or an open binary file", "The file's path"),
    (r"(?<=[;,] )(?:True|False)\b", lambda match: match[0].lower()),
)
"""Patterns of the descriptions in docstrings, and what replaces them."""


def for_the_shell(text: str, url: str | None = None) -> str:
    """Return a message of the client with what to type at the shell.

    Parameters
    ----------
    text
        The message.
    url
        The server of ``--url``, to which the command that is advised must go, too.
    """
    for pattern, replacement in ADVICE:
        text = re.sub(pattern, replacement, text)
    if url:
        prefix = f"alyx --url {shlex.quote(redact_url(url))} "
        text = re.sub(r"\balyx (?=(?:login|doctor|list|outbox)\b)", lambda _: prefix, text)
    return text


def description_for_the_shell(text: str, options: Collection[str]) -> str:
    """Return a description of a filter, a field or an action with what to type at the shell.

    Parameters
    ----------
    text
        The description, from a docstring.
    options
        The options that are there, by their names in Python: those that the description names become ``--name``.
    """
    for pattern, replacement in DESCRIPTIONS:
        text = re.sub(pattern, replacement, text)

    def named(match: re.Match[str]) -> str:
        # Most names are words of English, too.
        is_name = match["name"] in options and (match["before"] or "_" in match["name"])
        return f"{match['before'] or ''}--{option(match['name'])}" if is_name else match[0]

    return re.sub(r"(?<![\w-])(?P<before>\buse |\bAn alias of )?(?P<name>[a-z]\w*)\b", named, text)
