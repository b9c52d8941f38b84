//! Somebody leans on the keyboard: whatever keys come in whatever order, on whatever size, it stays, and it can be left.

use crate::terminal::Key;

use super::{Project, assert_painted};

/// Numbers that look like chance and are the same every time (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

/// Everything but what ends it, stops it, or names a file elsewhere.
const KEYS: &[&str] = &[
    "j",
    "k",
    "g",
    "G",
    "h",
    "l",
    "1",
    "2",
    "3",
    "4",
    "5",
    "\r",
    "\r",
    "\u{1b}",
    "\u{1b}",
    "\t",
    "\u{1b}[Z",
    " ",
    "w",
    "i",
    "0",
    "v",
    "c",
    "/",
    "f",
    "s",
    "r",
    "S",
    "t",
    "n",
    "x",
    "p",
    "u",
    "Z",
    "y",
    "Y",
    "e",
    "m",
    "@",
    ":",
    "?",
    "d",
    "z",
    "]",
    "[",
    "a",
    "(",
    ")",
    "~",
    "!",
    "表",
    "\u{1b}[A",
    "\u{1b}[B",
    "\u{1b}[C",
    "\u{1b}[D",
    "\u{1b}[5~",
    "\u{1b}[6~",
    "\u{1b}[H",
    "\u{1b}[F",
    "\u{1b}[3~",
    "\u{15}",
    "\u{17}",
    "\u{4}",
    "\u{b}",
    "\u{7f}",
    "\u{c}",
    "\u{1b}[<0;5;4M",
    "\u{1b}[<64;1;1M",
    "\u{1b}[<65;1;1M",
    "\u{1b}[<0;65535;65535M",
    "\u{1b}[200~actor(robin)\u{1b}[201~",
    "\u{1b}[200~\u{202e}\u{1b}[2J\u{1b}[201~",
    "\u{1b}[200~DELETE FROM receipts\u{1b}[201~",
];

#[test]
fn any_keys_in_any_order() {
    // More of it by hand: `NEARMISS_MONKEYS=200 cargo test --test it monkey`.
    let monkeys = std::env::var("NEARMISS_MONKEYS").ok().and_then(|count| count.parse().ok()).unwrap_or(4);
    for seed in 1..=monkeys {
        let project = Project::new();
        let mut chance = Chance(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let Some(mut terminal) = project.open() else { return };
        let mut typed = Vec::new();
        for step in 0..400 {
            if chance.below(25) == 0 {
                let (columns, rows) = (1 + chance.below(180) as u16, 1 + chance.below(50) as u16);
                terminal.resize(columns, rows);
            }
            let key = KEYS[chance.below(KEYS.len())];
            typed.push(key);
            terminal.type_keys(key);
            // Some come fast, some one at a time; an escape by itself needs a moment.
            if chance.below(4) == 0 || key == "\u{1b}" {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            if step % 100 == 99 {
                terminal.resize(120, 40).wait_until("the whole screen", |screen| screen.size() == (120, 40));
                let is_there = !terminal.has_ended();
                assert!(is_there, "monkey {seed} ended it with {typed:?}:\n{}", terminal.text());
                assert_painted(&terminal);
                let text = terminal.text();
                assert!(!text.contains("a bug of nearmiss"), "monkey {seed} found it with {typed:?}:\n{text}");
            }
        }
        terminal.press(Key::Ctrl('c'));
        assert_eq!(terminal.wait_exit().code(), 130, "monkey {seed}: {typed:?}\n{}", terminal.text());
        terminal.assert_restored();
    }
}
