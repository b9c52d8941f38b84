//! Packed files by their first bytes, whatever their name: gzip, zstd, bzip2 and xz, each also in several parts one
//! behind the other, one inside another, and UTF-16.
//!
//! What comes out is everything that is readable, then an error that says `truncated` or `damaged` and where.

use std::error::Error as _;
use std::io::{self, BufRead, BufReader, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::GzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::utf16::Utf16;
use super::xz::{self, Xz};

/// How much is read at a time, from the file and out of each layer.
pub(super) const BUFFER: usize = 256 << 10;

/// How many layers may be inside each other; more is a bomb, not a log.
const MAX_LAYERS: usize = 2;

type Layer = Box<dyn BufRead + Send>;

/// Whether a file that begins like this is packed.
pub(super) fn is_packed(head: &[u8]) -> bool {
    matches!(
        head,
        [0x1f, 0x8b, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', ..]
            | [0x28, 0xb5, 0x2f, 0xfd, ..]
            | [0xfd, b'7', b'z', b'X', b'Z', 0, ..]
            | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]
    )
}

/// The text inside `reader`, and whether it was packed.
pub(super) fn unpack(mut reader: Layer) -> io::Result<(Layer, bool)> {
    let mut packed = true;
    for layers in 0..MAX_LAYERS {
        let (head, _) = start(&mut reader, xz::MAGIC.len())?;
        let again = io::Cursor::new(head.clone()).chain(reader);
        reader = match *head.as_slice() {
            [0x1f, 0x8b, ..] => layer("gzip", Gzip { member: Some(GzDecoder::new(again)) }),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => layer("bzip2", MultiBzDecoder::new(again)),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => layer("zstd", Zstd::new(again)),
            _ if head == xz::MAGIC => layer("xz", Xz::new(again)),
            _ => {
                reader = Box::new(again);
                packed = layers > 0;
                break;
            }
        };
    }
    let (head, _) = start(&mut reader, 2)?;
    let text: Layer = match *head.as_slice() {
        [0xff, 0xfe] => Box::new(Utf16::new(reader, false)),
        [0xfe, 0xff] => Box::new(Utf16::new(reader, true)),
        _ => Box::new(io::Cursor::new(head).chain(reader)),
    };
    Ok((text, packed))
}

/// Takes the first `wanted` bytes, and says whether that is all there is. Fails only when there is not one byte
/// to show: the layers below repeat their error, so whoever reads on meets it.
pub(super) fn start(reader: &mut Layer, wanted: usize) -> io::Result<(Vec<u8>, bool)> {
    let mut head = Vec::with_capacity(wanted);
    loop {
        let available = match reader.fill_buf() {
            Ok([]) => return Ok((head, true)),
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if head.is_empty() => return Err(error),
            Err(_) => return Ok((head, false)),
        };
        if head.len() == wanted {
            return Ok((head, false));
        }
        let used = available.len().min(wanted - head.len());
        head.extend_from_slice(&available[..used]);
        reader.consume(used);
    }
}

fn layer(what: &'static str, decoder: impl Read + Send + 'static) -> Layer {
    Box::new(BufReader::with_capacity(BUFFER, located(what, decoder)))
}

/// A decoder that says plainly where its data breaks off.
pub(super) fn located<D: Read>(what: &'static str, decoder: D) -> impl Read + use<D> {
    Located { decoder, what, given: 0, failed: None }
}

/// What is packed with zstd, in one frame or in several.
pub(super) fn zstd<R: BufRead>(source: R) -> impl Read + use<R> {
    Zstd::new(source)
}

/// Says plainly where packed data breaks off, and says it again to whoever asks again.
struct Located<D> {
    decoder: D,
    what: &'static str,
    given: u64,
    failed: Option<(io::ErrorKind, String)>,
}

impl<D: Read> Read for Located<D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some((kind, problem)) = &self.failed {
            return Err(io::Error::new(*kind, problem.clone()));
        }
        let error = match self.decoder.read(buffer) {
            Ok(read) => {
                self.given += read as u64;
                return Ok(read);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted || error.raw_os_error().is_some() => {
                return Err(error);
            }
            Err(error) => error,
        };
        let (what, given) = (self.what, self.given);
        let failed = if error.kind() == io::ErrorKind::UnexpectedEof {
            (io::ErrorKind::UnexpectedEof, format!("truncated {what} data at byte {given} of its content"))
        } else {
            (io::ErrorKind::InvalidData, format!("damaged {what} data at byte {given} of its content: {error}"))
        };
        let (kind, problem) = self.failed.insert(failed);
        Err(io::Error::new(*kind, problem.clone()))
    }
}

/// All members of a gzip file: logrotate and `cat` put one behind the other, tapes pad with zeros.
struct Gzip<R> {
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(member) = &mut self.member else { return Ok(0) };
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let behind = member.get_mut().fill_buf()?;
            match behind.first() {
                None => self.member = None,
                Some(0x1f) => self.member = self.member.take().map(|member| GzDecoder::new(member.into_inner())),
                Some(0) => {
                    let zeros = behind.iter().take_while(|byte| **byte == 0).count();
                    member.get_mut().consume(zeros);
                }
                Some(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, "something else follows it")),
            }
        }
    }
}

/// All frames of a zstd file.
struct Zstd<R> {
    source: R,
    decoder: FrameDecoder,
    failed: Option<io::Error>,
}

impl<R: BufRead> Zstd<R> {
    fn new(source: R) -> Self {
        Self { source, decoder: FrameDecoder::new(), failed: None }
    }

    /// Starts the next frame, or steps over one that holds no data.
    fn next_frame(&mut self) -> io::Result<()> {
        match self.decoder.reset(&mut self.source) {
            Ok(()) => Ok(()),
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                let length = u64::from(length);
                let skipped = io::copy(&mut (&mut self.source).take(length), &mut io::sink())?;
                if skipped < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
            }
            Err(error) => Err(self.plain(&error)),
        }
    }

    /// The decoder wraps the end of its source in errors of its own.
    fn plain(&mut self, error: &FrameDecoderError) -> io::Error {
        let mut cause = error.source();
        while let Some(inner) = cause {
            if let Some(inner) = inner.downcast_ref::<io::Error>() {
                return io::Error::new(inner.kind(), inner.to_string());
            }
            cause = inner.source();
        }
        match self.source.fill_buf() {
            Ok([]) => io::ErrorKind::UnexpectedEof.into(),
            _ => io::Error::new(io::ErrorKind::InvalidData, error.to_string()),
        }
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.decoder.can_collect() > 0 || buffer.is_empty() {
                return self.decoder.read(buffer);
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            if self.decoder.is_finished() {
                if self.source.fill_buf()?.is_empty() {
                    return Ok(0);
                }
                self.next_frame()?;
            } else if let Err(error) =
                self.decoder.decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
            {
                self.failed = Some(self.plain(&error));
                // The decoder holds back a whole window until the frame ends. An empty last block (and a
                // checksum, which it does not verify) ends it, and everything that was readable comes out.
                let mut end: &[u8] = &[1, 0, 0, 0, 0, 0, 0];
                let _ = self.decoder.decode_blocks(&mut end, BlockDecodingStrategy::UptoBlocks(1));
            }
        }
    }
}
