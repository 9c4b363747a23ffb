"""Several processes on one store: each day and each message has one of them."""

from __future__ import annotations

import asyncio
import json
import sys

from notifier.parts import StoreLocation
from notifier.store import open_store
from tests.store.arrange import freeze

PROCESSES = 6
MESSAGES = 12

RACER = """
import asyncio, json, os, sys
from datetime import date, timedelta
from notifier.parts import StoreLocation
from notifier.store import open_store
from tests.factories import DAY, NOON

async def main():
    taken = []
    async with open_store(StoreLocation(sys.argv[1])) as store:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        mine = {"at": NOON, "holder": str(os.getpid()), "lease": timedelta(minutes=5)}
        for number in range(1, 9):
            if await store.runs.begin("celje", DAY + timedelta(days=number), **mine):
                taken.append(f"day {number}")
        while message := await store.outbox.claim(**mine):
            taken.append(message.recipient)
    print(json.dumps(taken))

asyncio.run(main())
"""


async def test_six_processes_share_days_and_messages_without_taking_one_twice(
    location: StoreLocation,
) -> None:
    recipients = [f"r{number}@example.com" for number in range(MESSAGES)]
    async with open_store(location) as store:
        await freeze(store, *recipients)
    racers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", RACER, location.url),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(PROCESSES)
    ]
    for racer in racers:
        assert racer.stdout
        assert await asyncio.wait_for(racer.stdout.readline(), 60) == b"ready\n"

    outputs = await asyncio.wait_for(
        asyncio.gather(*(racer.communicate(b"go\n") for racer in racers)), 60
    )

    taken = [name for out, _ in outputs for name in json.loads(out)]
    assert sorted(taken) == sorted([*recipients, *(f"day {n}" for n in range(1, 9))])
