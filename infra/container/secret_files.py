"""The secrets of one host's compose.yaml, made once: `secrets FOLDER`.

Each service finds its own in a folder (a volume) of its own; nothing stands in the environment, where
`docker inspect` shows it. What is there is left as it is.
"""

from __future__ import annotations

import argparse
import base64
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

# Written last: where it is, all are.
AGENT = "agent/agent.yaml"
_DATABASE = "the0_agent"
_NATS = """\
port: 4222
http: 8222
jetstream {{ store_dir: /data }}
authorization {{ token: "{token}" }}
"""
_VALKEY = """\
requirepass {password}
maxmemory 256mb
maxmemory-policy allkeys-lru
save ""
appendonly no
"""


def secret_files() -> dict[str, str]:
    """New secrets: the content of each file by its place below the folder, the agent's last."""
    postgres, minio, nats, valkey = (secrets.token_urlsafe(32) for _ in range(4))
    settings = {
        "database_url": f"postgresql://{_DATABASE}:{postgres}@postgres:5432/{_DATABASE}",
        "minio_access_key": _DATABASE,
        "minio_secret_key": minio,
        "nats_url": f"nats://{nats}@nats:4222",
        "redis_url": f"redis://:{valkey}@valkey:6379/0",
        "encryption_keys": base64.b64encode(secrets.token_bytes(32)).decode(),
        "jwt_secret": secrets.token_urlsafe(48),
    }
    return {
        "postgres/password": postgres,
        "minio/user": _DATABASE,
        "minio/password": minio,
        "nats/nats.conf": _NATS.format(token=nats),
        "valkey/valkey.conf": _VALKEY.format(password=valkey),
        AGENT: yaml.safe_dump(settings, sort_keys=False),
    }


def write_missing(folder: Path, files: Mapping[str, str]) -> bool:
    """Writes all of them, unless they are there; whether it did.

    The other services run as users of their own, and each sees its own folder alone: they may read all of it.
    """
    if (folder / AGENT).exists():
        return False
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.part")
        aside.unlink(missing_ok=True)
        aside.touch(mode=0o600)
        aside.write_text(content, encoding="utf-8")
        aside.chmod(0o400 if name == AGENT else 0o444)
        aside.replace(path)
    return True


def main(arguments: Sequence[str]) -> int:
    """The command; 1 with the reason when they could not be written."""
    parser = argparse.ArgumentParser(prog="secrets", description=__doc__)
    parser.add_argument("folder", type=Path)
    chosen = parser.parse_args(arguments)
    try:
        made = write_missing(chosen.folder, secret_files())
    except OSError as error:
        sys.stderr.write(f"no secrets: {error}\n")
        return 1
    sys.stdout.write("secrets made\n" if made else "secrets are there\n")
    return 0
