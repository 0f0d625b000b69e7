//! Time zones by name or by distance from UTC. Only which ones exist: what a zone's clocks show at a moment is not here.

/// The zone as it is stored and shown: a name as given, a distance with sign and two-digit hours (`8:00` is `+08:00`).
/// `None` if there is no such zone.
///
/// Names are matched exactly: those of the IANA database, and `CST`, `PRC`, both China's. Distances are from −12:00 to
/// +14:00.
pub fn normalised(text: &str) -> Option<String> {
    if text == "CST" || NAMES.lines().any(|name| name == text) {
        return Some(text.to_owned());
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (hours, minutes) = digits.split_once(':')?;
    let number = |text: &str, lengths: &[usize]| {
        let plain = lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<u32>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours, &[1, 2])?, number(minutes, &[2])?);
    let most = if negative { 12 * 60 } else { 14 * 60 };
    let sign = if negative { '-' } else { '+' };
    (minutes < 60 && hours * 60 + minutes <= most).then(|| format!("{sign}{hours:02}:{minutes:02}"))
}

/// Names of the IANA time zone database, links included, one a line.
const NAMES: &str = include_str!("time_zones.txt");
