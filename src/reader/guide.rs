//! What each format tells and what it does not, for `nearmiss formats NAME`; which server settings make it tell more.

mod agents;
mod cloud;
mod databases;
mod hosts;

/// One format.
#[derive(Debug)]
pub struct Guide {
    /// The reader's name.
    pub name: &'static str,
    /// What in its content it is known by.
    pub known_by: &'static str,
    pub tells: &'static str,
    /// What it cannot tell, and what nearmiss makes of that.
    pub lacks: &'static str,
    /// What a server must be told, and what that gives.
    pub settings: &'static [(&'static str, &'static str)],
    /// A sample of ours: its path below `corpora/`, and its bytes.
    pub sample: (&'static str, &'static [u8]),
}

/// The sample at a path below `corpora/`.
macro_rules! sample {
    ($path:literal) => {
        ($path, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/corpora/", $path)))
    };
}
use sample;

/// The guide to the format called `name`.
pub fn of(name: &str) -> Option<&'static Guide> {
    let shelves = [agents::GUIDES, databases::GUIDES, cloud::GUIDES, hosts::GUIDES];
    shelves.into_iter().flatten().find(|guide| guide.name == name)
}
