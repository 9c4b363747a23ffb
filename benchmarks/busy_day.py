"""CPU time and memory of one `notifier run` of the scenario `busy_day`: 200 orders, 40 ready.

The marketplace and the mail server run in a separate process, so that only the notifier is
measured. For comparison, an interpreter imports the same libraries and does nothing else.

    python benchmarks/busy_day.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

NOTIFIER = str(Path(sys.executable).with_name("notifier"))
IMPORTS = "import aiosmtplib, babel, css_inline, httpx, jinja2, pydantic_settings, sqlalchemy, rich"

SERVERS = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from notifier.simulator import World, serve
from notifier.simulator.mailbox import receive

async def main():
    world = World.from_scenario("busy_day", start=datetime.now(UTC))
    async with serve(world) as url, receive(Path(sys.argv[1])) as port:
        print(url, port, flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""

CONFIG = """
admin = "admin@example.com"
[smtp]
host = "127.0.0.1"
port = {port}
tls = "none"
from = "parcels@example.com"
[marketplace]
base_url = "{url}"
[accounts.shop]
name = "Shop"
client_id = "demo-client-id"
recipients = ["a@example.com", "b@example.com"]
"""


def cpu_seconds(*command: str) -> tuple[float, float]:
    """Run a command; return its CPU seconds (user and system) and its peak memory in MB."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{command[0]} failed with {child.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    """Start the servers, measure one run, and print the result."""
    with tempfile.TemporaryDirectory() as folder:
        servers = subprocess.Popen(
            [sys.executable, "-c", SERVERS, str(Path(folder) / "Maildir")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert servers.stdin  # noqa: S101 - pipes, for mypy
        assert servers.stdout  # noqa: S101
        url, port = servers.stdout.readline().split()
        config = Path(folder) / "config.toml"
        config.write_text(CONFIG.format(url=url, port=port))
        config.chmod(0o600)
        idle, idle_memory = cpu_seconds(sys.executable, "-c", IMPORTS)
        ours, memory = cpu_seconds(NOTIFIER, "--config", str(config), "run", "--now")
        servers.stdin.close()
        servers.wait(timeout=10)
    print(f"the imports alone   {idle:5.2f} s CPU  {idle_memory:5.0f} MB")
    print(f"notifier run        {ours:5.2f} s CPU  {memory:5.0f} MB   (wanted: under 3 s)")
    print(f"ratio               {ours / idle:5.2f}")


if __name__ == "__main__":
    main()
