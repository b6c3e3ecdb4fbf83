"""Settings of servers: from arguments, the environment, the settings file, and ONE's files, which are only read.

May import `http`, `storage` and `errors`.
"""

from __future__ import annotations

from alyx_client.config.data_server import DataServer
from alyx_client.config.servers_toml import servers_file
from alyx_client.config.settings import Settings, find_package, find_settings

__all__ = ["DataServer", "Settings", "find_package", "find_settings", "servers_file"]
