//! What the clocks of a job's time zone show at an instant.

use std::str::FromStr;

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;

/// A time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    /// Always so many seconds ahead of UTC.
    Fixed(i32),
    /// By the rules of a place.
    Named(Tz),
}

impl Zone {
    /// The zone of a job's `timezone`, which was checked when it was set; UTC for any other text.
    pub(crate) fn of(text: &str) -> Self {
        match text {
            "UTC" | "Etc/UTC" => return Self::Fixed(0),
            // What StarRocks means by it.
            "CST" => return Self::Named(Tz::Asia__Shanghai),
            _ => {}
        }
        if let Ok(named) = Tz::from_str(text) {
            return Self::Named(named);
        }
        let negative = text.starts_with('-');
        let distance = text.trim_start_matches(['-', '+']).split_once(':');
        let minutes = distance.and_then(|(hours, minutes)| {
            Some(hours.parse::<i32>().ok().filter(|hours| *hours < 24)? * 60 + minutes.parse::<i32>().ok()?)
        });
        let seconds = minutes.unwrap_or_default().saturating_mul(60);
        Self::Fixed(if negative { -seconds } else { seconds })
    }

    /// Seconds by which this zone's clocks are ahead of UTC's at an instant, microseconds since 1970-01-01 00:00:00 UTC; 0
    /// for one that no calendar has.
    #[inline]
    pub(crate) fn ahead_s(self, micros: i64) -> i32 {
        match self {
            Self::Fixed(seconds) => seconds,
            Self::Named(zone) => DateTime::from_timestamp_micros(micros)
                .map_or(0, |instant| zone.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_follow_the_rules_of_their_place() {
        let hours = |zone: &str, seconds: i64| Zone::of(zone).ahead_s(seconds * 1_000_000) / 3_600;
        let (winter, summer) = (1_704_067_200, 1_719_792_000);
        assert_eq!(hours("Etc/UTC", winter), 0);
        assert_eq!(hours("Europe/Vienna", winter), 1);
        assert_eq!(hours("Europe/Vienna", summer), 2);
        assert_eq!(hours("Asia/Shanghai", summer), 8);
        assert_eq!(hours("CST", summer), 8);
        assert_eq!(hours("-03:00", summer), -3);
        assert_eq!(hours("+08:00", -1), 8);
        assert_eq!(hours("Europe/Vienna", i64::MAX / 1_000_000), 0);
    }
}
