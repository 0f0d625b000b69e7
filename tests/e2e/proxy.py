"""A TCP proxy that misbehaves when told to, and counts the HTTP requests that pass."""

import asyncio
import contextlib
import random
import threading
from collections import namedtuple

# `target` is DynamoDB's operation, or None; `body` is text, empty without one.
Request = namedtuple("Request", "method path target body")
Fault = namedtuple("Fault", "kind amount")

NONE = Fault("none", 0)
KEPT_BODY = 1 << 16


def port_of(address):
    """Of `host:port` or `http://host:port`."""
    return int(address.rpartition(":")[2])


class Proxy:
    """Hands on connections to `upstream`, a port of loopback. Use as a context; `port` is where it listens, `requests` what has
    passed, and `unreached` how many connections found nobody at `upstream`.

    | fault | amount | what happens |
    | --- | --- | --- |
    | `refuse` | | connections end, and new ones end at once |
    | `drop` | | nothing passes any more, and nobody is told; connections that lost something end when the fault does |
    | `delay` | seconds | what passes is late by a random while of up to that |
    | `cut` | probability | a request goes through; when its reply comes, the connection ends instead |
    """

    def __init__(self, upstream, port=0, seed=0):
        self.upstream, self.port, self.random = upstream, port, random.Random(seed)
        self.fault, self.requests, self.met, self.unreached = NONE, [], 0, 0
        self.connections = set()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def __enter__(self):
        self.thread.start()
        assert self.ready.wait(60), "the proxy does not listen"
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(10)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def misbehaving(self, kind, amount):
        """Gives a function that says how many connections or pieces have met the fault."""
        before, self.fault = self.met, Fault(kind, amount)
        if kind == "refuse":
            self.loop.call_soon_threadsafe(self.end_all)
        try:
            yield lambda: self.met - before
        finally:
            self.fault = NONE

    def work(self):
        asyncio.run(self.serve())

    async def serve(self):
        self.loop, self.stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self.accept, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        await self.stop.wait()
        server.close()
        self.end_all()
        await asyncio.sleep(0)

    def end_all(self):
        for writer in list(self.connections):
            self.met += self.fault.kind == "refuse"
            writer.transport.abort()

    async def accept(self, reader, writer):
        self.connections.add(writer)
        try:
            if self.fault.kind == "refuse":
                self.met += 1
                return
            try:
                up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
            except OSError:
                self.unreached += 1
                return
            self.connections.add(up_writer)
            try:
                ways = [asyncio.ensure_future(self.pump(reader, up_writer, Requests(self.requests))), asyncio.ensure_future(self.pump(up_reader, writer, None))]
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in ways:
                    way.cancel()
            finally:
                self.connections.discard(up_writer)
                up_writer.transport.abort()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self.connections.discard(writer)
            writer.transport.abort()

    async def pump(self, reader, writer, requests):
        """Returns when the connection is to end."""
        with contextlib.suppress(OSError, asyncio.CancelledError):
            while data := await reader.read(1 << 16):
                kind, amount = self.fault
                if kind == "drop":
                    self.met += 1
                    while self.fault.kind == "drop":
                        await asyncio.sleep(0.02)
                    return
                if kind == "delay":
                    self.met += 1
                    await asyncio.sleep(self.random.random() * amount)
                if kind == "cut" and requests is None and self.random.random() < amount:
                    self.met += 1
                    return
                if requests is not None:
                    requests.feed(data)
                writer.write(data)
                await writer.drain()


class Requests:
    """Reads the requests of one HTTP/1.1 connection off its bytes. Bytes that are no HTTP are none."""

    def __init__(self, into):
        self.into, self.bytes, self.wanted, self.head, self.http = into, bytearray(), None, None, True

    def feed(self, data):
        if not self.http:
            return
        self.bytes += data
        while True:
            if self.wanted is None and not self.begin():
                return
            if len(self.bytes) < self.wanted:
                return
            body = bytes(self.bytes[:min(self.wanted, KEPT_BODY)]).decode("utf-8", "replace")
            del self.bytes[:self.wanted]
            self.into.append(Request(*self.head, body))
            self.wanted = None

    def begin(self):
        end = self.bytes.find(b"\r\n\r\n")
        if end < 0:
            # The first byte of a Kafka request is zero.
            self.http = not self.bytes or self.bytes[0] >= 0x20
            return False
        lines = self.bytes[:end].decode("latin-1").split("\r\n")
        del self.bytes[:end + 4]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        assert "transfer-encoding" not in headers, lines
        method, path, _ = lines[0].split(" ", 2)
        target = headers.get("x-amz-target")
        self.head = (method, path, target and target.rpartition(".")[2])
        self.wanted = int(headers.get("content-length", 0))
        return True
