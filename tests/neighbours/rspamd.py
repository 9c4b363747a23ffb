"""rspamd, a spam filter that many receivers use, without network access."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 60

_CONFIG = """
.include "/etc/rspamd/common.conf"
options {{
  .include "/etc/rspamd/options.inc"
  dns {{ nameserver = ["127.0.0.1:9"]; timeout = 0.05s; retransmits = 1; }}
  pidfile = "{folder}/rspamd.pid";
}}
logging {{ type = "file"; filename = "{folder}/rspamd.log"; level = "warning"; }}
worker "controller" {{
  bind_socket = "127.0.0.1:{port}";
  count = 1;
  secure_ip = "127.0.0.1";
  static_dir = "{folder}";
}}
"""


def why_not() -> str | None:
    """Return why rspamd cannot run here; None if it can."""
    missing = [name for name in ("rspamd", "rspamc") if not shutil.which(name)]
    return f"NOT CHECKED: not installed: {', '.join(missing)}" if missing else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """rspamd's judgement of a mail: the total score and the score of each matching rule."""

    score: float
    rules: dict[str, float]


@dataclass(frozen=True, slots=True)
class Rspamd:
    """A running rspamd that treats mails as submitted by a trusted client."""

    port: int

    def judge(self, files: Iterable[Path]) -> list[Verdict]:
        """Return the verdict on each mail, with its date set to now: old dates raise the score."""
        for file in files:
            now = b"Date: " + format_datetime(datetime.now(UTC)).encode()
            file.write_bytes(re.sub(rb"(?m)^Date: [^\r]+", now, file.read_bytes(), count=1))
        command = ("rspamc", "-h", f"127.0.0.1:{self.port}", "--ip", "127.0.0.1", "-j")
        output = subprocess.check_output([*command, *map(str, files)], text=True)
        return [_verdict(reply) for reply in _json_objects(output)]


def _json_objects(output: str) -> Iterator[dict[str, Any]]:
    """Parse JSON objects that follow each other without a separator."""
    decoder, rest = json.JSONDecoder(), output.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        yield value
        rest = rest[end:].strip()


def _verdict(reply: dict[str, Any]) -> Verdict:
    rules = {name: float(rule["score"]) for name, rule in reply["symbols"].items()}
    return Verdict(float(reply["score"]), rules)


@contextmanager
def running(folder: Path) -> Iterator[Rspamd]:
    """Run rspamd while the block runs."""
    folder.chmod(0o777)  # rspamd changes to another user after its start
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    config = folder / "rspamd.conf"
    config.write_text(_CONFIG.format(folder=folder, port=port), encoding="utf-8")
    variables = [f"{name}={folder}" for name in ("DBDIR", "RUNDIR", "LOGDIR")]
    process = subprocess.Popen(
        [
            *("rspamd", "-f", "-i", "-c", str(config)),
            *(word for variable in variables for word in ("--var", variable)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for(port)
        yield Rspamd(port)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(PATIENCE_SECONDS * 5):
        with socket.socket() as visitor:
            if visitor.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise TimeoutError("rspamd does not listen")
