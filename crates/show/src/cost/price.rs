//! What AWS asks, in one place.
//!
//! US dollars in us-east-1 without free tiers, discounts and taxes, as AWS's price lists had them on [`AS_OF`]. Other regions
//! cost up to half as much again; proportions are much the same.

/// The day of the prices.
pub const AS_OF: &str = "2026-09-28";
/// Where they hold.
pub const REGION: &str = "us-east-1";

/// A request of Lambda.
pub const LAMBDA_REQUEST: f64 = 0.20 / 1e6;
/// A GB-second of Lambda on arm64, the first 7.5 billion a month.
pub const LAMBDA_GB_SECOND_ARM64: f64 = 0.000_013_333_4;
/// A GB-second of Lambda on x86_64, the first 6 billion a month.
pub const LAMBDA_GB_SECOND_X86_64: f64 = 0.000_016_666_7;
/// An hour of an event poller unit, of mappings in provisioned mode. Those of jobs are on demand, which costs nothing.
pub const POLLER_UNIT_HOUR: f64 = 0.185;
/// A PUT request of S3 Standard.
pub const S3_PUT: f64 = 0.005 / 1e3;
/// A GB-month of S3 Standard, the first 50 TB.
pub const S3_GB_MONTH: f64 = 0.023;
/// A write unit of DynamoDB on demand. A transaction takes two for each KiB of an item.
pub const DYNAMODB_WRITE_UNIT: f64 = 0.625 / 1e6;
/// A read unit of DynamoDB on demand: 4 KiB, read consistently.
pub const DYNAMODB_READ_UNIT: f64 = 0.125 / 1e6;

/// Days of a month, as the price of storage counts them.
pub const DAYS_A_MONTH: f64 = 30.4;
