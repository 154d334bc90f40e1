"""The configuration of the nats-server that a supervisor starts."""

from __future__ import annotations

import json
from pathlib import Path

from services.ops.keys import user_keys
from shared.rights import authorization
from shared.settings import Settings
from shared.streams import MAX_PAYLOAD


def render(settings: Settings, folder: Path) -> str:
    """Return the text of `nats.conf` for a server that keeps its files in `folder`.

    `sync_interval: always` because anything less loses acknowledged messages in a power cut;
    pings of 5 s because a hung client would otherwise hold its place for four minutes.
    """
    nats = settings.nats
    return f"""# Written at every start; change sovereign.toml instead.
server_name: {_text(f"sovereign-{settings.host}")}
host: {_text(nats.host)}
port: {nats.port}
max_payload: {MAX_PAYLOAD}
max_connections: 10000
ping_interval: "5s"
ping_max: 2
write_deadline: "5s"
logfile: {_text(str(folder / "nats.log"))}
logfile_size_limit: 10MB
logfile_max_num: 3
jetstream {{
  store_dir: {_text(str(folder))}
  sync_interval: {nats.sync_interval}
  max_file: {nats.max_file}
  max_mem: 64MB
}}
{_users(settings)}"""


def _users(settings: Settings) -> str:
    return authorization(user_keys(settings)) if settings.nats.auth else ""


def _text(value: str) -> str:
    """Return `value` as a quoted string of the configuration language."""
    return json.dumps(value, ensure_ascii=False)
