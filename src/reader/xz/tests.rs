//! Against files that liblzma has packed (`scripts/xz-samples.py`).

use std::io::Read;

use super::Xz;

fn lines() -> Vec<u8> {
    (0..700_u32).flat_map(|n| format!("line {n}: value {} of {}\n", n * n % 9973, n % 7).into_bytes()).collect()
}

fn noise() -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..5000).map(|_| next()).collect()
}

/// Everything that comes out, and what is said then.
fn unpacked(packed: &[u8]) -> (Vec<u8>, Option<String>) {
    let mut content = Vec::new();
    let result = Xz::new(packed).read_to_end(&mut content);
    (content, result.err().map(|error| error.to_string()))
}

#[track_caller]
fn check(packed: &[u8], content: &[u8]) {
    let (out, problem) = unpacked(packed);
    assert_eq!(problem, None);
    assert!(out == content, "{} bytes instead of {}", out.len(), content.len());
    // In pieces of any size.
    let mut small = Vec::new();
    let mut reader = Xz::new(packed);
    let mut buffer = [0; 7];
    loop {
        match reader.read(&mut buffer).unwrap() {
            0 => break,
            count => small.extend_from_slice(&buffer[..count]),
        }
    }
    assert!(small == content);
}

const CRC64: &[u8] = include_bytes!("tests/crc64.xz");
const STREAMS: &[u8] = include_bytes!("tests/streams.xz");

#[test]
fn every_sum() {
    for packed in [
        include_bytes!("tests/none.xz").as_slice(),
        include_bytes!("tests/crc32.xz"),
        CRC64,
        include_bytes!("tests/sha256.xz"),
    ] {
        check(packed, &lines());
    }
}

#[test]
fn every_setting() {
    check(include_bytes!("tests/fast.xz"), &lines());
    check(include_bytes!("tests/extreme.xz"), &lines());
    check(include_bytes!("tests/lc0-lp2-pb0.xz"), &lines());
    check(include_bytes!("tests/lc1-lp3-pb4.xz"), &lines());
    check(include_bytes!("tests/small-window.xz"), &lines().repeat(3));
    check(include_bytes!("tests/empty.xz"), b"");
}

#[test]
fn chunks_that_are_stored() {
    check(include_bytes!("tests/noise.xz"), &[noise(), lines()].concat());
}

#[test]
fn streams_one_behind_the_other() {
    check(STREAMS, &lines());
    assert_eq!(
        unpacked(&[STREAMS, &[0]].concat()).1.unwrap(),
        format!("zeros behind a stream come in fours (byte {} of the file)", STREAMS.len() + 1)
    );
    assert!(unpacked(&[STREAMS, b"{}"].concat()).1.is_some());
}

#[test]
fn what_is_not_unpacked_is_said() {
    let said = |packed: &[u8]| unpacked(packed).1.unwrap();
    assert!(said(include_bytes!("tests/delta.xz")).contains("filter (0x03) that is not known here: unpack it with xz"));
    assert!(said(include_bytes!("tests/big-window.xz")).contains("needs 1024 MB of memory"));
}

#[test]
fn a_file_that_breaks_off_gives_what_it_has() {
    let all = lines();
    for (packed, step) in [(CRC64, 5), (STREAMS, 7), (include_bytes!("tests/noise.xz"), 41)] {
        let all = if packed.len() > 5000 { [noise(), all.clone()].concat() } else { all.clone() };
        let mut longest = 0;
        for cut in (0..packed.len()).step_by(step) {
            let (content, problem) = unpacked(&packed[..cut]);
            assert!(all.starts_with(&content), "cut at {cut}");
            assert!(content.len() >= longest, "more of the file is never less of its content: {cut}");
            longest = content.len();
            // Only between two streams is it whole.
            assert!(problem.is_some() || content.len() < all.len() || cut + 4 >= packed.len(), "cut at {cut}");
        }
        assert!(longest * 10 > all.len() * 9, "{longest} of {}", all.len());
    }
}

#[test]
fn no_damage_goes_unnoticed() {
    let all = lines();
    for at in 0..CRC64.len() {
        let mut packed = CRC64.to_vec();
        packed[at] ^= 1 << (at % 8);
        let (content, problem) = unpacked(&packed);
        assert!(problem.is_some() || content == all, "byte {at}");
    }
}
