//! Days and civil dates of the proleptic Gregorian calendar, both ways; any year that fits.

/// Year, month (1 to 12) and day of month of a day counted from 1970-01-01. Years are counted from March, so that the
/// leap day comes last.
pub(super) fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The day, counted from 1970-01-01, of a year, month (1 to 12) and day of month.
pub(super) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let from_march = (month + 9) % 12;
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The last day of a month.
pub(super) fn last_day(year: i64, month: i64) -> i64 {
    let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days(next_year, next, 1) - days(year, month, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_dates_and_days_are_each_others_inverse() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(days(1, 1, 1), -719_162);
        assert_eq!(last_day(2024, 2), 29);
        let mut expected = (0, 1, 1);
        for day in days(0, 1, 1)..days(10_000, 1, 1) {
            assert_eq!(civil(day), expected);
            assert_eq!(days(expected.0, expected.1, expected.2), day);
            expected = match expected {
                (year, 12, 31) => (year + 1, 1, 1),
                (year, month, last) if last == last_day(year, month) => (year, month + 1, 1),
                (year, month, day) => (year, month, day + 1),
            };
        }
    }
}
