"""Kafka to Parquet as one would write it in an afternoon: confluent-kafka and pyarrow.

    straightforward.py BROKER TOPIC RECORDS FOLDER
"""

import os
import sys
import time

import confluent_kafka
import pyarrow as pa
import pyarrow.json
import pyarrow.parquet

SCHEMA = pa.schema([
    ("id", pa.int64()), ("at", pa.timestamp("us")), ("customer", pa.int64()), ("price", pa.float64()), ("paid", pa.bool_()), ("city", pa.string()), ("agent", pa.string()),
    ("note", pa.string()),
])  # fmt: skip
# Rows of a file: what a batch of Penstock holds of records of this size.
ROWS = 4_400


def main():
    broker, topic, wanted, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    pa.set_cpu_count(1)
    began = time.perf_counter()
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": broker, "group.id": f"straightforward-{os.getpid()}", "auto.offset.reset": "earliest", "enable.auto.commit": False, "fetch.wait.max.ms": 50,
    })  # fmt: skip
    # Assigned by hand, so that nobody waits for a group to form.
    partitions = consumer.list_topics(topic, 10).topics[topic].partitions
    consumer.assign([confluent_kafka.TopicPartition(topic, partition, confluent_kafka.OFFSET_BEGINNING) for partition in partitions])
    options = pa.json.ParseOptions(explicit_schema=SCHEMA, unexpected_field_behavior="ignore")
    read = files = 0
    while read < wanted:
        values = []
        while len(values) < ROWS and read + len(values) < wanted:
            values += [message.value() for message in consumer.consume(ROWS - len(values), 1.0) if not message.error()]
        table = pa.json.read_json(pa.BufferReader(b"\n".join(values)), parse_options=options)
        pa.parquet.write_table(table, f"{folder}/{files}.parquet", compression="zstd", compression_level=1)
        consumer.commit(asynchronous=False)
        read, files = read + len(values), files + 1
    wall = time.perf_counter() - began
    print(time.process_time(), wall)
    consumer.close()


if __name__ == "__main__":
    main()
