//! `config.env`: the settings file of the older systems, `KEY=value` line by line, as a shell reads it.
//!
//! **A line is never quoted in a message**: half of what such files hold are passwords.

/// What a file says, the last line winning, and what was odd about it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct EnvFile {
    /// Name and value, in order of the file.
    pub(super) pairs: Vec<(String, String)>,
    /// Numbers of lines that are no assignments.
    pub(super) odd_lines: Vec<usize>,
}

/// Reads the text. Understood are comments, empty lines, `export `, single and double quotes, and CRLF.
pub(super) fn parse(text: &str) -> EnvFile {
    let mut out = EnvFile::default();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match assignment(line) {
            Some((name, value)) => {
                out.pairs.retain(|(n, _)| n != name);
                out.pairs.push((name.to_owned(), value));
            }
            None => out.odd_lines.push(number + 1),
        }
    }
    out
}

fn assignment(line: &str) -> Option<(&str, String)> {
    let line = match line.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start(),
        _ => line,
    };
    let (name, value) = line.split_once('=')?;
    let name = name.trim_end();
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_name.then_some(())?;
    let value = value.trim_start();
    Some((
        name,
        match value.chars().next() {
            Some(quote @ ('"' | '\'')) => quoted(&value[1..], quote)?,
            _ => bare(value).to_owned(),
        },
    ))
}

/// Up to a comment, which a blank sets apart.
fn bare(value: &str) -> &str {
    let comment = value.char_indices().find(|(at, c)| *c == '#' && (*at == 0 || value[..*at].ends_with([' ', '\t'])));
    value[..comment.map_or(value.len(), |(at, _)| at)].trim_end()
}

/// Up to the closing quote; behind it only a comment may stand.
fn quoted(rest: &str, quote: char) -> Option<String> {
    let mut value = String::new();
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            let tail = rest[at + 1..].trim_start();
            return (tail.is_empty() || tail.starts_with('#')).then_some(value);
        }
        if c != '\\' || quote == '\'' {
            value.push(c);
            continue;
        }
        match chars.next()?.1 {
            'n' => value.push('\n'),
            escaped @ ('"' | '\\' | '$' | '`') => value.push(escaped),
            // A shell keeps the backslash before anything else.
            other => value.extend(['\\', other]),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(String, String)> {
        let read = parse(text);
        assert_eq!(read.odd_lines, Vec::<usize>::new(), "{text}");
        read.pairs
    }

    #[test]
    fn it_is_read_as_a_shell_reads_it() {
        let text = "\u{feff}# comment\r\nA=1\r\n\r\nexport B=two words # note\r\n  C = '# $not \\ touched' # note\nD=\"a \\\"b\\\" \\\\ \\$x \\d\"\nE=\nF=a#b\nexport\tG=x\n";
        let wanted = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "# $not \\ touched"),
            ("D", "a \"b\" \\ $x \\d"),
            ("E", ""),
            ("F", "a#b"),
            ("G", "x"),
        ];
        let wanted: Vec<_> = wanted.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(values(text), wanted);
    }

    #[test]
    fn the_last_line_wins() {
        assert_eq!(values("A=1\nB=2\nA=3\n"), [("B".into(), "2".into()), ("A".into(), "3".into())]);
    }

    #[test]
    fn what_is_no_assignment_is_told_by_its_number() {
        let read = parse("just words\nA='open\nB=\"shut\" and more\n1X=2\nfi\nC=ok\n");
        assert_eq!(read.odd_lines, [1, 2, 3, 4, 5]);
        assert_eq!(read.pairs, [("C".to_owned(), "ok".to_owned())]);
    }

    #[test]
    fn no_text_makes_it_panic() {
        for text in ["=", "export", "export ", "A=\"\\", "A=\"é\\é\"", "é=é", "A='", "A=#", "\0=\0", "A=é #é"] {
            parse(text);
        }
    }
}
