//! What the reader makes of small transcripts.

use super::*;
use crate::reader::collect;

#[test]
fn try_data() {
    for dir in std::env::var("TRY").unwrap().split(':') {
        let mut files: Vec<_> = glob::glob(dir).unwrap().map(|p| p.unwrap()).collect();
        files.sort();
        for file in files {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let bytes = std::fs::read(&file).unwrap();
            let head = &bytes[..bytes.len().min(65536)];
            let sample = Sample { head, complete: head.len() == bytes.len(), name: &name };
            for reader in crate::reader::READERS {
                let sure = reader.detect(&sample);
                if sure == Match::No { continue; }
                let text = collect::read_all(*reader, &name, &bytes);
                let actions = text.lines().filter(|l| l.contains(" session=")).count();
                let issues = text.lines().filter(|l| l.contains(" issue: ")).count();
                println!("== {name}: {} {sure:?} actions={actions} issues={issues} {}", reader.name(), text.lines().last().unwrap_or(""));
                if std::env::var("SHOW").is_ok() { println!("{text}"); }
            }
        }
    }
}
