//! A row of the answer before it is text.

/// A figure that is absent is NULL.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    pub(super) item: String,
    pub(super) per_day: Option<f64>,
    pub(super) unit: Option<&'static str>,
    pub(super) unit_price: Option<f64>,
    pub(super) dollars_per_day: Option<f64>,
    pub(super) dollars_per_tb: Option<f64>,
    pub(super) share: Option<String>,
    pub(super) note: String,
}

impl Line {
    /// A cell for each of [`TITLES`](super::TITLES).
    pub(super) fn row(self) -> Vec<Option<String>> {
        vec![
            Some(self.item),
            self.per_day.map(significant),
            self.unit.map(str::to_owned),
            self.unit_price.map(significant),
            self.dollars_per_day.map(significant),
            self.dollars_per_tb.map(significant),
            self.share,
            Some(self.note),
        ]
    }
}

/// Four digits that tell, without an exponent; integers in full.
pub(super) fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor();
    let decimals = (3.0 - magnitude).clamp(0.0, 12.0);
    let text = format!("{value:.*}", decimals as usize); // between 0 and 12
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits_that_tell() {
        for (value, text) in [
            (0.0, "0"),
            (1234567.0, "1234567"),
            (12.3456, "12.35"),
            (0.000_013_333_4, "0.00001333"),
            (8640.0, "8640"),
            (0.5, "0.5"),
        ] {
            assert_eq!(significant(value), text);
        }
    }
}
