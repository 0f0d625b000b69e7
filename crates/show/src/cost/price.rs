//! What AWS asks, in one table.
//!
//! US dollars in us-east-1 without free tiers, discounts and taxes. Other regions cost up to half as much again; proportions
//! are much the same. `docs/cost.md` lists the same figures, and a test compares.

/// Where the prices hold.
pub const REGION: &str = "us-east-1";

/// What one of something costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// What is charged for.
    pub item: &'static str,
    /// Dollars for one [`unit`](Self::unit).
    pub dollars: f64,
    /// What one is.
    pub unit: &'static str,
    /// The day on which AWS asked that.
    pub as_of: &'static str,
}

/// The day on which all of them were looked up.
pub const AS_OF: &str = "2026-09-28";

const fn price(item: &'static str, dollars: f64, unit: &'static str) -> Price {
    Price { item, dollars, unit, as_of: AS_OF }
}

/// An invocation.
pub const LAMBDA_REQUEST: Price = price("Lambda requests", 0.20 / 1e6, "request");
/// Time times memory: the first 7.5 billion a month.
pub const LAMBDA_ARM64: Price = price("Lambda duration, arm64", 0.000_013_333_4, "GB-second");
/// The same of x86_64: the first 6 billion a month.
pub const LAMBDA_X86_64: Price = price("Lambda duration, x86_64", 0.000_016_666_7, "GB-second");
/// Of mappings in provisioned mode: 20 MB/s each. Those of jobs are on demand, which costs nothing.
pub const POLLER_UNIT: Price = price("event poller units, provisioned", 0.185, "unit-hour");
/// Of S3 Standard.
pub const S3_PUT: Price = price("S3 PUT requests", 0.005 / 1e3, "request");
/// Of S3 Standard, the first 50 TB.
pub const S3_STORAGE: Price = price("S3 storage", 0.023, "GB-month");
/// On demand. A transaction takes two for each KiB of an item.
pub const DYNAMODB_WRITE: Price = price("DynamoDB writes", 0.625 / 1e6, "write unit");
/// On demand: 4 KiB, read consistently.
pub const DYNAMODB_READ: Price = price("DynamoDB reads", 0.125 / 1e6, "read unit");
/// What a function logs.
pub const LOGS: Price = price("CloudWatch logs", 0.50, "GB");

/// All of them.
pub const ALL: [Price; 9] =
    [LAMBDA_REQUEST, LAMBDA_ARM64, LAMBDA_X86_64, POLLER_UNIT, S3_PUT, S3_STORAGE, DYNAMODB_WRITE, DYNAMODB_READ, LOGS];

/// Days of a month, as the price of storage counts them.
pub const DAYS_A_MONTH: f64 = 30.4;
