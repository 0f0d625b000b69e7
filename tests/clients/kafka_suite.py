"""Checks that a Kafka broker serves the clients that people have: kafka-python, confluent-kafka and kcat.

The embedded broker and Apache Kafka pass the same checks; a check that only one of them could pass does not belong
here. Every run takes new topics and groups, so a broker may be checked again and again.

usage: kafka_suite.py HOST:PORT [WORD]      WORD: only the checks that have it in their name
"""

import contextlib
import functools
import subprocess
import sys
import threading
import time
import traceback
import uuid

import confluent_kafka
from confluent_kafka import admin as confluent_admin
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka import errors as kafka_errors
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.structs import OffsetAndMetadata

BROKER = sys.argv[1] if len(sys.argv) > 1 else sys.exit(__doc__)
WORD = sys.argv[2] if len(sys.argv) > 2 else ""
RUN = uuid.uuid4().hex[:8]
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
PATIENCE_S = 30
# A minute ago: a broker may delete what is older than its retention, minutes after it came.
BASE_MS = (int(time.time()) - 60) * 1000

# key, value, headers, timestamp
RECORDS = [
    (b"key", b"value", [], BASE_MS),
    (None, b"no key", [("a", b"1")], BASE_MS + 1),
    (b"tombstone", None, [], BASE_MS + 2),
    (b"", b"", [("empty", b""), ("null", None)], BASE_MS + 3),
    (bytes(range(256)), bytes(range(255, -1, -1)), [("twice", b"1"), ("twice", b"2")], BASE_MS + 2),
    ("schlüssel".encode(), "値".encode(), [("ü", "ü".encode())], BASE_MS - 5_000),
] + [(b"%d" % n, b"the same words again and again " * 20, [], BASE_MS + 10 + n) for n in range(50)]

# kafka-python sends no null headers
RECORDS_OF_PYTHON = [(key, value, [(name, data or b"") for name, data in headers], timestamp)
                     for key, value, headers, timestamp in RECORDS]

CHECKS = []


def check(claim, *cases):
    """Registers a function as a check, once for each case."""
    def register(function):
        for case in cases or [None]:
            arguments = [] if case is None else [case]
            CHECKS.append((claim if case is None else f"{claim}: {case}", function, arguments))
        return function
    return register


def expect(found, expected):
    assert found == expected, f"expected {expected!r}, found {found!r}"[:2000]


def eventually(claim, condition):
    """Asks until the answer is yes; a broker may need a moment to make something visible."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE_S} s: {claim}"
        time.sleep(0.05)


def new(kind):
    return f"suite-{kind}-{RUN}-{uuid.uuid4().hex[:8]}"


# Clients


def python_producer(**settings):
    return contextlib.closing(KafkaProducer(bootstrap_servers=BROKER, **settings))


def python_consumer(*topics, **settings):
    settings = {"auto_offset_reset": "earliest", "enable_auto_commit": False, **settings}
    return contextlib.closing(KafkaConsumer(*topics, bootstrap_servers=BROKER, **settings))


def python_admin():
    return contextlib.closing(KafkaAdminClient(bootstrap_servers=BROKER))


def confluent_producer(**settings):
    settings = {name.replace("_", "."): value for name, value in settings.items()}
    return confluent_kafka.Producer({"bootstrap.servers": BROKER, "linger.ms": 20, **settings})


@contextlib.contextmanager
def confluent_consumer(group=None, **settings):
    settings = {name.replace("_", "."): value for name, value in settings.items()}
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": BROKER, "group.id": group or new("unused"), "auto.offset.reset": "earliest",
        "enable.auto.commit": False, "session.timeout.ms": 6000, "heartbeat.interval.ms": 300, **settings})
    try:
        yield consumer
    finally:
        consumer.close()


@functools.cache
def confluent_administrator():
    """One for all checks: a client that nobody holds is destroyed before its answer is there."""
    return confluent_admin.AdminClient({"bootstrap.servers": BROKER})


def kcat(*arguments, send=None):
    run = subprocess.run(["kcat", "-b", BROKER, *arguments], input=send, capture_output=True, timeout=PATIENCE_S * 2)
    assert run.returncode == 0, run.stderr.decode()[-500:]
    return run.stdout


# What every check needs


def create(topic, partitions=1, **configs):
    with python_admin() as client:
        configs = {name.replace("_", "."): value for name, value in configs.items()}
        client.create_topics({topic: {"num_partitions": partitions, "replication_factor": 1, "configs": configs}},
                             wait_for_metadata=True)
    return topic


def produce_with_python(topic, records, **settings):
    with python_producer(**settings) as producer:
        sent = [producer.send(topic, value, key, headers, timestamp_ms=timestamp)
                for key, value, headers, timestamp in records]
        return [future.get(PATIENCE_S).offset for future in sent]


def produce_with_confluent(topic, records, **settings):
    producer, offsets, failures = confluent_producer(**settings), [], []

    def done(error, message):
        failures.append(error) if error else offsets.append(message.offset())
    for key, value, headers, timestamp in records:
        producer.produce(topic, value, key, headers=headers, timestamp=timestamp, on_delivery=done)
        producer.poll(0)
    expect(producer.flush(PATIENCE_S), 0)
    expect(failures, [])
    return offsets


def read_with_python(topic, count, **settings):
    records, deadline = [], time.monotonic() + PATIENCE_S
    with python_consumer(**settings) as consumer:
        consumer.assign([TopicPartition(topic, index) for index in sorted(consumer.partitions_for_topic(topic))])
        while len(records) < count:
            assert time.monotonic() < deadline, f"expected {count} records, found {len(records)}"
            for batch in consumer.poll(timeout_ms=500).values():
                records += [(r.key, r.value, list(r.headers), r.timestamp, r.offset) for r in batch]
    return records


def read_with_confluent(topic, count, **settings):
    records, deadline = [], time.monotonic() + PATIENCE_S
    with confluent_consumer(**settings) as consumer:
        indexes = consumer.list_topics(topic, timeout=PATIENCE_S).topics[topic].partitions
        consumer.assign([confluent_kafka.TopicPartition(topic, index, 0) for index in indexes])
        while len(records) < count:
            assert time.monotonic() < deadline, f"expected {count} records, found {len(records)}"
            for message in consumer.consume(1000, 0.5):
                assert message.error() is None, message.error()
                records.append((message.key(), message.value(), message.headers() or [], message.timestamp()[1],
                                message.offset()))
    return records


def plain(count):
    return [(None, b"value %d" % n, [], BASE_MS + n) for n in range(count)]


def at_offsets(records):
    return [(*record, offset) for offset, record in enumerate(records)]


# Produce and consume


@check("kafka-python produces, kafka-python and confluent-kafka read the same bytes", *CODECS)
def python_round_trip(codec):
    topic = create(new("python"))
    produce_with_python(topic, RECORDS_OF_PYTHON, compression_type=None if codec == "none" else codec, linger_ms=50)
    expect(read_with_python(topic, len(RECORDS_OF_PYTHON)), at_offsets(RECORDS_OF_PYTHON))
    expect(read_with_confluent(topic, len(RECORDS_OF_PYTHON)), at_offsets(RECORDS_OF_PYTHON))


@check("confluent-kafka produces, kafka-python and confluent-kafka read the same bytes", *CODECS)
def confluent_round_trip(codec):
    topic = create(new("confluent"))
    produce_with_confluent(topic, RECORDS, compression_type=codec)
    expect(read_with_confluent(topic, len(RECORDS)), at_offsets(RECORDS))
    expect(read_with_python(topic, len(RECORDS)), at_offsets(RECORDS))


@check("kcat produces and consumes keys, headers and values", *CODECS)
def kcat_round_trip(codec):
    topic = create(new("kcat"))
    lines = b"".join(b"k%d:value %d\n" % (n, n) for n in range(200))
    kcat("-P", "-t", topic, "-z", codec, "-K:", "-H", "a=1", "-H", "b=2", send=lines)
    read = kcat("-C", "-t", topic, "-o", "beginning", "-e", "-q", "-f", "%o %k %h %s\n")
    expect(read, b"".join(b"%d k%d a=1,b=2 value %d\n" % (n, n, n) for n in range(200)))
    expect([r[1] for r in read_with_python(topic, 200)], [b"value %d" % n for n in range(200)])


@check("kcat lists the topic and its partitions")
def kcat_lists():
    topic = create(new("kcat"), 3)
    expect(kcat("-L", "-t", topic).count(b"leader "), 3)


@check("kcat reads from an offset, the last records and by time")
def kcat_positions():
    topic = create(new("kcat"))
    produce_with_python(topic, plain(10))
    def read(*position):
        return kcat("-C", "-t", topic, "-p", "0", "-e", "-q", "-f", "%o ", *position)
    expect(read("-o", "7"), b"7 8 9 ")
    expect(read("-o", "-2"), b"8 9 ")
    expect(read("-o", f"s@{BASE_MS + 4}"), b"4 5 6 7 8 9 ")


@check("a topic that does not exist is created by producing to it", "kafka-python", "confluent-kafka", "kcat")
def auto_create(client):
    topic = new("auto")
    if client == "kafka-python":
        produce_with_python(topic, plain(3))
    elif client == "confluent-kafka":
        produce_with_confluent(topic, plain(3))
    else:
        kcat("-P", "-t", topic, send=b"value 0\nvalue 1\nvalue 2\n")
    expect(sorted(r[1] for r in read_with_confluent(topic, 3)), [b"value 0", b"value 1", b"value 2"])


@check("acks of 0, 1 and all are served", 0, 1, "all")
def acknowledgements(acks):
    topic = create(new("acks"))
    produce_with_python(topic, plain(20), acks=acks)
    expect(len(read_with_python(topic, 20)), 20)
    produce_with_confluent(topic, plain(20), acks=str(acks))
    expect(len(read_with_python(topic, 40)), 40)


@check("a record of 900 kB comes back")
def large_record():
    topic = create(new("large"))
    value = bytes(range(256)) * 3600
    produce_with_python(topic, [(None, value, [], BASE_MS)])
    produce_with_confluent(topic, [(None, value, [], BASE_MS)])
    expect([r[1] == value for r in read_with_python(topic, 2, max_partition_fetch_bytes=1000)], [True, True])
    expect([r[1] == value for r in read_with_confluent(topic, 2, max_partition_fetch_bytes=1000)], [True, True])


@check("20,000 records over 3 partitions come back once and in order")
def many_records():
    topic = create(new("many"), 3)
    # Without idempotence a retry, to which any broker may drive a client, overtakes what was sent before it.
    produce_with_confluent(topic, [(b"%d" % (n % 7), b"%d" % n, [], BASE_MS) for n in range(20_000)],
                           compression_type="lz4", enable_idempotence=True)
    for read in (read_with_python, read_with_confluent):
        records = read(topic, 20_000)
        expect(sorted(int(r[1]) for r in records), list(range(20_000)))
        for key in range(7):
            numbers = [int(r[1]) for r in records if r[0] == b"%d" % key]
            expect(numbers, sorted(numbers))


@check("a waiting consumer gets a record soon after it is produced")
def long_poll():
    topic = create(new("wait"))
    with confluent_consumer(fetch_wait_max_ms=5000) as consumer, python_producer() as producer:
        consumer.assign([confluent_kafka.TopicPartition(topic, 0, 0)])
        assert consumer.poll(2) is None
        started = time.monotonic()
        producer.send(topic, b"now").get(PATIENCE_S)
        message = consumer.poll(PATIENCE_S)
        expect(message.value(), b"now")
        assert time.monotonic() - started < 2, "the wait was not ended by the record"


@check("an offset out of range is reset")
def out_of_range():
    topic = create(new("range"))
    produce_with_python(topic, plain(3))
    with confluent_consumer() as consumer:
        consumer.assign([confluent_kafka.TopicPartition(topic, 0, 999)])
        expect(consumer.poll(PATIENCE_S).offset(), 0)
    with python_consumer() as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        consumer.seek(TopicPartition(topic, 0), 999)
        expect(next(consumer).offset, 0)


@check("a consumer of a topic that does not exist learns so")
def unknown_topic():
    with confluent_consumer() as consumer:
        error = consumer.list_topics(new("never"), timeout=PATIENCE_S).topics.popitem()[1].error
        expect(error.code(), confluent_kafka.KafkaError.UNKNOWN_TOPIC_OR_PART)


# Idempotent producers


@check("an idempotent producer stores each record once", "kafka-python", "confluent-kafka")
def idempotent(client):
    topic, records = create(new("idempotent"), 2), plain(3000)
    if client == "kafka-python":
        produce_with_python(topic, records, enable_idempotence=True, acks="all")
    else:
        produce_with_confluent(topic, records, enable_idempotence=True, batch_num_messages=100)
    expect(sorted(r[1] for r in read_with_confluent(topic, 3000)), sorted(r[1] for r in records))


# Times


@check("offsets by time are those of the first record not before it", *CODECS)
def by_time(codec):
    topic = create(new("time"))
    times = [1000, 3000, 2000, 5000, 4000]
    records = [(None, b"value", [], BASE_MS + ms) for ms in times]
    produce_with_confluent(topic, records, compression_type=codec, linger_ms=200)
    produce_with_confluent(topic, [(None, b"later", [], BASE_MS + 9000)], compression_type=codec)
    asked = {0: 0, 1000: 0, 1001: 1, 3000: 1, 3001: 3, 5000: 3, 5001: 5, 9000: 5, 9001: None}
    with python_consumer() as consumer, confluent_consumer() as other:
        for ms, offset in asked.items():
            at = TopicPartition(topic, 0)
            found = consumer.offsets_for_times({at: BASE_MS + ms})[at]
            expect((ms, found and found.offset), (ms, offset))
            if found:
                expect(found.timestamp, BASE_MS + ([*times, 9000][offset]))
            at = confluent_kafka.TopicPartition(topic, 0, BASE_MS + ms)
            # librdkafka says "end" for none
            expect(other.offsets_for_times([at], PATIENCE_S)[0].offset,
                   confluent_kafka.OFFSET_END if offset is None else offset)


@check("beginning, end and latest time are listed")
def list_offsets():
    topic = create(new("offsets"))
    produce_with_python(topic, [(None, b"", [], BASE_MS + ms) for ms in [1, 7, 3]])
    with python_consumer() as consumer:
        at = TopicPartition(topic, 0)
        expect((consumer.beginning_offsets([at])[at], consumer.end_offsets([at])[at]), (0, 3))
    at, spec = confluent_kafka.TopicPartition(topic, 0), confluent_admin.OffsetSpec
    found = [confluent_administrator().list_offsets({at: asked})[at].result(PATIENCE_S)
             for asked in (spec.earliest(), spec.latest(), spec.max_timestamp())]
    expect([result.offset for result in found], [0, 3, 1])
    expect(found[2].timestamp, BASE_MS + 7)


# Groups


def poll_all(consumers, until, got):
    """Polls consumers in turn until a condition holds; what they read goes to `got`."""
    deadline = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < deadline, f"the group got stuck after {len(got)} records"
        for consumer in consumers:
            message = consumer.poll(0.05)
            if message is not None and message.error() is None:
                got.append((message.partition(), message.offset()))


@check("two confluent-kafka members share partitions, and the one that stays takes all", "range", "cooperative-sticky")
def confluent_group(strategy):
    topic, group, got = create(new("group"), 4), new("group"), []
    settings = {"partition_assignment_strategy": strategy}
    with confluent_consumer(group, **settings) as stays:
        stays.subscribe([topic])
        with confluent_consumer(group, **settings) as leaves:
            leaves.subscribe([topic])
            both = [stays, leaves]
            poll_all(both, lambda: all(len(member.assignment()) == 2 for member in both), got)
            for index in range(4):
                produce_with_partition(topic, index, 5)
            poll_all(both, lambda: len(got) >= 20, got)
            leaves.commit(asynchronous=False)
            stays.commit(asynchronous=False)
        poll_all([stays], lambda: len(stays.assignment()) == 4, got)
        expect(sorted(got), [(index, offset) for index in range(4) for offset in range(5)])
        for index in range(4):
            produce_with_partition(topic, index, 1)
        poll_all([stays], lambda: len(got) >= 24, got)
        stays.commit(asynchronous=False)
    expect(sorted(got), [(index, offset) for index in range(4) for offset in range(6)])
    with confluent_consumer(group) as resumed:
        committed = resumed.committed([confluent_kafka.TopicPartition(topic, index) for index in range(4)], PATIENCE_S)
        expect([at.offset for at in committed], [6] * 4)


def produce_with_partition(topic, index, count):
    with python_producer() as producer:
        for _ in range(count):
            producer.send(topic, b"value", partition=index).get(PATIENCE_S)


@contextlib.contextmanager
def python_member(topic, group, **settings):
    """A kafka-python consumer that polls in a thread of its own; yields what tells its share of the partitions.

    In turns with others it would not do: a poll whose time is over in the middle of a rebalance forgets the answer.
    """
    stop, share = threading.Event(), [0]
    with python_consumer(topic, group_id=group, session_timeout_ms=6000, heartbeat_interval_ms=300,
                         **settings) as consumer:
        def poll():
            while not stop.is_set():
                consumer.poll(timeout_ms=1000)
                share[0] = len(consumer.assignment())
        thread = threading.Thread(target=poll)
        thread.start()
        try:
            yield lambda: share[0]
        finally:
            stop.set()
            thread.join()


@check("two kafka-python members share partitions, and the one that stays takes all")
def python_group():
    topic, group = create(new("group"), 4), new("group")
    with python_member(topic, group) as stays:
        with python_member(topic, group) as leaves:
            eventually("both have a share", lambda: (stays(), leaves()) == (2, 2))
        eventually("one has all", lambda: stays() == 4)


@check("a kafka-python and a confluent-kafka member share a group")
def mixed_group():
    topic, group = create(new("group"), 4), new("group")
    with python_member(topic, group, partition_assignment_strategy=[RangePartitionAssignor]) as python:
        with confluent_consumer(group, partition_assignment_strategy="range") as confluent:
            confluent.subscribe([topic])
            poll_all([confluent], lambda: (python(), len(confluent.assignment())) == (2, 2), [])


@check("a member that falls silent loses its partitions")
def silent_member():
    topic, group, got = create(new("group"), 2), new("group"), []
    silent = KafkaConsumer(topic, bootstrap_servers=BROKER, group_id=group, session_timeout_ms=6000,
                           max_poll_interval_ms=6000, heartbeat_interval_ms=1000)
    with contextlib.closing(silent):
        eventually("first member assigned", lambda: silent.poll(timeout_ms=2000) == {} and silent.assignment())
        with confluent_consumer(group, partition_assignment_strategy="range") as member:
            member.subscribe([topic])
            # from here on `silent` is not polled
            poll_all([member], lambda: len(member.assignment()) == 2, got)


@check("a consumer resumes where its group committed", "kafka-python", "confluent-kafka", "kcat")
def resume(client):
    topic, group = create(new("resume")), new("group")
    produce_with_python(topic, plain(10))
    if client == "kcat":
        read = kcat("-G", group, topic, "-c", "4", "-q", "-f", "%o ", "-X", "auto.offset.reset=earliest")
        expect(read, b"0 1 2 3 ")
        expect(kcat("-G", group, topic, "-c", "2", "-q", "-f", "%o "), b"4 5 ")
        return
    if client == "kafka-python":
        with python_consumer(topic, group_id=group, session_timeout_ms=6000) as consumer:
            expect([next(consumer).offset for _ in range(4)], [0, 1, 2, 3])
            consumer.commit({TopicPartition(topic, 0): OffsetAndMetadata(4, "note", -1)})
        with python_consumer(topic, group_id=group, session_timeout_ms=6000) as consumer:
            expect(next(consumer).offset, 4)
            expect(consumer.committed(TopicPartition(topic, 0)), 4)
        return
    with confluent_consumer(group) as consumer:
        consumer.subscribe([topic])
        expect([consumer.poll(PATIENCE_S).offset() for _ in range(4)], [0, 1, 2, 3])
        at = confluent_kafka.TopicPartition(topic, 0, 4, metadata="note")
        expect(consumer.commit(offsets=[at], asynchronous=False)[0].error, None)
    with confluent_consumer(group) as consumer:
        consumer.subscribe([topic])
        expect(consumer.poll(PATIENCE_S).offset(), 4)
        committed = consumer.committed([confluent_kafka.TopicPartition(topic, 0)], PATIENCE_S)[0]
        expect((committed.offset, committed.metadata), (4, "note"))


@check("static members keep their partitions over a restart")
def static_members():
    topic, group = create(new("static"), 2), new("group")
    settings = {"group_instance_id": "one", "session_timeout_ms": 20_000}
    seen = []
    for _ in range(2):
        with confluent_consumer(group, **settings) as consumer:
            consumer.subscribe([topic])
            poll_all([consumer], lambda: len(consumer.assignment()) == 2, seen)
    described = confluent_administrator().describe_consumer_groups([group])[group].result(PATIENCE_S)
    expect([member.group_instance_id for member in described.members], ["one"])


@check("groups are listed, described and deleted with kafka-python")
def python_groups():
    topic, group = create(new("admin")), new("group")
    produce_with_python(topic, plain(3))
    with python_admin() as client:
        with python_consumer(topic, group_id=group, session_timeout_ms=6000) as consumer:
            next(consumer)
            consumer.commit({TopicPartition(topic, 0): OffsetAndMetadata(1, "note", -1)})
            assert group in [listed["group_id"] for listed in client.list_groups()]
            described = client.describe_groups([group])[group]
            expect((described["group_state"], len(described["members"])), ("Stable", 1))
            expect(client.delete_groups([group]), {group: "NonEmptyGroupError"})
        eventually("group is empty", lambda: client.describe_groups([group])[group]["group_state"] == "Empty")
        at = TopicPartition(topic, 0)
        expect(client.list_group_offsets({group: [at]})[group][at][:2], (1, "note"))
        expect(client.list_group_offsets({group: None})[group][at].offset, 1)
        expect(client.alter_group_offsets(group, {at: OffsetAndMetadata(2, "", -1)})[at], kafka_errors.NoError)
        expect(client.list_group_offsets({group: None})[group][at].offset, 2)
        expect(client.delete_group_offsets(group, [at])[at], kafka_errors.NoError)
        expect(client.list_group_offsets({group: None})[group], {})


@check("groups are listed, described and deleted with confluent-kafka")
def confluent_groups():
    topic, group, client = create(new("admin")), new("group"), confluent_administrator()
    produce_with_python(topic, plain(3))
    with confluent_consumer(group) as consumer:
        consumer.subscribe([topic])
        consumer.poll(PATIENCE_S)
        consumer.commit(asynchronous=False)
        listed = client.list_consumer_groups(request_timeout=PATIENCE_S).result(PATIENCE_S)
        expect([str(found.state) for found in listed.valid if found.group_id == group], ["ConsumerGroupState.STABLE"])
        described = client.describe_consumer_groups([group])[group].result(PATIENCE_S)
        expect([[(at.topic, at.partition) for at in member.assignment.topic_partitions]
                for member in described.members], [[(topic, 0)]])
    asked = [confluent_kafka.ConsumerGroupTopicPartitions(group)]
    found = client.list_consumer_group_offsets(asked)[group].result(PATIENCE_S)
    expect([(at.topic, at.partition, at.offset) for at in found.topic_partitions], [(topic, 0, 1)])
    moved = confluent_kafka.ConsumerGroupTopicPartitions(group, [confluent_kafka.TopicPartition(topic, 0, 3)])
    client.alter_consumer_group_offsets([moved])[group].result(PATIENCE_S)
    found = client.list_consumer_group_offsets(asked)[group].result(PATIENCE_S)
    expect([at.offset for at in found.topic_partitions], [3])
    client.delete_consumer_groups([group])[group].result(PATIENCE_S)
    listed = client.list_consumer_groups().result(PATIENCE_S)
    assert group not in [found.group_id for found in listed.valid]


# Administration


def error_of(call):
    try:
        call()
    except kafka_errors.KafkaError as error:
        return type(error).__name__
    except confluent_kafka.KafkaException as error:
        return error.args[0].name()
    return None


@check("topics are created and deleted with kafka-python")
def python_topics():
    topic = new("admin")
    with python_admin() as client:
        client.create_topics({topic: {"num_partitions": 3, "replication_factor": 1}}, wait_for_metadata=True)
        expect(len(client.describe_topics([topic])[0]["partitions"]), 3)
        assert topic in client.list_topics()
        expect(error_of(lambda: client.create_topics([topic])), "TopicAlreadyExistsError")
        expect(error_of(lambda: client.create_topics(["not/a/name"])), "InvalidTopicError")
        wrong = {new("admin"): {"num_partitions": 1, "replication_factor": 3}}
        expect(error_of(lambda: client.create_topics(wrong)), "InvalidReplicationFactorError")
        wrong = {new("admin"): {"num_partitions": 0, "replication_factor": 1}}
        expect(error_of(lambda: client.create_topics(wrong)), "InvalidPartitionsError")
        wrong = {new("admin"): {"num_partitions": 1, "configs": {"no.such.setting": "1"}}}
        expect(error_of(lambda: client.create_topics(wrong)), "InvalidConfigurationError")
        checked = new("admin")
        client.create_topics([checked], validate_only=True)
        assert checked not in client.list_topics()
        client.delete_topics([topic])
        eventually("topic is gone", lambda: topic not in client.list_topics())
        expect(error_of(lambda: client.delete_topics([topic])), "UnknownTopicOrPartitionError")


@check("topics are created, described and deleted with confluent-kafka")
def confluent_topics():
    topic, client = new("admin"), confluent_administrator()
    client.create_topics([confluent_admin.NewTopic(topic, 2, 1)])[topic].result(PATIENCE_S)
    eventually("topic is visible", lambda: topic in client.list_topics(timeout=PATIENCE_S).topics)
    again = client.create_topics([confluent_admin.NewTopic(topic, 2, 1)])[topic]
    expect(error_of(lambda: again.result(PATIENCE_S)), "TOPIC_ALREADY_EXISTS")
    names = confluent_kafka.TopicCollection([topic])
    described = client.describe_topics(names)[topic].result(PATIENCE_S)
    expect((described.name, len(described.partitions)), (topic, 2))
    assert str(described.topic_id) not in ("", "AAAAAAAAAAAAAAAAAAAAAA")
    client.delete_topics([topic])[topic].result(PATIENCE_S)
    eventually("topic is gone", lambda: topic not in client.list_topics(timeout=PATIENCE_S).topics)


@check("a deleted topic that is created again is empty")
def created_again():
    topic, client = create(new("again")), confluent_administrator()
    produce_with_confluent(topic, plain(5))
    client.delete_topics([topic])[topic].result(PATIENCE_S)
    eventually("topic is gone", lambda: topic not in client.list_topics(timeout=PATIENCE_S).topics)
    create(topic)
    produce_with_confluent(topic, plain(1))
    expect([record[4] for record in read_with_confluent(topic, 1)], [0])


@check("partitions are added, never taken away", "kafka-python", "confluent-kafka")
def partitions(client):
    topic = create(new("partitions"), 2)
    produce_with_python(topic, plain(4))
    if client == "kafka-python":
        with python_admin() as administrator:
            administrator.create_partitions({topic: 5})
            expect(error_of(lambda: administrator.create_partitions({topic: 3})), "InvalidPartitionsError")
    else:
        administrator = confluent_administrator()
        def grow(count):
            return administrator.create_partitions([confluent_admin.NewPartitions(topic, count)])[topic]
        grow(5).result(PATIENCE_S)
        expect(error_of(lambda: grow(3).result(PATIENCE_S)), "INVALID_PARTITIONS")
    known = confluent_administrator()
    eventually("5 partitions", lambda: len(known.list_topics(topic, timeout=PATIENCE_S).topics[topic].partitions) == 5)
    produce_with_partition(topic, 4, 1)
    expect(len(read_with_python(topic, 5)), 5)


@check("settings are described and changed with kafka-python")
def python_configs():
    topic = create(new("configs"), retention_ms="86400000")
    with python_admin() as client:
        def described():
            resource = ConfigResource(ConfigResourceType.TOPIC, topic)
            return client.describe_configs([resource], config_filter="all")["topic"][topic]
        expect(described()["retention.ms"]["value"], "86400000")
        expect(described()["cleanup.policy"]["value"], "delete")
        expect(described()["message.timestamp.type"]["value"], "CreateTime")
        change = ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": "1000000", "max.message.bytes": "2000000"})
        client.alter_configs([change])
        eventually("settings changed", lambda: described()["retention.ms"]["value"] == "1000000")
        expect(described()["max.message.bytes"]["value"], "2000000")


@check("settings of topic and broker are described and changed with confluent-kafka")
def confluent_configs():
    topic, client = create(new("configs"), retention_ms="86400000"), confluent_administrator()
    def described(kind, name):
        resource = confluent_admin.ConfigResource(kind, name)
        return client.describe_configs([resource])[resource].result(PATIENCE_S)
    expect(described("topic", topic)["retention.ms"].value, "86400000")
    assert described("topic", topic)["cleanup.policy"].is_default
    expect(described("broker", "1")["num.partitions"].value.isdigit(), True)
    resource = confluent_admin.ConfigResource("topic", topic, incremental_configs=[confluent_admin.ConfigEntry(
        "retention.ms", "5000000", incremental_operation=confluent_admin.AlterConfigOpType.SET)])
    client.incremental_alter_configs([resource])[resource].result(PATIENCE_S)
    eventually("setting changed", lambda: described("topic", topic)["retention.ms"].value == "5000000")


@check("a batch above the topic's limit is refused and a smaller one is not")
def message_limit():
    topic = create(new("limit"), max_message_bytes="1000")
    failed = error_of(lambda: produce_with_python(topic, [(None, b"x" * 5000, [], BASE_MS)]))
    expect(failed, "MessageSizeTooLargeError")
    expect(produce_with_python(topic, [(None, b"x" * 500, [], BASE_MS)]), [0])


@check("records before an offset are deleted", "kafka-python", "confluent-kafka")
def delete_records(client):
    topic = create(new("delete"))
    produce_with_confluent(topic, plain(10))
    if client == "kafka-python":
        at = TopicPartition(topic, 0)
        with python_admin() as administrator:
            expect(administrator.delete_records({at: 4})[at]["low_watermark"], 4)
            expect(error_of(lambda: administrator.delete_records({at: 11})), "OffsetOutOfRangeError")
    else:
        at = confluent_kafka.TopicPartition(topic, 0, 4)
        deleted = confluent_administrator().delete_records([at])[at].result(PATIENCE_S)
        expect(deleted.low_watermark, 4)
    expect([record[4] for record in read_with_python(topic, 6)], [4, 5, 6, 7, 8, 9])
    with confluent_consumer() as consumer:
        expect(consumer.get_watermark_offsets(confluent_kafka.TopicPartition(topic, 0), PATIENCE_S), (4, 10))
        early = consumer.offsets_for_times([confluent_kafka.TopicPartition(topic, 0, BASE_MS)], PATIENCE_S)
        expect(early[0].offset, 4)


@check("all records are deleted, and the next offset stays")
def delete_all_records():
    topic = create(new("delete"))
    produce_with_confluent(topic, plain(10))
    at = confluent_kafka.TopicPartition(topic, 0, confluent_kafka.OFFSET_END)
    expect(confluent_administrator().delete_records([at])[at].result(PATIENCE_S).low_watermark, 10)
    expect(produce_with_python(topic, plain(1)), [10])
    expect([record[4] for record in read_with_python(topic, 1)], [10])


@check("the cluster is described", "kafka-python", "confluent-kafka")
def cluster(client):
    host, port = BROKER.rsplit(":", 1)
    if client == "kafka-python":
        with python_admin() as administrator:
            described = administrator.describe_cluster()
            expect([(node["host"], node["port"]) for node in described["brokers"]], [(host, int(port))])
            assert described["cluster_id"]
    else:
        described = confluent_administrator().describe_cluster().result(PATIENCE_S)
        expect([(node.host, node.port) for node in described.nodes], [(host, int(port))])
        assert described.cluster_id and described.controller


def main():
    passed = failed = 0
    for name, function, arguments in CHECKS:
        if WORD not in name:
            continue
        started = time.monotonic()
        try:
            function(*arguments)
        except Exception as error:  # a check may fail in any way
            failed += 1
            where = traceback.extract_tb(error.__traceback__)[-1]
            print(f"FAIL {name}: {type(error).__name__}: {error} (line {where.lineno})", flush=True)
        else:
            passed += 1
            print(f"ok   {name} ({time.monotonic() - started:.1f} s)", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
