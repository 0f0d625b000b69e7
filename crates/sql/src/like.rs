//! `LIKE`, in the two ways that SHOW statements know it.

/// What the wildcards of a pattern are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wildcards {
    /// `%` any run, `_` any character, `\` protects either; as in SHOW TABLES.
    Sql,
    /// `%` any run, `?` any character, nothing else is special; as StarRocks' SHOW ROUTINE LOAD has it.
    RoutineLoad,
}

enum Part {
    Run,
    Any,
    Is(char),
}

/// Whether all of `text` matches `pattern`, regardless of case. Time is at most the product of both lengths.
pub fn matches(pattern: &str, text: &str, wildcards: Wildcards) -> bool {
    let parts = parts(pattern, wildcards);
    let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let (mut part, mut at) = (0, 0);
    // Where to go on if the present try fails: behind the last run, one character further.
    let mut retry: Option<(usize, usize)> = None;
    while at < text.len() {
        match parts.get(part) {
            Some(Part::Run) => {
                part += 1;
                retry = Some((part, at));
            }
            Some(Part::Any) => (part, at) = (part + 1, at + 1),
            Some(Part::Is(wanted)) if text.get(at) == Some(wanted) => {
                (part, at) = (part + 1, at + 1);
            }
            _ => match retry {
                Some((behind, from)) => {
                    (part, at) = (behind, from + 1);
                    retry = Some((behind, from + 1));
                }
                None => return false,
            },
        }
    }
    parts.iter().skip(part).all(|part| matches!(part, Part::Run))
}

fn parts(pattern: &str, wildcards: Wildcards) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match (character, wildcards) {
            ('%', _) => parts.push(Part::Run),
            ('_', Wildcards::Sql) | ('?', Wildcards::RoutineLoad) => parts.push(Part::Any),
            ('\\', Wildcards::Sql) => {
                let kept = characters.next().unwrap_or('\\');
                parts.extend(kept.to_lowercase().map(Part::Is));
            }
            (other, _) => parts.extend(other.to_lowercase().map(Part::Is)),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sql_wildcards_match_as_sql_says() {
        for (pattern, text, expected) in [
            ("site%", "site_clicks", true),
            ("%CLICKS", "site_clicks", true),
            ("site_clicks", "site_clicks", true),
            ("site_clicks", "siteXclicks", true),
            ("site\\_clicks", "siteXclicks", false),
            ("%", "", true),
            ("", "", true),
            ("", "a", false),
            ("a%b%c", "a1b2b3c", true),
            ("a%b%c", "a1b2b3", false),
            ("?", "a", false),
        ] {
            assert_eq!(matches(pattern, text, Wildcards::Sql), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn routine_load_takes_a_question_mark_for_one_character() {
        assert!(matches("clic?s", "clicks", Wildcards::RoutineLoad));
        assert!(!matches("clic_s", "clicks", Wildcards::RoutineLoad));
        assert!(matches("clic_s", "clic_s", Wildcards::RoutineLoad));
    }

    #[test]
    fn a_pattern_of_many_runs_does_not_take_for_ever() {
        let pattern = "%a".repeat(200);
        let text = "a".repeat(5_000) + "b";
        assert!(!matches(&pattern, &text, Wildcards::Sql));
    }
}
