"""ONE's settings of a server as a client has them: its folder, its data server, and the tokens that ONE reads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from alyx_client.auth.token import Secret, clean_token, hide, is_token
from alyx_client.client.sync import BaseClient
from alyx_client.config.data_server import DataServer, parse_argument
from alyx_client.http.json_body import as_object
from alyx_client.http.log import logger
from alyx_client.one.libraries import OneParameters, one_parameters, thaw

__all__ = ["ParametersOfOne"]


class ParametersOfOne(BaseClient):
    """A client whose settings are ONE's; what is changed in the one is changed in the other."""

    _one_parameters: OneParameters
    _follows_data_server = True
    _mirrored: str | None = None

    @property
    def _par(self) -> OneParameters:
        return self._one_parameters

    @_par.setter
    def _par(self, parameters: OneParameters) -> None:
        self._one_parameters = parameters
        self._cache_dir = Path(parameters.CACHE_DIR)
        if self._follows_data_server:
            self._settings = replace(self._settings, data_servers=_data_servers(parameters))
            # Made anew with the new data server.
            self._close_downloader()

    def _set_cache_dir(self, folder: str | os.PathLike[str]) -> None:
        super()._set_cache_dir(folder)
        self._one_parameters = self._one_parameters.set("CACHE_DIR", self._cache_dir)

    @property
    def rest_cache_dir(self) -> Path:
        """The folder for cached responses."""
        return self._settings.rest_cache_dir

    # Acquisition programs log in by setting these three, with a token that another computer has sent.
    @property
    def user(self) -> str | None:
        """The user's name, as far as it is known without contacting the server; it can be set."""
        return self._auth.user

    @user.setter
    def user(self, name: str | None) -> None:
        state = self._auth
        if name != state.credentials.username:
            # The password is the former user's.
            state.credentials.username, state.credentials.password = name, None
        if state.token is not None:
            state.owners = {state.token: name}

    @property
    def _token(self) -> dict[str, str] | None:
        token = self._auth.known_token()
        return None if token is None else {"token": token}

    @_token.setter
    def _token(self, response: Mapping[str, str] | None) -> None:
        self._set_token(next(iter(response.values()), None) if response else None)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Accept": "application/json", **self._token_headers()}

    @_headers.setter
    def _headers(self, headers: Mapping[str, str]) -> None:
        self._set_token(headers.get("Authorization", "").rpartition(" ")[2] or None)

    def _set_token(self, token: str | None) -> None:
        state, credentials = self._auth, self._auth.credentials
        if token == state.token:
            return
        token = None if token is None else clean_token(token, "_token")
        credentials.log_in_as(
            credentials.username, None, token, keep=not credentials.transient, prompted=credentials.prompted
        )
        # Nobody has said whose token it is: a login in its place might be another user's.
        credentials.password = None
        state.owners = {} if token is None else {token: credentials.username}
        state.issued = set()
        state.token = self._mirrored = token
        state.logins += 1

    def _take_token_of_one(self) -> None:
        """Begin with the token that ONE has stored; if the server refuses it, another one is looked for, as always."""
        state = self._auth
        user = state.credentials.username
        token = as_object(_tokens(self._one_parameters).get(user or "")).get("token")
        if user and isinstance(token, str) and is_token(token):
            state.token = self._mirrored = hide(token)
            state.owners = {token: user}

    def _login_of_one(self, username: str | None) -> tuple[str | None, str | None]:
        """Return the user, and the password if ONE's settings hold that user's."""
        parameters = self._one_parameters
        login = getattr(parameters, "ALYX_LOGIN", None) or None
        password: str | None = getattr(parameters, "ALYX_PWD", None) if username in {None, login} else None
        return username or login, password or None

    def _mirror_token(self, *, always: bool = False) -> None:
        """Store the token where ONE reads it, if it is a new one."""
        state = self._auth
        token = state.token
        if token is None or token == self._mirrored:
            return
        self._mirrored = token
        user = state.user
        # A token that was stored already is that of ONE or of this client; the environment's is stored nowhere.
        if user is None or state.credentials.transient or not (always or token in state.issued):
            return
        self._store_token(user, {"token": str(token)})

    def _forget_token(self, user: str | None) -> None:
        """Remove a user's token from where ONE reads it."""
        self._mirrored = None
        if user is not None:
            self._store_token(user, None)

    def _store_token(self, user: str, response: Mapping[str, str] | None) -> None:
        module = one_parameters()
        try:
            stored = module.get(client=self.base_url, silent=True)
            others = {name: other for name, other in _tokens(stored).items() if name != user}
            tokens = others if response is None else others | {user: dict(response)}
            self._one_parameters = self._one_parameters.set("TOKEN", tokens)
            if tokens == _tokens(stored):
                return
            if response is not None and not stored.ALYX_LOGIN:
                # ONE looks the token up by its user.
                stored = stored.set("ALYX_LOGIN", user)
            module.save(stored.set("TOKEN", tokens), self.base_url)
        except (OSError, ValueError) as error:
            # The call itself has succeeded; the next session has to log in again.
            logger.info("ONE's settings were not changed: %s", error)

    def __getstate__(self) -> dict[str, Any]:
        # The class of ONE's settings is made at run time.
        return {**super().__getstate__(), "_one_parameters": self._one_parameters.as_dict()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _one_parameters=thaw(state["_one_parameters"]))


def _tokens(parameters: OneParameters) -> dict[str, Any]:
    """Return the tokens that ONE has stored, by user: each the server's response to a login."""
    return dict(as_object(getattr(parameters, "TOKEN", None)))


def _data_servers(parameters: OneParameters) -> tuple[DataServer, ...]:
    address = parameters.HTTP_DATA_SERVER
    if not address:
        return ()
    password = parameters.HTTP_DATA_SERVER_PWD
    return parse_argument(
        DataServer(address, parameters.HTTP_DATA_SERVER_LOGIN or None, Secret(password) if password else None)
    )
