use super::*;

/// Walks through the calendar day by day: slow, and nothing like what it checks.
#[test]
fn every_day_of_ten_thousand_years_has_its_number() {
    let (mut year, mut month, mut day) = (0, 1, 1);
    let leap = |year: u32| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let mut number = -719_528;
    while year < 10_000 {
        assert_eq!(days_since_1970(year, month, day), Some(number), "{year}-{month}-{day}");
        let length = [31, 28 + u32::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month as usize - 1];
        (number, day) = (number + 1, day + 1);
        if day > length {
            (month, day) = (month + 1, 1);
        }
        if month > 12 {
            (year, month) = (year + 1, 1);
        }
    }
    assert_eq!(number, 2_932_897);
}

#[test]
fn no_text_panics() {
    let alphabet =
        ["0", "1", "9", "12", "2024", "-", "/", ".", ":", " ", "T", "Z", "+", "[", "é", "\n", "2024-01-02", "03:04"];
    for a in alphabet {
        for b in alphabet {
            for c in alphabet {
                for d in alphabet {
                    let _ = read(&[a, b, c, d].concat());
                }
            }
        }
    }
}
