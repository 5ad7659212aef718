"""A server that claims to be a target and then misbehaves on `POST /tasks` in one scripted way."""

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PATIENCE_S = 1.0
"""longer than a busy machine holds up a client that is about to close"""
HEALTH = b'{"service":"blockpoint","strategy":"scripted","variant":"default","nonce":"n1","slots":{}}'
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ID = re.compile(rb'"task_id": ?"([0-9a-f]{16})"')


def reply(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body)


@dataclass
class Scripted:
    """`received` holds the id of each task that was read, in order; `bodies` its body.

    `hung_up` holds the ids whose client closed its connection while "patient" waited for that.
    """

    behaviour: str
    port: int = 0
    received: list[str] = field(default_factory=list)
    bodies: dict[str, bytes] = field(default_factory=dict)
    hung_up: list[str] = field(default_factory=list)
    gets: list[bytes] = field(default_factory=list)
    health: bytes = HEALTH

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                if head.startswith(b"GET"):
                    self.gets.append(head.split(b" ")[1])
                    writer.write(reply(200, self.health))
                    continue
                found = _ID.search(body)
                assert found
                self.received.append(found[1].decode())
                self.bodies[self.received[-1]] = body
                if self.behaviour == "patient" and await ended(reader):
                    self.hung_up.append(found[1].decode())
                    return
                await self.misbehave(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def misbehave(self, writer: asyncio.StreamWriter) -> None:
        if self.behaviour == "hang":
            await asyncio.sleep(3600)
        elif self.behaviour == "close":
            raise ConnectionError
        elif self.behaviour == "close within reply":
            writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 10\r\n\r\n{")
            await writer.drain()
            await asyncio.sleep(0.002)
            raise ConnectionError
        elif self.behaviour == "busy":
            writer.write(reply(503, b"{}"))
        elif self.behaviour == "close after reply":
            writer.write(reply(202, b"{}"))
            await asyncio.sleep(0.002)
            raise ConnectionError
        elif self.behaviour == "pieces":
            for piece in (
                b"HTTP/1.1 202 X\r\ntransfer-enc",
                b"oding: chunked\r\n\r\n2\r\n{",
                b"}\r\n0\r\n\r\n",
            ):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.001)
        elif self.behaviour == "garbage":
            writer.write(b"nonsense\r\n\r\n")
        else:
            writer.write(reply(202, b"{}"))


async def ended(reader: asyncio.StreamReader) -> bool:
    """Give the client time to close; False where it sends or waits, raises ConnectionError at a reset."""
    try:
        return await asyncio.wait_for(reader.read(1), PATIENCE_S) == b""
    except TimeoutError:
        return False


@contextmanager
def scripted(behaviour: str) -> Iterator[Scripted]:
    """Serve in a thread of this process."""
    server = Scripted(behaviour)
    loop = asyncio.new_event_loop()
    begun = threading.Event()

    async def main() -> None:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, backlog=2048)
        server.port = listening.sockets[0].getsockname()[1]
        begun.set()
        await stop.wait()
        listening.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0.01)

    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(main()))
    thread.start()
    assert begun.wait(60)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(60)
        loop.close()
