#!/usr/bin/env python3
"""An upstream that queues: so many workers, one queue first in first out and without a bound, service
times drawn from an exponential distribution. Work that was begun for somebody who has left is done all
the same. `/stats` says how many requests came and how many were worked on.

    queueing_origin.py PORT WORKERS MEAN_SECONDS SEED
"""

import asyncio
import json
import random
import sys


class QueueingOrigin:
    def __init__(self, workers, mean, seed):
        self.queue = asyncio.Queue()
        self.random = random.Random(seed)
        self.mean = mean
        self.came = self.done = 0
        self.workers = [asyncio.ensure_future(self.work()) for _ in range(workers)]

    async def work(self):
        while True:
            finished = await self.queue.get()
            await asyncio.sleep(self.random.expovariate(1 / self.mean))
            self.done += 1
            finished.set()

    async def serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.split(b" ", 2)[1] == b"/stats":
                    body = json.dumps({"came": self.came, "done": self.done, "waiting": self.queue.qsize()}).encode()
                else:
                    self.came += 1
                    finished = asyncio.Event()
                    self.queue.put_nowait(finished)
                    await finished.wait()
                    body = b"done"
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()


async def main():
    port, workers, mean, seed = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    origin = QueueingOrigin(workers, mean, seed)
    server = await asyncio.start_server(origin.serve, "127.0.0.1", port, backlog=4096)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
