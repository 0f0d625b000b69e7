//! The table of job properties; docs, checks and `SHOW` are read off it.

use super::{Kind, Property};

/// Every job property, in the order in which references list them.
pub const PROPERTIES: &[Property] = &[
    Property {
        name: "desired_concurrent_number",
        kind: Kind::Integer { min: 1, max: i32::MAX as i64 },
        default: "5",
        alterable: true,
        doc: "Batches that may load at the same time, never more than the topic has source partitions, nor than 5. A higher \
              number catches up faster and makes more, smaller files. The laptop's emulation keeps to it; on AWS the \
              event source mapping scales by itself, by lag, with one batch a source partition at a time",
    },
    Property {
        name: "max_batch_interval",
        kind: Kind::Integer { min: 5, max: i64::MAX },
        default: "10",
        alterable: true,
        doc: "Seconds for which records are gathered before a batch is loaded: the mapping's batching window. More seconds \
              give fewer, larger files and a lower bill; fewer make rows visible sooner. Above 300 the window is 300 s, \
              which is the platform's longest",
    },
    Property {
        name: "max_batch_rows",
        kind: Kind::Integer { min: 200_000, max: i64::MAX },
        default: "200000",
        alterable: true,
        doc: "A tenth of the rows over which `max_error_number` is counted; it does not limit a batch, whose size is the \
              mapping's 10,000 records. A higher number makes the error limit stricter, since rejected rows are \
              remembered for longer",
    },
    Property {
        name: "max_batch_size",
        kind: Kind::Integer { min: i64::MIN, max: i64::MAX },
        default: "",
        alterable: true,
        doc: "Accepted for the sake of old statements, without effect: the platform limits a batch to 6 MB",
    },
    Property {
        name: "max_error_number",
        kind: Kind::Integer { min: 0, max: i64::MAX },
        default: "0",
        alterable: true,
        doc: "Rejected rows that a window of 10 x `max_batch_rows` rows may hold. The batch that exceeds it is loaded, \
              then the job pauses. A higher number keeps the job running over bad data; 0 stops at the first bad row",
    },
    Property {
        name: "max_filter_ratio",
        kind: Kind::Number { min: 0.0, max: 1.0 },
        default: "1",
        alterable: true,
        doc: "Share of a batch's rows, those left out by WHERE aside, that may be rejected. A batch above it is not \
              loaded at all and the job pauses. 1 switches the check off; 0 refuses a batch for a single bad row",
    },
    Property {
        name: "strict_mode",
        kind: Kind::Boolean,
        default: "false",
        alterable: true,
        doc: "Whether a value that does not fit its column's type rejects the row. If false, the value becomes NULL",
    },
    Property {
        name: "log_rejected_record_num",
        kind: Kind::Integer { min: -1, max: i64::MAX },
        default: "0",
        alterable: false,
        doc: "Accepted and shown; every rejected row is kept with its raw bytes whatever this says",
    },
    Property {
        name: "timezone",
        kind: Kind::TimeZone,
        default: "Etc/UTC",
        alterable: true,
        doc: "Zone of functions in COLUMNS and WHERE that turn instants into dates. Texts with date and time are stored \
              as they stand, in any zone",
    },
    Property {
        name: "format",
        kind: Kind::Word(&["csv", "json", "avro"]),
        default: "csv",
        alterable: false,
        doc: "Format of the records' values",
    },
    Property {
        name: "jsonpaths",
        kind: Kind::Text,
        default: "",
        alterable: true,
        doc: "A JSON array of paths; the n-th feeds the n-th plain name of COLUMNS, or the n-th column of the table. \
              Without it, a column is fed by the key of its name",
    },
    Property {
        name: "json_root",
        kind: Kind::Text,
        default: "",
        alterable: true,
        doc: "Path of the object, or with `strip_outer_array` of the array of objects, that holds the rows",
    },
    Property {
        name: "strip_outer_array",
        kind: Kind::Boolean,
        default: "false",
        alterable: true,
        doc: "Whether a record's value is an array with a row in each element. If false, it is one or more objects",
    },
    Property {
        name: "envelope",
        kind: Kind::NotYet,
        default: "",
        alterable: false,
        doc: "`debezium` reads change events",
    },
    Property {
        name: "trim_space",
        kind: Kind::Boolean,
        default: "false",
        alterable: false,
        doc: "csv: whether blanks around a field are removed",
    },
    Property {
        name: "enclose",
        kind: Kind::Byte,
        default: "",
        alterable: false,
        doc: "csv: the byte that may surround a field",
    },
    Property {
        name: "escape",
        kind: Kind::Byte,
        default: "",
        alterable: false,
        doc: "csv: the byte after which any byte stands for itself",
    },
    Property {
        name: "partial_update",
        kind: Kind::NotYet,
        default: "false",
        alterable: false,
        doc: "Whether rows of a PRIMARY KEY table update only the columns of COLUMNS",
    },
    Property {
        name: "merge_condition",
        kind: Kind::NotYet,
        default: "",
        alterable: false,
        doc: "Column of a PRIMARY KEY table that must not become smaller by an update",
    },
    Property {
        name: "task_consume_second",
        kind: Kind::Integer { min: i64::MIN, max: i64::MAX },
        default: "15",
        alterable: true,
        doc: "Accepted and shown; how long a batch gathers is up to `max_batch_interval`. A quarter of \
              `task_timeout_second` if only that is given",
    },
    Property {
        name: "task_timeout_second",
        kind: Kind::Integer { min: i64::MIN, max: i64::MAX },
        default: "60",
        alterable: true,
        doc: "Accepted and shown; the load function's own time limit counts. Four times `task_consume_second` if only \
              that is given",
    },
    Property {
        name: "pause_on_fatal_parse_error",
        kind: Kind::Boolean,
        default: "false",
        alterable: true,
        doc: "Whether a record that cannot be parsed pauses the job and leaves its batch unloaded. If false, the record \
              is one rejected row and its neighbours load",
    },
    Property {
        name: "skip_on_fatal_parse_error",
        kind: Kind::Boolean,
        default: "true",
        alterable: true,
        doc: "Accepted, without effect: a record that cannot be parsed is one rejected row whatever this says, unless \
              `pause_on_fatal_parse_error` refuses its batch",
    },
    Property {
        name: "warehouse",
        kind: Kind::NotYet,
        default: "default_warehouse",
        alterable: false,
        doc: "The warehouse that loads; there is one, and it grows with the load",
    },
];
