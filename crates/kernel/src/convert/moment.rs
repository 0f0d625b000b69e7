//! A moment as text of UTC: `2024-01-02 03:04:05.678`.

use std::fmt::Write;

const MILLIS_PER_DAY: i64 = 86_400_000;

/// Appends the moment so many milliseconds after the epoch; `None` if its year is not one of 0 to 9999.
pub(super) fn write(milliseconds: i64, into: &mut String) -> Option<()> {
    let (year, month, day) = date(milliseconds.div_euclid(MILLIS_PER_DAY))?;
    let in_day = milliseconds.rem_euclid(MILLIS_PER_DAY);
    let (second, fraction) = (in_day / 1000, in_day % 1000);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    write!(into, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{fraction:03}").ok()
}

/// Proleptic Gregorian. Years are counted from March, so that the leap day comes last.
fn date(days: i64) -> Option<(i64, i64, i64)> {
    let days = days.checked_add(719_468)?;
    let (four_centuries, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = (from_march + 2) % 12 + 1;
    let year = four_centuries * 400 + year + i64::from(month <= 2);
    (0..=9999).contains(&year).then_some((year, month, day_of_year - (153 * from_march + 2) / 5 + 1))
}

#[cfg(test)]
mod tests {
    use super::super::calendar;
    use super::*;

    #[test]
    fn moments_are_written_as_they_are_read() {
        for (milliseconds, expected) in [
            (0, "1970-01-01 00:00:00.000"),
            (1_718_217_035_111, "2024-06-12 18:30:35.111"),
            (951_782_400_000, "2000-02-29 00:00:00.000"),
            (-1, "1969-12-31 23:59:59.999"),
            (253_402_300_799_999, "9999-12-31 23:59:59.999"),
            (-62_167_219_200_000, "0000-01-01 00:00:00.000"),
        ] {
            let mut text = String::new();
            assert_eq!(write(milliseconds, &mut text), Some(()));
            assert_eq!(text, expected);
            assert_eq!(calendar::read(&text).unwrap().micros(), milliseconds * 1000);
        }
        for day in (-719_528..2_932_897_i64).step_by(17) {
            let mut text = String::new();
            write(day * MILLIS_PER_DAY, &mut text).unwrap();
            assert_eq!(i64::from(calendar::read(&text).unwrap().days()), day, "{text}");
        }
    }

    #[test]
    fn other_years_are_none() {
        for milliseconds in [i64::MIN, -62_167_219_200_001, 253_402_300_800_000, i64::MAX] {
            assert_eq!(write(milliseconds, &mut String::new()), None, "{milliseconds}");
        }
    }
}
