//! What a filter that cannot be read is told to be.

use crate::engine::query::Filter;

/// The message for each filter, one below the other.
fn complaints(filters: &[&str]) -> String {
    filters.iter().map(|text| format!("{}\n\n", Filter::parse(text).expect_err(text))).collect()
}

#[test]
fn wrong_names_and_words() {
    insta::assert_snapshot!(complaints(&[
        "decision(block) & acter(=claude)",
        "environ(production)",
        "frobnicate(x)",
        "!environment(develpment)",
        "env(prod)",
        "decision(stop)",
        "gap(#nothing-*)",
        "operation(>=read)",
        "severity(> =high)",
        "actor(>5)",
        "rows(many)",
        "rows(-1)",
        "since(yesterday)",
        "since(2026-11-21, 2026-11-22)",
        "approved(yes)",
        "is(Tabel)",
    ]), @r##"
    there is no predicate `acter`
      decision(block) & acter(=claude)
                        ^^^^^
      did you mean `actor`?

    there is no predicate `environ`
      environ(production)
      ^^^^^^^
      did you mean `environment`?

    there is no predicate `frobnicate`
      frobnicate(x)
      ^^^^^^^^^^
      `nearmiss filters` lists what there is

    `develpment` is no value of `environment`
      !environment(develpment)
                   ^^^^^^^^^^
      did you mean `development`?

    `prod` is no value of `environment`
      env(prod)
          ^^^^
      did you mean `production`?

    `stop` is no value of `decision`
      decision(stop)
               ^^^^
      there is allow, undecided, ask, block

    no value of `gap` is like that
      gap(#nothing-*)
          ^^^^^^^^^^
      there is truncated, redacted, parameters-missing, body-missing, unparsed, dynamic-code, unresolved-variable, unresolved-substitution, unknown-program, unknown-option, unknown-statement, unknown-tool, hidden-code, too-large, too-deep

    there is no more or less in `operation`
      operation(>=read)
                ^^
      there is read, list, create, update, delete, drop, alter, rewrite, grant, revoke, escalate, execute, export, fetch, stop, disable, connect, unknown: write those that are meant, `operation(drop, delete)`

    `=high` is no value of `severity`
      severity(> =high)
                 ^^^^^
      did you mean `high`?

    there is no more or less in `actor`
      actor(>5)
            ^
      `~` contains, `=` is, `#` glob, `/regex/`; in quotes where it begins like that

    `many` is no whole number
      rows(many)
           ^^^^
      write it like `rows(>100)`

    `-1` is no whole number
      rows(-1)
           ^^
      write it like `rows(>100)`

    `yesterday` is no time: failed to parse four digit integer as year: invalid digit, expected 0-9 but got y
      since(yesterday)
            ^^^^^^^^^
      write it like `since(2026-11-21)` or `2026-11-21T02:00Z`

    `since` takes one time
      since(2026-11-21, 2026-11-22)
                      ^

    `approved` takes nothing
      approved(yes)
               ^^^
      write `approved()`

    `Tabel` is no value of `is`
      is(Tabel)
         ^^^^^
      did you mean `Table`?
    "##);
}

#[test]
fn wrong_places() {
    insta::assert_snapshot!(complaints(&[
        "",
        "decision(block) &",
        "decision(block) & & all()",
        "decision(block) all()",
        "(decision(block) all())",
        "decision(block))",
        "(decision(block)",
        "decision(block",
        "decision",
        "actor = claude",
        "effect & all()",
        "actor()",
        "actor(~)",
        "text(count(*))",
        "text(\"a\" b)",
        "text(\"never closed)",
        r#"text("\q")"#,
        "cwd(/srv/app)",
        "cwd(/srv)",
        "text(/(unclosed/)",
        "file(#[a)",
        "text(über) & akteur(x)",
        "text(a\u{1b}[31m\n) & x",
    ]), @r##"
    something is missing at the end

      ^
      expected a predicate like `decision(block)`; `nearmiss filters` lists them

    something is missing at the end
      decision(block) &
                       ^
      expected a predicate like `decision(block)`; `nearmiss filters` lists them

    a predicate is missing here
      decision(block) & & all()
                        ^
      expected a predicate like `decision(block)`; `nearmiss filters` lists them

    two predicates need something between them
      decision(block) all()
                      ^^^
      expected `&` (and), `|` (or), `-` (but not) or the end

    two predicates need something between them
      (decision(block) all())
                       ^^^
      expected `&` (and), `|` (or), `-` (but not) or `)`

    this `)` closes nothing
      decision(block))
                     ^

    this parenthesis is not closed
      (decision(block)
      ^
      expected `)`

    this parenthesis is not closed
      decision(block
              ^
      expected `)`

    `decision` needs parentheses
      decision
      ^^^^^^^^
      write it like `decision(>=ask)`

    `actor` needs parentheses
      actor = claude
      ^^^^^
      write it like `actor(=claude)`

    `effect` needs parentheses
      effect & all()
      ^^^^^^
      write it like `effect(operation(drop) & is(Table))`

    a value is missing here
      actor()
            ^
      write it like `actor(=claude)`, and an empty text as `=""`

    a value is missing here
      actor(~)
             ^
      write it like `actor(=claude)`, and an empty text as `=""`

    the value has ended before this
      text(count(*))
                ^
      a value with parentheses, commas or quotes is written in quotes: `~"count(*)"`

    the value has ended before this
      text("a" b)
               ^
      a value with parentheses, commas or quotes is written in quotes: `~"count(*)"`

    this quote is not closed
      text("never closed)
           ^

    no known escape
      text("\q")
            ^
      `\\`, `\"`, `\'`, `\n`, `\t` and `\u{1b}` are known

    the regular expression ends here
      cwd(/srv/app)
          ^^^^^
      a regular expression stands between slashes; for a path write `~/srv` or `=/srv/app`

    the second slash is missing
      cwd(/srv)
          ^
      a regular expression stands between slashes; for a path write `~/srv` or `=/srv/app`

    no regular expression: unclosed group
      text(/(unclosed/)
            ^^^^^^^^^

    no glob: unclosed character class; missing ']'
      file(#[a)
            ^^
      `*`, `?`, `[a-z]`, `{one,other}`

    there is no predicate `akteur`
      text(über) & akteur(x)
                   ^^^^^^
      did you mean `actor`?

    there is no predicate `x`
      text(a·[31m·) & x
                      ^
      `nearmiss filters` lists what there is
    "##);
}

#[test]
fn a_long_filter_is_shown_around_the_place() {
    let long = format!("{} & acter(x) & {}", vec!["actor(a)"; 40].join(" & "), vec!["actor(b)"; 40].join(" & "));
    insta::assert_snapshot!(Filter::parse(&long).unwrap_err().to_string(), @r##"
    there is no predicate `acter`
      …a) & actor(a) & actor(a) & actor(a) & actor(a) & actor(a) & acter(x) & actor(b) & actor(b) & actor(b) & actor(b) & actor(b) &…
                                                                   ^^^^^
      did you mean `actor`?
    "##);
}
