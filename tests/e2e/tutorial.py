"""The tutorial's statements and records, word for word, for any database name."""

import json
import time

from kafka import KafkaProducer

CREATE_TABLE = """CREATE TABLE site_clicks (
    `uid` bigint NOT NULL COMMENT "uid",
    `site` string NOT NULL COMMENT "site url",
    `vtime` bigint NOT NULL COMMENT "vtime"
)
DISTRIBUTED BY HASH(`uid`)
PROPERTIES("replication_num"="1");"""

CREATE_ROUTINE_LOAD = r"""CREATE ROUTINE LOAD %s.clicks ON site_clicks
PROPERTIES
(
    "format" = "JSON",
    "jsonpaths" ="[\"$.uid\",\"$.site\",\"$.vtime\"]"
)
FROM KAFKA
(     
    "kafka_broker_list" = "%s",
    "kafka_topic" = "%s",
    "kafka_partitions" = "0",
    "kafka_offsets" = "OFFSET_BEGINNING"
);"""

SHOW_COLUMNS = (
    "Id Name CreateTime PauseTime EndTime DbName TableName State DataSourceType CurrentTaskNum JobProperties DataSourceProperties CustomProperties "
    "Statistic Progress TimestampProgress ReasonOfStateChanged ErrorLogUrls TrackingSQL OtherMsg LatestSourcePosition OffsetLag Warehouse"
).split()

STATISTIC = "receivedBytes errorRows committedTaskNum loadedRows loadRowsRate abortedTaskNum totalRows unselectedRows receivedBytesRate taskExecuteTimeMs".split()


def record(uid, site="https://docs.starrocks.io/", vtime=1718034793):
    """A record as the tutorial's script makes it, trailing space and all."""
    return b'{ "uid": %d, "site": "%s", "vtime": %d } ' % (uid, site.encode(), vtime)


def publish(server, topic, uids):
    """Produces a record for each uid to partition 0; how many bytes of payload that is."""
    producer = KafkaProducer(bootstrap_servers=server.kafka)
    values = [record(uid, vtime=1718034793 + uid) for uid in uids]
    sent = [producer.send(topic, value, partition=0) for value in values]
    for one in sent:
        one.get(30)
    producer.close()
    return sum(map(len, values))


def broker_of(server):
    """What stands in `kafka_broker_list`: the tutorial's own broker where the server has one, else the real one."""
    return server.kafka if "--kafka" in server.flags else "redpanda:29092"


def column(row, name):
    return json.loads(row[name])


def wait_past(ms):
    """Until the clock has passed a moment: what comes later has a later timestamp."""
    while time.time() * 1000 <= ms:
        time.sleep(0.001)
