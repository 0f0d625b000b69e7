//! An error and its causes as text.
//!
//! Errors print only themselves here, so each place where one leaves the program (a log line, a client's message, a
//! reason in SHOW) needs the causes put behind it, and all of them the same way.

use std::error::Error;

/// The error and its causes, outermost first, in one line with colons between. A cause is left out if the line ends with
/// its text already, since some libraries repeat their cause in their own text.
pub fn one_line(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        source = cause.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Example {
        #[error("the last cause")]
        Last,
        #[error("between: {0}")]
        Repeating(#[source] Box<Example>),
        #[error("the first")]
        Silent(#[source] Box<Example>),
    }

    #[test]
    fn causes_follow_and_none_is_told_twice() {
        let repeating = Example::Repeating(Box::new(Example::Last));
        assert_eq!(one_line(&Example::Last), "the last cause");
        assert_eq!(one_line(&Example::Silent(Box::new(repeating))), "the first: between: the last cause");
    }
}
