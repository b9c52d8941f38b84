//! Brace expansion: `{a,b}`, `{1..9}`, `{c..c}`.

use super::tree::Part;

/// More words than this from one word are not made; the braces then stand as written.
const MAX_WORDS: usize = 64;

/// A part of a word after its braces are expanded.
#[derive(Clone, Debug)]
pub(super) enum Piece<'p, 't> {
    Text(String),
    Part(&'p Part<'t>),
}

/// One letter outside quotes with the backslash before it, or a part that braces cannot look into.
#[derive(Clone, Copy)]
enum Token<'p, 't> {
    Bare(&'t str),
    Part(&'p Part<'t>),
}

/// The words that `parts` becomes.
pub(super) fn expand<'p, 't>(parts: &'p [Part<'t>]) -> Vec<Vec<Piece<'p, 't>>> {
    let mut tokens = Vec::new();
    for part in parts {
        match part {
            Part::Bare(text) => tokens.extend(letters(text).map(Token::Bare)),
            other => tokens.push(Token::Part(other)),
        }
    }
    let (mut open, mut done) = (vec![(tokens, 0)], Vec::new());
    while let Some((tokens, from)) = open.pop() {
        let Some((start, end, choices)) = first_braces(&tokens, from) else {
            done.push(pieces(&tokens));
            continue;
        };
        if open.len() + done.len() + choices.len() > MAX_WORDS {
            done.push(pieces(&tokens));
            continue;
        }
        // Pushed backwards so that words come out in the order of the text.
        for choice in choices.into_iter().rev() {
            let mut word = tokens[..start].to_vec();
            word.extend(choice);
            word.extend_from_slice(&tokens[end + 1..]);
            open.push((word, start));
        }
    }
    done
}

fn letters(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let mut length = first.len_utf8();
        if first == '\\' {
            length += rest[length..].chars().next().map_or(0, char::len_utf8);
        }
        let (letter, after) = rest.split_at(length);
        rest = after;
        Some(letter)
    })
}

fn pieces<'p, 't>(tokens: &[Token<'p, 't>]) -> Vec<Piece<'p, 't>> {
    let mut pieces: Vec<Piece<'p, 't>> = Vec::new();
    for token in tokens {
        match (token, pieces.last_mut()) {
            (Token::Bare(letter), Some(Piece::Text(text))) => text.push_str(letter),
            (Token::Bare(letter), _) => pieces.push(Piece::Text((*letter).to_owned())),
            (Token::Part(part), _) => pieces.push(Piece::Part(part)),
        }
    }
    pieces
}

type Choices<'p, 't> = Vec<Vec<Token<'p, 't>>>;

/// The first braces from `from` on that expand: where they open and close, and what they offer.
fn first_braces<'p, 't>(tokens: &[Token<'p, 't>], from: usize) -> Option<(usize, usize, Choices<'p, 't>)> {
    let is = |at: usize, letter| matches!(tokens.get(at), Some(Token::Bare(text)) if *text == letter);
    // Every `{` without a partner costs a walk to the end: a few are enough.
    for start in (from..tokens.len()).filter(|at| is(*at, "{")).take(MAX_WORDS) {
        let (mut depth, mut commas) = (0usize, Vec::new());
        let close = (start..tokens.len()).find(|at| {
            if is(*at, "{") {
                depth += 1;
            } else if is(*at, "}") {
                depth -= 1;
            } else if depth == 1 && is(*at, ",") {
                commas.push(*at);
            }
            depth == 0
        });
        let Some(end) = close else { continue };
        if commas.is_empty() {
            if let Some(choices) = sequence(&tokens[start + 1..end]) {
                return Some((start, end, choices));
            }
            continue;
        }
        let mut choices = Vec::with_capacity(commas.len() + 1);
        let mut at = start + 1;
        for stop in commas.into_iter().chain([end]) {
            choices.push(tokens[at..stop].to_vec());
            at = stop + 1;
        }
        return Some((start, end, choices));
    }
    None
}

const DIGITS: &str = "0123456789";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// `1..9` or `a..e`, without a step.
fn sequence<'p, 't>(tokens: &[Token<'p, 't>]) -> Option<Choices<'p, 't>> {
    let mut text = String::new();
    for token in tokens {
        let Token::Bare(letter) = token else { return None };
        text.push_str(letter);
    }
    let (first, last) = text.split_once("..")?;
    if let (Ok(first), Ok(last)) = (first.parse::<i64>(), last.parse::<i64>()) {
        let numbers: Vec<i64> = if first <= last { (first..=last).take(MAX_WORDS).collect() } else { vec![first] };
        return Some(numbers.into_iter().map(|number| spelled(&number.to_string(), DIGITS)).collect());
    }
    let alphabet = [LOWER, UPPER].into_iter().find(|letters| letters.contains(first) && letters.contains(last))?;
    let (first, last) = (alphabet.find(first)?, alphabet.find(last)?);
    let range = if first <= last { first..=last } else { last..=first };
    Some(range.map(|at| vec![Token::Bare(&alphabet[at..=at])]).collect())
}

/// A number letter by letter, so that no token has to own its text.
fn spelled<'p, 't>(number: &str, digits: &'static str) -> Vec<Token<'p, 't>> {
    let letter = |digit: char| match digit.to_digit(10) {
        Some(at) => Token::Bare(&digits[at as usize..=at as usize]),
        None => Token::Bare("-"),
    };
    number.chars().map(letter).collect()
}
