"""Keeps batches one after the other, and says how many are kept, until it is killed."""

import asyncio
import sys
from pathlib import Path

from tests.feedback.metrics.test_equality import sent, store


async def main() -> None:
    metrics = store(Path(sys.argv[1]), 2)
    for number, batch in enumerate(sent(9), start=1):
        await metrics.publish(batch)
        print(number, flush=True)
    await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main())
