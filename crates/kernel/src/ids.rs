//! Identifiers that must not be confused, as types of their own.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! numeric_id {
    ($(#[$doc:meta])* $name:ident($number:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $number);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

numeric_id!(
    /// Names a routine load job for ever; the `Id` of `SHOW ROUTINE LOAD`. A name may be used again after STOP, an id never.
    JobId(u64)
);
numeric_id!(
    /// Names a table for ever: a table dropped and created again under its old name has another id.
    TableId(u64)
);
numeric_id!(
    /// Names a database for ever.
    DatabaseId(u64)
);
numeric_id!(
    /// Names a schema in a schema registry, for ever; what a record in the Confluent wire format begins with.
    SchemaId(u32)
);
