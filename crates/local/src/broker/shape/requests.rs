//! The outlines of the requests that the broker serves, in the versions that it serves.
//!
//! # References
//! - <https://github.com/apache/kafka/tree/trunk/clients/src/main/resources/common/message>

use kafka_protocol::messages::ApiKey;

use super::{
    Field::{Blob, Fixed, Fixeds, List, Tags, Text, Texts},
    Item, Shape,
};

const UUID: usize = 16;

const fn all(field: super::Field) -> Item {
    Item { since: 0, until: i16::MAX, field }
}

const fn since(since: i16, field: super::Field) -> Item {
    Item { since, until: i16::MAX, field }
}

const fn until(until: i16, field: super::Field) -> Item {
    Item { since: 0, until, field }
}

/// The outline of an API's request, or `None` if the API is not served.
pub(super) fn shape(api: ApiKey) -> Option<&'static Shape> {
    Some(match api {
        ApiKey::Produce => &PRODUCE,
        ApiKey::Fetch => &FETCH,
        ApiKey::ListOffsets => &LIST_OFFSETS,
        ApiKey::Metadata => &METADATA,
        ApiKey::OffsetCommit => &OFFSET_COMMIT,
        ApiKey::OffsetFetch => &OFFSET_FETCH,
        ApiKey::FindCoordinator => &FIND_COORDINATOR,
        ApiKey::JoinGroup => &JOIN_GROUP,
        ApiKey::Heartbeat => &HEARTBEAT,
        ApiKey::LeaveGroup => &LEAVE_GROUP,
        ApiKey::SyncGroup => &SYNC_GROUP,
        ApiKey::DescribeGroups => &DESCRIBE_GROUPS,
        ApiKey::ListGroups => &LIST_GROUPS,
        ApiKey::ApiVersions => &API_VERSIONS,
        ApiKey::CreateTopics => &CREATE_TOPICS,
        ApiKey::DeleteTopics => &DELETE_TOPICS,
        ApiKey::DeleteRecords => &DELETE_RECORDS,
        ApiKey::InitProducerId => &INIT_PRODUCER_ID,
        ApiKey::OffsetForLeaderEpoch => &OFFSET_FOR_LEADER_EPOCH,
        ApiKey::DescribeConfigs => &DESCRIBE_CONFIGS,
        ApiKey::AlterConfigs => &ALTER_CONFIGS,
        ApiKey::DescribeLogDirs => &DESCRIBE_LOG_DIRS,
        ApiKey::CreatePartitions => &CREATE_PARTITIONS,
        ApiKey::DeleteGroups => &DELETE_GROUPS,
        ApiKey::IncrementalAlterConfigs => &INCREMENTAL_ALTER_CONFIGS,
        ApiKey::OffsetDelete => &OFFSET_DELETE,
        ApiKey::DescribeCluster => &DESCRIBE_CLUSTER,
        _ => return None,
    })
}

static PRODUCE: Shape = Shape {
    flexible_since: 9,
    fields: &[
        all(Text),
        all(Fixed(2 + 4)),
        all(List(&[until(12, Text), since(13, Fixed(UUID)), all(List(&[all(Fixed(4)), all(Blob)]))])),
    ],
};

static FETCH: Shape = Shape {
    flexible_since: 12,
    fields: &[
        until(14, Fixed(4)),
        all(Fixed(4 + 4 + 4 + 1)),
        since(7, Fixed(4 + 4)),
        all(List(&[
            until(12, Text),
            since(13, Fixed(UUID)),
            all(List(&[
                all(Fixed(4)),
                since(9, Fixed(4)),
                all(Fixed(8)),
                since(12, Fixed(4)),
                since(5, Fixed(8)),
                all(Fixed(4)),
                all(Tags(&[(0, UUID), (1, 8)])),
            ])),
        ])),
        since(7, List(&[until(12, Text), since(13, Fixed(UUID)), all(Fixeds(4))])),
        since(11, Text),
    ],
};

static LIST_OFFSETS: Shape = Shape {
    flexible_since: 6,
    fields: &[
        all(Fixed(4)),
        since(2, Fixed(1)),
        all(List(&[all(Text), all(List(&[all(Fixed(4)), since(4, Fixed(4)), all(Fixed(8))]))])),
        since(10, Fixed(4)),
    ],
};

static METADATA: Shape = Shape {
    flexible_since: 9,
    fields: &[
        all(List(&[since(10, Fixed(UUID)), all(Text)])),
        since(4, Fixed(1)),
        Item { since: 8, until: 10, field: Fixed(1) },
        since(8, Fixed(1)),
    ],
};

static OFFSET_COMMIT: Shape = Shape {
    flexible_since: 8,
    fields: &[
        all(Text),
        all(Fixed(4)),
        all(Text),
        since(7, Text),
        until(4, Fixed(8)),
        all(List(&[all(Text), all(List(&[all(Fixed(4 + 8)), since(6, Fixed(4)), all(Text)]))])),
    ],
};

static OFFSET_FETCH: Shape = Shape {
    flexible_since: 6,
    fields: &[
        until(7, Text),
        until(7, List(&[all(Text), all(Fixeds(4))])),
        since(8, List(&[all(Text), since(9, Text), since(9, Fixed(4)), all(List(&[all(Text), all(Fixeds(4))]))])),
        since(7, Fixed(1)),
    ],
};

static FIND_COORDINATOR: Shape =
    Shape { flexible_since: 3, fields: &[until(3, Text), since(1, Fixed(1)), since(4, Texts)] };

static JOIN_GROUP: Shape = Shape {
    flexible_since: 6,
    fields: &[
        all(Text),
        all(Fixed(4)),
        since(1, Fixed(4)),
        all(Text),
        since(5, Text),
        all(Text),
        all(List(&[all(Text), all(Blob)])),
        since(8, Text),
    ],
};

static HEARTBEAT: Shape = Shape { flexible_since: 4, fields: &[all(Text), all(Fixed(4)), all(Text), since(3, Text)] };

static LEAVE_GROUP: Shape = Shape {
    flexible_since: 4,
    fields: &[all(Text), until(2, Text), since(3, List(&[all(Text), all(Text), since(5, Text)]))],
};

static SYNC_GROUP: Shape = Shape {
    flexible_since: 4,
    fields: &[
        all(Text),
        all(Fixed(4)),
        all(Text),
        since(3, Text),
        since(5, Text),
        since(5, Text),
        all(List(&[all(Text), all(Blob)])),
    ],
};

static DESCRIBE_GROUPS: Shape = Shape { flexible_since: 5, fields: &[all(Texts), since(3, Fixed(1))] };

static LIST_GROUPS: Shape = Shape { flexible_since: 3, fields: &[since(4, Texts), since(5, Texts)] };

static API_VERSIONS: Shape = Shape { flexible_since: 3, fields: &[since(3, Text), since(3, Text)] };

static CREATE_TOPICS: Shape = Shape {
    flexible_since: 5,
    fields: &[
        all(List(&[
            all(Text),
            all(Fixed(4 + 2)),
            all(List(&[all(Fixed(4)), all(Fixeds(4))])),
            all(List(&[all(Text), all(Text)])),
        ])),
        all(Fixed(4 + 1)),
    ],
};

static DELETE_TOPICS: Shape = Shape {
    flexible_since: 4,
    fields: &[since(6, List(&[all(Text), all(Fixed(UUID))])), until(5, Texts), all(Fixed(4))],
};

static DELETE_RECORDS: Shape =
    Shape { flexible_since: 2, fields: &[all(List(&[all(Text), all(List(&[all(Fixed(4 + 8))]))])), all(Fixed(4))] };

static INIT_PRODUCER_ID: Shape =
    Shape { flexible_since: 2, fields: &[all(Text), all(Fixed(4)), since(3, Fixed(8 + 2))] };

static OFFSET_FOR_LEADER_EPOCH: Shape = Shape {
    flexible_since: 4,
    fields: &[since(3, Fixed(4)), all(List(&[all(Text), all(List(&[all(Fixed(4 + 4 + 4))]))]))],
};

static DESCRIBE_CONFIGS: Shape = Shape {
    flexible_since: 4,
    fields: &[all(List(&[all(Fixed(1)), all(Text), all(Texts)])), all(Fixed(1)), since(3, Fixed(1))],
};

static ALTER_CONFIGS: Shape = Shape {
    flexible_since: 2,
    fields: &[all(List(&[all(Fixed(1)), all(Text), all(List(&[all(Text), all(Text)]))])), all(Fixed(1))],
};

static DESCRIBE_LOG_DIRS: Shape = Shape { flexible_since: 2, fields: &[all(List(&[all(Text), all(Fixeds(4))]))] };

static CREATE_PARTITIONS: Shape = Shape {
    flexible_since: 2,
    fields: &[all(List(&[all(Text), all(Fixed(4)), all(List(&[all(Fixeds(4))]))])), all(Fixed(4 + 1))],
};

static DELETE_GROUPS: Shape = Shape { flexible_since: 2, fields: &[all(Texts)] };

static INCREMENTAL_ALTER_CONFIGS: Shape = Shape {
    flexible_since: 1,
    fields: &[all(List(&[all(Fixed(1)), all(Text), all(List(&[all(Text), all(Fixed(1)), all(Text)]))])), all(Fixed(1))],
};

static OFFSET_DELETE: Shape =
    Shape { flexible_since: i16::MAX, fields: &[all(Text), all(List(&[all(Text), all(List(&[all(Fixed(4))]))]))] };

static DESCRIBE_CLUSTER: Shape =
    Shape { flexible_since: 0, fields: &[all(Fixed(1)), since(1, Fixed(1)), since(2, Fixed(1))] };
