# What a developer of nearmiss types. `just ci` is what CI runs, word for word.

# list the recipes
default:
    @just --list

# everything CI checks
ci:
    bash .ci/run

# the tests
test *ARGS:
    cargo test {{ARGS}}

# look at changed snapshots one by one
review:
    cargo insta review

# format and lint
lint:
    cargo fmt
    cargo clippy --all-targets -- -D warnings

# how well it judges: labelled commands, risky scripts, incidents, recorded sessions, our own cases and rules
score:
    cargo test --test it -- score incidents sessions --nocapture --test-threads 1

# speed and memory, as ratios in one run (release build; several minutes the first time)
bench *ARGS:
    cargo bench --no-default-features --bench bench -- {{ARGS}}

# the pictures of the README, from what the program shows in a terminal
picture:
    INSTA_UPDATE=always cargo test --quiet --test it -- tui::goldens

# the first run of the README
demo:
    cargo run --quiet -- replay corpora/demo

# a reader for a new log format: its file, its lines on the shelf, a sample, and tests that say what to fill in
new-reader NAME:
    bash scripts/new-reader {{NAME}}
