//! LZMA2: chunks that are stored as they are, or coded by LZMA, over a window of what came before.
//!
//! Written after the LZMA specification (<https://www.7-zip.org/sdk.html>) and the layout of LZMA2 chunks.

use std::io::{self, BufRead};

use super::Source;

/// A chunk unpacks to this much at most.
const CHUNK: usize = 2 << 20;
const STATES: usize = 12;
/// Half a chance.
const EVEN: u16 = 1 << 10;
const BITS: u32 = 11;
const MOVE: u32 = 5;
const TOP: u32 = 1 << 24;
/// States in which the last thing was a literal come first.
const LITERALS: usize = 7;

/// The window, and how LZMA was left by the last chunk.
#[derive(Default)]
pub(super) struct Lzma2 {
    /// What was unpacked: at least the last `size` bytes of it.
    window: Vec<u8>,
    size: usize,
    /// How much of `window` was given out.
    given: usize,
    /// Bytes since the window was emptied.
    since: u64,
    coder: Option<Box<Coder>>,
    packed: Vec<u8>,
    /// Nothing may lean on what was there before until the window is emptied.
    needs_reset: bool,
}

impl Lzma2 {
    /// Starts a block with a window of `size` bytes.
    pub(super) fn begin(&mut self, size: usize) {
        self.size = size.max(1);
        self.coder = None;
        self.needs_reset = true;
    }

    /// What was unpacked and not given out yet.
    pub(super) fn waiting(&self) -> &[u8] {
        &self.window[self.given..]
    }

    /// Gives out what waits.
    pub(super) fn take(&mut self, buffer: &mut [u8]) -> usize {
        let waiting = &self.window[self.given..];
        let count = waiting.len().min(buffer.len());
        buffer[..count].copy_from_slice(&waiting[..count]);
        self.given += count;
        count
    }

    /// Unpacks the next chunk once everything before it was given out; `false` at the end. What a chunk that breaks off
    /// still has is unpacked as well.
    pub(super) fn chunk<R: BufRead>(&mut self, source: &mut Source<R>) -> io::Result<bool> {
        self.shorten();
        let control = source.byte()?;
        if control == 0 {
            return Ok(false);
        }
        if control == 1 || control >= 0xe0 {
            self.since = 0;
            self.needs_reset = false;
        } else if self.needs_reset {
            return Err(source.damaged("a block leans on what is not there"));
        }
        if control < 0x80 {
            return self.stored(control, source).map(|()| true);
        }
        let mut sizes = [0; 4];
        source.exact(&mut sizes)?;
        let unpacked = (usize::from(control & 0x1f) << 16 | usize::from(sizes[0]) << 8 | usize::from(sizes[1])) + 1;
        let packed = (usize::from(sizes[2]) << 8 | usize::from(sizes[3])) + 1;
        if control >= 0xc0 {
            let properties = source.byte()?;
            let coder = Coder::new(properties).ok_or_else(|| source.damaged("LZMA is set to what there is not"))?;
            self.coder = Some(Box::new(coder));
        } else if control >= 0xa0
            && let Some(coder) = &mut self.coder
        {
            coder.reset();
        }
        source.up_to(packed, &mut self.packed)?;
        let whole = self.packed.len() == packed;
        let Some(coder) = &mut self.coder else { return Err(source.damaged("a block leans on what is not there")) };
        let mut output = Output { window: &mut self.window, size: self.size, since: &mut self.since };
        let problem = coder.decode(&self.packed, &mut output, unpacked);
        match problem {
            Ok(()) => Ok(true),
            Err(_) if !whole => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(problem) => Err(source.damaged(problem)),
        }
    }

    fn stored<R: BufRead>(&mut self, control: u8, source: &mut Source<R>) -> io::Result<()> {
        if control > 2 {
            return Err(source.damaged("a chunk of no known kind"));
        }
        let mut size = [0; 2];
        source.exact(&mut size)?;
        let size = (usize::from(size[0]) << 8 | usize::from(size[1])) + 1;
        source.up_to(size, &mut self.packed)?;
        self.window.extend_from_slice(&self.packed);
        self.since += self.packed.len() as u64;
        if self.packed.len() == size { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Forgets what no match can reach any more, now and then.
    fn shorten(&mut self) {
        if self.window.len() > self.size + self.size / 2 + CHUNK {
            let gone = self.window.len() - self.size;
            self.window.drain(..gone);
            self.given -= gone;
        }
    }
}

/// Where a chunk unpacks to.
struct Output<'a> {
    window: &'a mut Vec<u8>,
    size: usize,
    since: &'a mut u64,
}

impl Output<'_> {
    /// The byte `distance` before the last one; `None` before the beginning.
    fn back(&self, distance: u32) -> Option<u8> {
        self.reach(distance).and_then(|start| self.window.get(start).copied())
    }

    fn reach(&self, distance: u32) -> Option<usize> {
        let back = distance as usize + 1;
        (back as u64 <= *self.since && back <= self.size).then(|| self.window.len().checked_sub(back))?
    }

    fn push(&mut self, byte: u8) {
        self.window.push(byte);
        *self.since += 1;
    }

    fn repeat(&mut self, distance: u32, length: usize) -> Result<(), &'static str> {
        let start = self.reach(distance).ok_or("a match reaches behind the beginning")?;
        if start + length <= self.window.len() {
            self.window.extend_from_within(start..start + length);
        } else {
            for at in start..start + length {
                self.window.push(self.window[at]);
            }
        }
        *self.since += length as u64;
        Ok(())
    }
}

/// Chances of the lengths of matches.
#[derive(Clone)]
struct Lengths {
    choice: [u16; 2],
    low: [[u16; 8]; 16],
    middle: [[u16; 8]; 16],
    high: [u16; 256],
}

impl Lengths {
    const fn new() -> Self {
        Self { choice: [EVEN; 2], low: [[EVEN; 8]; 16], middle: [[EVEN; 8]; 16], high: [EVEN; 256] }
    }

    fn decode(&mut self, range: &mut Range<'_>, place: usize) -> usize {
        if range.bit(&mut self.choice[0]) == 0 {
            range.tree(&mut self.low[place], 3)
        } else if range.bit(&mut self.choice[1]) == 0 {
            8 + range.tree(&mut self.middle[place], 3)
        } else {
            16 + range.tree(&mut self.high, 8)
        }
    }
}

/// LZMA: what it has learned, and the last four distances.
struct Coder {
    literal_context: u32,
    literal_place: u32,
    place: u32,
    state: usize,
    distances: [u32; 4],
    is_match: [[u16; 16]; STATES],
    is_repeat: [u16; STATES],
    is_repeat_0: [u16; STATES],
    is_repeat_0_long: [[u16; 16]; STATES],
    is_repeat_1: [u16; STATES],
    is_repeat_2: [u16; STATES],
    slots: [[u16; 64]; 4],
    special: [u16; 115],
    align: [u16; 16],
    lengths: Lengths,
    repeat_lengths: Lengths,
    literals: Vec<[u16; 0x300]>,
}

impl Coder {
    /// `None` for properties that LZMA2 does not have.
    fn new(properties: u8) -> Option<Self> {
        let properties = u32::from(properties);
        let (place, rest) = (properties / 45, properties % 45);
        let (literal_place, literal_context) = (rest / 9, rest % 9);
        (place <= 4 && literal_context + literal_place <= 4).then(|| Self {
            literal_context,
            literal_place,
            place,
            state: 0,
            distances: [0; 4],
            is_match: [[EVEN; 16]; STATES],
            is_repeat: [EVEN; STATES],
            is_repeat_0: [EVEN; STATES],
            is_repeat_0_long: [[EVEN; 16]; STATES],
            is_repeat_1: [EVEN; STATES],
            is_repeat_2: [EVEN; STATES],
            slots: [[EVEN; 64]; 4],
            special: [EVEN; 115],
            align: [EVEN; 16],
            lengths: Lengths::new(),
            repeat_lengths: Lengths::new(),
            literals: vec![[EVEN; 0x300]; 1 << (literal_context + literal_place)],
        })
    }

    /// Forgets everything but the properties.
    fn reset(&mut self) {
        let properties = (self.place * 5 + self.literal_place) * 9 + self.literal_context;
        if let Some(new) = u8::try_from(properties).ok().and_then(Self::new) {
            *self = new;
        }
    }

    /// Unpacks `size` bytes. Whatever fails, what came before it is there.
    fn decode(&mut self, packed: &[u8], output: &mut Output<'_>, size: usize) -> Result<(), &'static str> {
        let mut range = Range::new(packed)?;
        let end = *output.since + size as u64;
        while *output.since < end {
            let left = (end - *output.since) as usize;
            let place = (*output.since as usize) & ((1 << self.place) - 1);
            if range.bit(&mut self.is_match[self.state][place]) == 0 {
                let byte = self.literal(&mut range, output)?;
                range.is_whole()?;
                output.push(byte);
                self.state = self.state.saturating_sub(if self.state < 10 { 3 } else { 6 });
                continue;
            }
            let length = self.length(&mut range, place)?.unwrap_or(1);
            range.is_whole()?;
            if length > left {
                return Err("a match is longer than its chunk");
            }
            output.repeat(self.distances[0], length)?;
        }
        range.used_up()
    }

    fn literal(&mut self, range: &mut Range<'_>, output: &Output<'_>) -> Result<u8, &'static str> {
        let before = if *output.since == 0 { 0 } else { u32::from(output.back(0).unwrap_or(0)) };
        let place = (*output.since as u32) & ((1 << self.literal_place) - 1);
        let context = (place << self.literal_context) + (before >> (8 - self.literal_context));
        let chances = self.literals.get_mut(context as usize).ok_or("a literal of no context")?;
        let mut symbol = 1;
        if self.state >= LITERALS {
            let mut matched =
                usize::from(output.back(self.distances[0]).ok_or("a match reaches behind the beginning")?);
            while symbol < 0x100 {
                let expected = matched >> 7 & 1;
                matched <<= 1;
                let bit = range.bit(&mut chances[((1 + expected) << 8) + symbol]);
                symbol = symbol << 1 | bit;
                if bit != expected {
                    break;
                }
            }
        }
        while symbol < 0x100 {
            symbol = symbol << 1 | range.bit(&mut chances[symbol]);
        }
        Ok(symbol as u8)
    }

    /// The length of a match, after its distance was put first; `None` for one byte from where the last one came.
    fn length(&mut self, range: &mut Range<'_>, place: usize) -> Result<Option<usize>, &'static str> {
        let state = self.state;
        let after_literal = state < LITERALS;
        if range.bit(&mut self.is_repeat[state]) == 0 {
            let length = self.lengths.decode(range, place);
            self.state = if after_literal { 7 } else { 10 };
            let distance = self.distance(range, length)?;
            self.distances.rotate_right(1);
            self.distances[0] = distance;
            return Ok(Some(length + 2));
        }
        if range.bit(&mut self.is_repeat_0[state]) == 0 {
            if range.bit(&mut self.is_repeat_0_long[state][place]) == 0 {
                self.state = if after_literal { 9 } else { 11 };
                return Ok(None);
            }
        } else if range.bit(&mut self.is_repeat_1[state]) == 0 {
            self.distances.swap(0, 1);
        } else if range.bit(&mut self.is_repeat_2[state]) == 0 {
            self.distances[..3].rotate_right(1);
        } else {
            self.distances.rotate_right(1);
        }
        let length = self.repeat_lengths.decode(range, place);
        self.state = if after_literal { 8 } else { 11 };
        Ok(Some(length + 2))
    }

    fn distance(&mut self, range: &mut Range<'_>, length: usize) -> Result<u32, &'static str> {
        let slot = range.tree(&mut self.slots[length.min(3)], 6);
        if slot < 4 {
            return Ok(slot as u32);
        }
        let bits = (slot >> 1) as u32 - 1;
        let high = (2 | (slot & 1) as u32) << bits;
        let distance = if slot < 14 {
            high + range.reverse(&mut self.special[high as usize - slot..], bits)
        } else {
            high.wrapping_add(range.direct(bits - 4) << 4).wrapping_add(range.reverse(&mut self.align, 4))
        };
        // What ends LZMA where nobody knows its size, and has no place in LZMA2.
        if distance == u32::MAX { Err("it ends before its chunk does") } else { Ok(distance) }
    }
}

/// Bits by their chances.
struct Range<'a> {
    bytes: &'a [u8],
    at: usize,
    range: u32,
    code: u32,
}

impl<'a> Range<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let Some([0, a, b, c, d]) = bytes.first_chunk() else { return Err("coded data does not begin like any") };
        Ok(Self { bytes, at: 5, range: u32::MAX, code: u32::from_be_bytes([*a, *b, *c, *d]) })
    }

    fn normalize(&mut self) {
        if self.range < TOP {
            self.range <<= 8;
            self.code = self.code << 8 | u32::from(self.bytes.get(self.at).copied().unwrap_or(0));
            self.at += 1;
        }
    }

    /// Nothing was read that is not there.
    fn is_whole(&self) -> Result<(), &'static str> {
        if self.at <= self.bytes.len() { Ok(()) } else { Err("coded data breaks off") }
    }

    fn used_up(mut self) -> Result<(), &'static str> {
        self.normalize();
        if self.at == self.bytes.len() && self.code == 0 {
            Ok(())
        } else {
            Err("coded data does not end with its chunk")
        }
    }

    #[inline]
    fn bit(&mut self, chance: &mut u16) -> usize {
        self.normalize();
        let bound = (self.range >> BITS) * u32::from(*chance);
        if self.code < bound {
            self.range = bound;
            *chance += ((1 << BITS) - *chance) >> MOVE;
            0
        } else {
            self.range -= bound;
            self.code -= bound;
            *chance -= *chance >> MOVE;
            1
        }
    }

    /// Bits from the highest on.
    fn tree(&mut self, chances: &mut [u16], bits: u32) -> usize {
        let mut symbol = 1;
        for _ in 0..bits {
            symbol = symbol << 1 | self.bit(&mut chances[symbol]);
        }
        symbol - (1 << bits)
    }

    /// Bits from the lowest on.
    fn reverse(&mut self, chances: &mut [u16], bits: u32) -> u32 {
        let (mut symbol, mut value) = (1, 0);
        for place in 0..bits {
            let bit = self.bit(&mut chances[symbol]);
            symbol = symbol << 1 | bit;
            value |= (bit as u32) << place;
        }
        value
    }

    /// Bits without chances, from the highest on.
    fn direct(&mut self, bits: u32) -> u32 {
        let mut value = 0;
        for _ in 0..bits {
            self.normalize();
            self.range >>= 1;
            let bit = u32::from(self.code >= self.range);
            self.code -= self.range * bit;
            value = value << 1 | bit;
        }
        value
    }
}
