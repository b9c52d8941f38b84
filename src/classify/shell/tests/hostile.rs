//! Hostile shell text: nesting, length and recursion must neither overflow the stack nor take long.

use super::walked;
use crate::model::{GapKind, Understanding};

/// Runs on a stack as small as a worker's and must come back soon.
fn survives(text: String) -> Understanding {
    let start = std::time::Instant::now();
    let shape: String = text.chars().take(24).collect();
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(move || walked(&text).1);
    let found = thread.unwrap().join().unwrap();
    assert!(start.elapsed().as_secs() < 20, "`{shape}` took {:?}", start.elapsed());
    found
}

#[test]
fn nesting_of_every_bracket_neither_overflows_nor_hangs() {
    let shapes: &[(&str, &str, &str)] = &[
        ("(", "rm -rf /", ")"),
        ("( ", "rm -rf /", " )"),
        ("{ ", "rm -rf /;", " }"),
        ("$(", "rm -rf /", ")"),
        ("echo $(", "rm -rf /", ")"),
        ("echo \"$(", "rm -rf /", ")\""),
        ("`", "rm -rf /", "`"),
        ("cat <(", "rm -rf /", ")"),
        ("[[ ( ", "-n x", " ) ]]"),
        ("[[ ", "-n x", " ]]"),
        ("if ", "rm -rf /", "; then a; fi"),
        ("if a; then ", "rm -rf /", "; fi"),
        ("while a; do ", "rm -rf /", "; done"),
        ("for i in a; do ", "rm -rf /", "; done"),
        ("case a in b) ", "rm -rf /", ";; esac"),
        ("((", "1", "))"),
        ("$((", "1", "))"),
        ("echo $((1+", "1", "))"),
        ("${x:-", "/", "}"),
        ("\"${x:-", "/", "}\""),
        ("\"", "rm -rf /", "\""),
        ("'", "rm -rf /", "'"),
        ("{a,", "b", "}"),
        ("{", "b", ",c}"),
        ("a() { ", "rm -rf /", "; }"),
        ("! ", "rm -rf /", ""),
        ("time ", "rm -rf /", ""),
        ("coproc ", "rm -rf /", ""),
        ("eval ", "rm -rf /", ""),
        ("command ", "rm -rf /", ""),
        ("a && ", "rm -rf /", ""),
        ("a | ", "rm -rf /", ""),
        ("a; ", "rm -rf /", ""),
        ("a\n", "rm -rf /", ""),
        ("x=1 ", "rm -rf /", ""),
        ("<x ", "rm -rf /", ""),
        ("cat <<E\n", "rm -rf /", "\nE\n"),
        ("cat <<E <<F\n", "rm -rf /", "\nE\nF\n"),
        ("@(", "a", ")"),
        ("a[", "1", "]"),
        ("${x:-\"}\"", "/", "}"),
        ("$((\")\"+", "1", "))"),
        ("\\", "`", ""),
        ("`\\", "`", "`"),
        ("$", "a", ""),
        ("<", "a", ""),
        ("<<", "a", ""),
        ("\"'", "a", ""),
        ("~", "a", ""),
        ("*", "a", ""),
        ("[", "a", ""),
        (";;", "a", ""),
    ];
    for (open, inside, close) in shapes {
        for times in [90, 10_000] {
            let closed = format!("{}{inside}{}", open.repeat(times), close.repeat(times));
            let unclosed = format!("{}{inside}", open.repeat(times));
            for text in [closed, unclosed] {
                survives(text);
            }
        }
    }
}

#[test]
fn long_texts_are_read_in_part_and_say_so() {
    let found = survives("true; ".repeat(200_000));
    assert!(found.gaps.iter().any(|gap| gap.kind == GapKind::TooLarge));
    // Many links are good shell, only too long for the parser.
    assert_eq!(survives("true && ".repeat(3_000) + "true").gaps, []);
    let loops = "for a in 1 2 3 4; do ".repeat(9) + "x; " + &"done; ".repeat(9);
    assert!(survives(loops).gaps.iter().any(|gap| gap.kind == GapKind::TooLarge));
}

#[test]
fn values_made_of_values_do_not_grow_without_end() {
    survives("x=abc; ".to_owned() + &"x=\"$x$x\"; ".repeat(100));
    survives("x=abc; ".to_owned() + &"x=${x//?/$x$x}; x=${x//a/$x}; ".repeat(50));
    survives("a=(b c); ".to_owned() + &"a=(\"${a[@]}\" \"${a[@]}\"); ".repeat(100));
    survives("set -- a b; ".to_owned() + &"set -- $@ $@; ".repeat(100));
    survives(format!("x='{}'; echo {}", "ab ".repeat(5_000), "$x\"$x\"".repeat(20_000)));
    survives(format!("x='{}'; {} | sh", "a".repeat(16_000), "echo $x >> f; ".repeat(4_000)));
    survives("echo ".to_owned() + &"{a,b}".repeat(200) + &"{1..99999}".repeat(20));
}

#[test]
fn code_in_code_shares_one_depth() {
    let groups = "( ".repeat(20);
    let ends = " )".repeat(20);
    let mut text = "rm -rf /".to_owned();
    for _ in 0..6 {
        text = format!("{groups}eval '{}'{ends}", text.replace('\'', "'\\''"));
    }
    let found = survives(text);
    assert!(found.gaps.iter().any(|gap| gap.kind == GapKind::TooDeep));
    survives("f() { ( ( ( eval f; ) ) ) }; f".to_owned());
    survives("alias a='( ( eval a ) )'; a".to_owned());
    survives(format!("{}rm -rf /{}", "eval \"$(".repeat(20), ")\"".repeat(20)));
}
