"""The embedded broker, killed at random moments with a torn tail added: what a producer was answered is there.

The long form: `--kills 50`; docs/faults.md has the command.
"""

import random
import struct

from ordeal import Steady, Watching, define, prove

KILLS, RATE = 4, 2_000
SEGMENTS = "broker/**/" + "[0-9]" * 20 + ".log"
HEAD = struct.Struct(">qi")
LAST_OFFSET_DELTA_AT = 23


def tear(data, chance):
    """Adds a part of a batch where the newest segment with batches ends, as a disk may keep of a write that the power cut off."""
    segments = [path for path in data.glob(SEGMENTS) if path.stat().st_size]
    newest = max(segments, key=lambda path: path.stat().st_mtime_ns)
    content = newest.read_bytes()
    position, last = 0, None
    while position + HEAD.size <= len(content):
        base, length = HEAD.unpack_from(content, position)
        end = position + HEAD.size + length
        if end > len(content):
            break
        last, position = (position, base), end
    begin, base = last
    [delta] = struct.unpack_from(">i", content, begin + LAST_OFFSET_DELTA_AT)
    batch = HEAD.pack(base + delta + 1, position - begin - HEAD.size) + content[begin + HEAD.size:position]
    torn = batch[:chance.randrange(1, len(batch))]
    with open(newest, "r+b") as file:
        file.truncate(position)
        file.seek(position)
        # Half of the times the length is there, and bytes that never came are zero.
        file.write(torn if chance.random() < 0.5 else torn.ljust(len(batch), b"\0"))


def test_nothing_that_was_acknowledged_is_lost_by_kills_and_torn_tails(start, seed, pytestconfig):
    kills = pytestconfig.getoption("--kills") or KILLS
    chance = random.Random(seed)
    server = start("up")
    define(server, "torn", server.kafka, "torn")
    restarts = []
    with Steady(server.kafka, "torn", RATE, pad=200) as producer, Watching(server, "torn"):
        for _ in range(kills):
            producer.go_on(chance.randrange(1, 2 * RATE))
            server.kill()
            tear(server.data, chance)
            server.start()
            restarts.append(server.ready_after)
        records = producer.finish()
        prove(server, "torn", records, server.data / "objects")
    kept_mb = sum(path.stat().st_size for path in server.data.glob(SEGMENTS)) / 1e6
    print(f"{kills} kills, {records} records; restarts took at most {max(restarts):.2f} s, the last one {restarts[-1]:.2f} s with {kept_mb:.0f} MB in the log")
