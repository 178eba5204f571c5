//! Text for people: control characters out, cut or wrapped to a width.

use alloc::{string::String, vec::Vec};

/// `text` without anything that could move the cursor, colour the terminal or turn the writing direction: texts from
/// the network are shown on terminals.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|letter| {
            let hidden = matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
            if letter.is_control() || hidden { '·' } else { letter }
        })
        .collect()
}

/// `text`, cut with an ellipsis to at most `width` characters.
pub(crate) fn fit(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.into();
    }
    let mut cut: String = text.chars().take(width.saturating_sub(1)).collect();
    if width > 0 {
        cut.push('…');
    }
    cut
}

/// `text` in lines of at most `width` characters, broken at blanks where there are any.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let letters = word.chars().count();
        if length > 0 && length + 1 + letters > width {
            lines.push(core::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        for letter in word.chars() {
            if length == width {
                lines.push(core::mem::take(&mut line));
                length = 0;
            }
            line.push(letter);
            length += 1;
        }
    }
    if length > 0 {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_safe() {
        assert_eq!(clean("a\x1b[31m\u{202e}ü\n"), "a·[31m·ü·");
    }

    #[test]
    fn cutting_and_wrapping() {
        assert_eq!(fit("abcdef", 6), "abcdef");
        assert_eq!(fit("abcdefg", 6), "abcde…");
        assert_eq!(fit("abc", 0), "");
        assert_eq!(wrap("to 10.0.0.1:20000 G.711 µ-law", 18), ["to 10.0.0.1:20000", "G.711 µ-law"]);
        assert_eq!(wrap("abcdefgh i", 3), ["abc", "def", "gh", "i"]);
        assert!(wrap("", 3).is_empty());
    }
}
