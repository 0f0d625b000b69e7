//! Moments as SHOW prints them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `yyyy-MM-dd HH:mm:ss` in UTC; the epoch for what no calendar holds.
pub(crate) fn moment(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn moments_are_printed_in_utc() {
        assert_eq!(moment(1_718_217_035_111), "2024-06-12 18:30:35");
        assert_eq!(moment(0), "1970-01-01 00:00:00");
        assert_eq!(moment(-1), "1969-12-31 23:59:59");
        assert_eq!(moment(i64::MAX), "1970-01-01 00:00:00");
    }
}
