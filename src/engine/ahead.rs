//! Unpacks on a thread of its own, so that reading records and unpacking the next ones happen at the same time.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

/// Pieces that may wait: a megabyte or two.
const WAITING: usize = 8;

/// What another thread has read already.
pub(super) struct Ahead {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    /// Bytes of `piece` that were taken.
    taken: usize,
    /// The source is at its end.
    over: bool,
}

impl Ahead {
    /// Reads `source` to its end, or until nobody wants more.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(super) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        mut source: Box<dyn BufRead + Send>,
    ) -> io::Result<Self> {
        let (sender, pieces) = sync_channel(WAITING);
        let read = move || {
            loop {
                let piece = match source.fill_buf() {
                    Ok([]) => return,
                    Ok(piece) => Ok(piece.to_vec()),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let used = piece.as_ref().map_or(0, Vec::len);
                if sender.send(piece).is_err() || used == 0 {
                    return;
                }
                source.consume(used);
            }
        };
        std::thread::Builder::new().name("unpack".to_owned()).spawn_scoped(scope, read)?;
        Ok(Self { pieces, piece: Vec::new(), taken: 0, over: false })
    }
}

impl BufRead for Ahead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.taken == self.piece.len() && !self.over {
            match self.pieces.recv() {
                Ok(piece) => (self.piece, self.taken) = (piece?, 0),
                Err(_) => self.over = true,
            }
        }
        Ok(&self.piece[self.taken..])
    }

    fn consume(&mut self, amount: usize) {
        self.taken = self.piece.len().min(self.taken + amount);
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, BufReader, Read};

    use super::Ahead;

    /// Gives small pieces, is interrupted now and then, and breaks off where it is told to.
    struct Odd {
        left: usize,
        breaks: bool,
        interrupt: bool,
    }

    impl Read for Odd {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.interrupt = !self.interrupt;
            if self.interrupt {
                return Err(io::ErrorKind::Interrupted.into());
            }
            if self.left == 0 && self.breaks {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "truncated"));
            }
            let given = buffer.len().min(self.left).min(7);
            buffer[..given].fill(b'x');
            self.left -= given;
            Ok(given)
        }
    }

    fn read(left: usize, breaks: bool) -> (usize, io::Result<usize>) {
        std::thread::scope(|scope| {
            let source = BufReader::with_capacity(64, Odd { left, breaks, interrupt: false });
            let mut text = Vec::new();
            let result = Ahead::start(scope, Box::new(source)).unwrap().read_to_end(&mut text);
            (text.len(), result)
        })
    }

    #[test]
    fn all_of_it_comes_out() {
        for left in [0, 1, 63, 64, 65, 10_000] {
            let (length, result) = read(left, false);
            assert_eq!((length, result.unwrap()), (left, left));
        }
    }

    #[test]
    fn what_was_readable_comes_before_the_error() {
        let (length, result) = read(1_000, true);
        assert_eq!(length, 1_000);
        assert_eq!(result.unwrap_err().to_string(), "truncated");
    }

    #[test]
    fn nobody_has_to_read_to_the_end() {
        std::thread::scope(|scope| {
            let source = BufReader::with_capacity(16, io::repeat(b'x'));
            let mut ahead = Ahead::start(scope, Box::new(source)).unwrap();
            let mut some = [0; 100];
            ahead.read_exact(&mut some).unwrap();
        });
    }
}
