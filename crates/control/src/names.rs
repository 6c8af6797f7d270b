//! Names that people give to clubs, courts and passes.

use crate::error::{Error, Result};

/// A name without blanks around it: 1 to `max` characters, nothing invisible that would make two names look alike or
/// turn a line of a log around.
pub(crate) fn check(field: &str, name: &str, max: usize) -> Result<String> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Error::field(field, "missing", format!("`{field}` is empty")));
    }
    if name.chars().count() > max {
        return Err(Error::field(field, "too_long", format!("`{field}` has at most {max} characters")));
    }
    // Directions of writing (UAX #9) and characters without width; U+200D joins emoji and stays.
    let invisible = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    if name.chars().any(invisible) {
        return Err(Error::field(field, "value", format!("`{field}` holds characters that cannot be seen")));
    }
    Ok(name.to_owned())
}

/// Whether two names are the same to people: the store compares only ASCII without regard to case.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_people_can_read() {
        for good in ["Court 1", "  Zürich  ", "👨‍👩‍👧 court", "'; DROP TABLE clubs; --", "コート", "x"]
        {
            assert_eq!(check("name", good, 80).unwrap(), good.trim());
        }
        let long = "x".repeat(10_000);
        for (bad, code) in [
            ("", "missing_field"),
            (" \t ", "missing_field"),
            ("a\nb", "invalid_field"),
            ("a\0b", "invalid_field"),
            ("a\u{202e}b", "invalid_field"),
            (long.as_str(), "invalid_field"),
        ] {
            assert_eq!(check("name", bad, 80).unwrap_err().code(), code, "{bad:?}");
        }
        assert!(check("name", &"é".repeat(80), 80).is_ok());
        assert!(same("Évian", "éVIAN") && !same("a", "b"));
    }
}
