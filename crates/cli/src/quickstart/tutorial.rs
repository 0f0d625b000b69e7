//! The tutorial's statements and records, as its reader types them.

/// The database that the tutorial creates.
pub(super) const DATABASE: &str = "quickstart";

/// The topic that the tutorial produces to.
pub(super) const TOPIC: &str = "test2";

/// Shows that there is a place for data.
pub(super) const SHOW_VOLUMES: &str = "SHOW STORAGE VOLUMES;";
/// Shows where that is.
pub(super) const DESC_VOLUME: &str = "DESC STORAGE VOLUME builtin_storage_volume\\G";
/// The database.
pub(super) const CREATE_DATABASE: &str = "CREATE DATABASE quickstart;";
/// The session's database from here on.
pub(super) const USE: &str = "USE quickstart;";
/// The table.
pub(super) const CREATE_TABLE: &str = "\
CREATE TABLE site_clicks (
    `uid` bigint NOT NULL COMMENT \"uid\",
    `site` string NOT NULL COMMENT \"site url\",
    `vtime` bigint NOT NULL COMMENT \"vtime\"
)
DISTRIBUTED BY HASH(`uid`)
PROPERTIES(\"replication_num\"=\"1\");";
/// The job.
pub(super) const CREATE_ROUTINE_LOAD: &str = "\
CREATE ROUTINE LOAD quickstart.clicks ON site_clicks
PROPERTIES
(
    \"format\" = \"JSON\",
    \"jsonpaths\" =\"[\\\"$.uid\\\",\\\"$.site\\\",\\\"$.vtime\\\"]\"
)
FROM KAFKA
(
    \"kafka_broker_list\" = \"redpanda:29092\",
    \"kafka_topic\" = \"test2\",
    \"kafka_partitions\" = \"0\",
    \"kafka_offsets\" = \"OFFSET_BEGINNING\"
);";
/// The job's state and figures.
pub(super) const SHOW_JOB: &str = "SHOW ROUTINE LOAD\\G";
/// The rows.
pub(super) const SELECT: &str = "SELECT * FROM site_clicks;";
/// The rows, counted, where there are too many to show.
pub(super) const COUNT: &str = "SELECT COUNT(*), COUNT(DISTINCT uid), MIN(vtime), MAX(vtime) FROM site_clicks;";

const SITES: [&str; 4] = [
    "https://docs.starrocks.io/",
    "https://www.starrocks.io/product/community",
    "https://www.starrocks.io/",
    "https://www.starrocks.io/blog",
];

/// The record of a `uid`, in the shape that the tutorial's script produces, closing blank included.
pub(super) fn record(uid: u64) -> String {
    let site = usize::try_from(uid % 4).ok().and_then(|index| SITES.get(index)).copied().unwrap_or_default();
    format!("{{ \"uid\": {uid}, \"site\": \"{site}\", \"vtime\": {} }} ", 1_718_034_793 + uid % 86_400)
}
