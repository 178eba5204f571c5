//! Reading an expression.

use alloc::{boxed::Box, format, string::String, string::ToString, vec::Vec};
use core::ops::Range;

use regex::Regex;
use selsius_wire::{
    MESSAGES,
    codec::{Field, Kind},
};

use super::{
    FilterError, Node, Operand, Subject, Test,
    evaluate::{SKINNY, ends_in},
};
use crate::ss7::{self, Vocabulary};

/// Deeper nesting is refused: the parser calls itself.
const DEEPEST: usize = 64;

const SUBJECTS: [(&str, Subject); 18] = [
    ("name", Subject::Name),
    ("id", Subject::Id),
    ("length", Subject::Length),
    ("from", Subject::From),
    ("device", Subject::Device),
    ("src", Subject::Source),
    ("dst", Subject::Destination),
    ("protocol", Subject::Protocol),
    ("opc", Subject::Opc),
    ("dpc", Subject::Dpc),
    ("frame", Subject::Frame),
    ("stream", Subject::Stream),
    ("version", Subject::Version),
    ("line", Subject::Line),
    ("call", Subject::Call),
    ("answers", Subject::Answers),
    ("after", Subject::After),
    ("anomalies", Subject::Anomalies),
];

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Symbol(&'static str),
}

const SYMBOLS: [&str; 12] = ["==", "!=", "<=", ">=", "=~", "!~", "&&", "||", "<", ">", "(", ")"];

pub(super) fn parse(text: &str, ss7: Vocabulary) -> Result<Node, FilterError> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, end: text.len(), depth: 0, ss7 };
    let root = parser.either()?;
    match parser.tokens.get(parser.at) {
        None => Ok(root),
        Some((_, at)) => error(at.clone(), "the expression should end here, or go on with && or ||"),
    }
}

fn error<T>(at: Range<usize>, words: impl Into<String>) -> Result<T, FilterError> {
    Err(FilterError { at, words: words.into() })
}

fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, FilterError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        let start = at;
        let token = if letter.is_whitespace() {
            at += letter.len_utf8();
            continue;
        } else if letter == '"' {
            let Some(length) = rest[1..].find('"') else {
                return error(start..text.len(), "this text has no closing quote");
            };
            at += length + 2;
            Token::Quoted(rest[1..=length].into())
        } else if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
            at += symbol.len();
            Token::Symbol(symbol)
        } else if letter == '!' {
            at += 1;
            Token::Symbol("!")
        } else {
            let inside = |letter: char| letter.is_alphanumeric() || "_.:-+*#[]".contains(letter);
            let length = rest.find(|letter| !inside(letter)).unwrap_or(rest.len());
            if length == 0 {
                let hint = if letter == '=' { "write == to compare" } else { "this has no meaning here" };
                return error(start..start + letter.len_utf8(), hint);
            }
            at += length;
            Token::Word(rest[..length].into())
        };
        tokens.push((token, start..at));
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    end: usize,
    depth: usize,
    ss7: Vocabulary,
}

impl Parser {
    fn either(&mut self) -> Result<Node, FilterError> {
        let mut node = self.both()?;
        while self.skip("||", "or") {
            node = Node::Either(Box::new(node), Box::new(self.both()?));
        }
        Ok(node)
    }

    fn both(&mut self) -> Result<Node, FilterError> {
        let mut node = self.one()?;
        while self.skip("&&", "and") {
            node = Node::Both(Box::new(node), Box::new(self.one()?));
        }
        Ok(node)
    }

    fn one(&mut self) -> Result<Node, FilterError> {
        if self.depth == DEEPEST {
            return error(self.place(), "nested too deeply");
        }
        self.depth += 1;
        let node = if self.skip("!", "not") {
            Node::Not(Box::new(self.one()?))
        } else if self.skip("(", "(") {
            let open = self.tokens[self.at - 1].1.clone();
            let node = self.either()?;
            if !self.skip(")", ")") {
                return error(open, "this parenthesis is not closed");
            }
            node
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(node)
    }

    fn test(&mut self) -> Result<Node, FilterError> {
        let Some((Token::Word(word), place)) = self.tokens.get(self.at).cloned() else {
            return error(self.place(), "a test should stand here, such as `name == CallState`");
        };
        self.at += 1;
        let subject = subject(&word, &place, self.ss7)?;
        let Some((Token::Symbol(symbol), _)) = self.tokens.get(self.at).cloned() else {
            return Ok(Node::Is(subject, Test::Present));
        };
        if !["==", "!=", "<", "<=", ">", ">=", "=~", "!~"].contains(&symbol) {
            return Ok(Node::Is(subject, Test::Present));
        }
        self.at += 1;
        let (value, place) = match self.tokens.get(self.at).cloned() {
            Some((Token::Word(value) | Token::Quoted(value), place)) => (value, place),
            _ => return error(self.place(), format!("a value should follow {symbol}")),
        };
        self.at += 1;
        if symbol.ends_with('~') {
            let regex = Regex::new(&value).or_else(|problem| {
                let words = problem.to_string();
                let last = words.lines().last().unwrap_or_default().trim_start_matches("error: ");
                error(place, format!("no regular expression: {last}"))
            })?;
            let node = Node::Is(subject, Test::Matches(regex));
            return Ok(if symbol == "!~" { Node::Not(Box::new(node)) } else { node });
        }
        check(&subject, &value, &place, self.ss7)?;
        let operand = Operand { number: number(&value), text: value };
        let orders = !symbol.ends_with('=') || symbol.len() == 2 && "<>".contains(&symbol[..1]);
        if orders && operand.number.is_none() {
            return error(place, format!("a number should follow {symbol}"));
        }
        Ok(match symbol {
            "==" => Node::Is(subject, Test::Equal(operand)),
            "!=" => Node::Not(Box::new(Node::Is(subject, Test::Equal(operand)))),
            "<" => Node::Is(subject, Test::Less(operand)),
            ">" => Node::Is(subject, Test::More(operand)),
            // Not simply the opposite: what is not there is neither.
            "<=" => or_equal(subject, operand, Test::Less),
            _ => or_equal(subject, operand, Test::More),
        })
    }

    fn skip(&mut self, symbol: &str, word: &str) -> bool {
        let found = match self.tokens.get(self.at) {
            Some((Token::Symbol(found), _)) => *found == symbol,
            Some((Token::Word(found), _)) => found == word,
            _ => false,
        };
        self.at += usize::from(found);
        found
    }

    /// Where the next token is.
    fn place(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.end..self.end + 1, |(_, place)| place.clone())
    }
}

fn or_equal(subject: Subject, operand: Operand, test: fn(Operand) -> Test) -> Node {
    let equal = Node::Is(subject.clone(), Test::Equal(operand.clone()));
    Node::Either(Box::new(Node::Is(subject, test(operand))), Box::new(equal))
}

fn number(text: &str) -> Option<i64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

fn subject(word: &str, place: &Range<usize>, ss7: Vocabulary) -> Result<Subject, FilterError> {
    let Some(path) = word.strip_prefix("fields.") else {
        let known = SUBJECTS.into_iter().find(|(name, _)| *name == word);
        let Some((_, subject)) = known else {
            let names = || SUBJECTS.iter().map(|(name, _)| *name);
            let meant = if has_field(word, ss7) {
                format!("for a field write fields.{word}")
            } else if let Some(near) = nearest(word, names()) {
                format!("did you mean {near}?")
            } else {
                format!("there are {}, and fields.NAME", names().collect::<Vec<_>>().join(", "))
            };
            return error(place.clone(), format!("{word} is not known: {meant}"));
        };
        return Ok(subject);
    };
    let path: Vec<String> = path.split('.').map(String::from).collect();
    let mut start = place.start + "fields.".len();
    for part in &path {
        if !has_field(part, ss7) {
            let mut names = Vec::new();
            every_field(ss7, &mut |name| names.push(name));
            let meant = nearest(part, names.into_iter()).map(|near| format!(": did you mean {near}?"));
            let words = format!("no message has a field {part}{}", meant.unwrap_or_default());
            return error(start..start + part.len().max(1), words);
        }
        start += part.len() + 1;
    }
    Ok(Subject::Field(path))
}

/// Values that can only be mistakes.
fn check(subject: &Subject, value: &str, place: &Range<usize>, ss7: Vocabulary) -> Result<(), FilterError> {
    match subject {
        Subject::Name => {
            let of_ss7 = || ss7.names.iter().copied();
            let names = || MESSAGES.iter().map(|info| info.name).chain(["Unknown"]).chain(of_ss7());
            if names().any(|name| name.eq_ignore_ascii_case(value)) {
                return Ok(());
            }
            let meant = nearest(value, names()).map(|near| format!(": did you mean {near}?"));
            error(place.clone(), format!("no message is called {value}{}", meant.unwrap_or_default()))
        }
        Subject::From if !["station", "manager"].contains(&value.to_ascii_lowercase().as_str()) => {
            error(place.clone(), "a message is from station or from manager")
        }
        Subject::Protocol if ![SKINNY, ss7::PROTOCOL].contains(&value.to_ascii_lowercase().as_str()) => {
            error(place.clone(), format!("the protocols are {SKINNY} and {}", ss7::PROTOCOL))
        }
        Subject::Id
        | Subject::Length
        | Subject::Opc
        | Subject::Dpc
        | Subject::Frame
        | Subject::Stream
        | Subject::Version
        | Subject::Line
        | Subject::Call
        | Subject::Answers
        | Subject::After
            if number(value).is_none() =>
        {
            error(place.clone(), format!("{value} is no number"))
        }
        _ => Ok(()),
    }
}

fn has_field(name: &str, ss7: Vocabulary) -> bool {
    let mut found = false;
    every_field(ss7, &mut |field| found |= field == name || ends_in(field, name));
    found && !name.is_empty()
}

/// Shows the name of every field of every message.
fn every_field(ss7: Vocabulary, show: &mut dyn FnMut(&'static str)) {
    fn fields(fields: &'static [Field], show: &mut dyn FnMut(&'static str)) {
        for field in fields {
            show(field.name);
            parts(field.kind, show);
        }
    }
    fn parts(kind: Kind, show: &mut dyn FnMut(&'static str)) {
        match kind {
            Kind::Array { of, .. } | Kind::List { of, .. } => parts(*of, show),
            Kind::Union { members, .. } => members.iter().for_each(|member| fields(member.parts, show)),
            kind => fields(kind.fields(), show),
        }
    }
    MESSAGES.iter().for_each(|info| fields(info.fields, show));
    show("body");
    ss7.fields.iter().for_each(|name| show(name));
}

/// What was probably meant.
fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let most = 1 + word.len() / 4;
    names.map(|name| (distance(word, name), name)).filter(|(far, _)| *far <= most).min().map(|(_, name)| name)
}

/// Letters to be changed, added or left out, without regard to capitals.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<u8> = other.bytes().map(|byte| byte.to_ascii_lowercase()).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.bytes().enumerate() {
        let mut corner = core::mem::replace(&mut row[0], index + 1);
        for (at, theirs) in other.iter().enumerate() {
            let change = corner + usize::from(letter.to_ascii_lowercase() != *theirs);
            corner = row[at + 1];
            row[at + 1] = change.min(corner + 1).min(row[at] + 1);
        }
    }
    row[other.len()]
}
