//! The `nearmiss` program: everything is in [`nearmiss::cli`].

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    nearmiss::cli::run(std::env::args_os())
}
