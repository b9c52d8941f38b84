//! Trees of pages: the rows of a table, by their numbers or, `WITHOUT ROWID`, by their keys.

use super::Problem;
use super::pages::{FILE_HEADER, Pages};
use super::record::varint;

/// SQLite's own limit is 20; a tree this deep has lost its way.
const DEEPEST: usize = 40;
/// So many damaged rows of a page are told one by one.
const MOST_TOLD: usize = 3;

/// A row before its columns are read.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) rowid: Option<i64>,
    /// Its first byte in the file.
    pub(super) offset: u64,
    /// Bytes of the whole row.
    pub(super) size: u64,
    /// What of it stands on the page itself.
    pub(super) local: Vec<u8>,
    /// The page with the rest; 0 where there is none.
    overflow: u32,
}

/// Goes through a tree from left to right. Every page is visited once, so that no loop is endless.
#[derive(Debug)]
pub(super) struct Walk {
    stack: Vec<Level>,
    seen: Pagemap,
    root: Option<u32>,
    /// A table by numbers; an index otherwise, whose inner pages have rows as well.
    by_rowid: bool,
}

#[derive(Debug)]
struct Level {
    number: u32,
    page: Vec<u8>,
    /// Where its header begins.
    header: usize,
    inner: bool,
    cells: usize,
    /// The next cell; of an inner page, its left child comes first.
    at: usize,
    /// The child left of that cell has been gone through.
    descended: bool,
    /// Cells so far that are damaged.
    damaged: usize,
}

impl Walk {
    pub(super) fn new(root: u32, by_rowid: bool) -> Self {
        Self { stack: Vec::new(), seen: Pagemap::default(), root: Some(root), by_rowid }
    }

    /// The next row; a page or a cell that is damaged is told and stepped over.
    pub(super) fn next(&mut self, pages: &mut Pages) -> Option<Result<Cell, Problem>> {
        if let Some(root) = self.root.take()
            && let Err(problem) = self.enter(root, 0, pages)
        {
            return Some(Err(problem));
        }
        loop {
            let level = self.stack.last_mut()?;
            if !level.inner {
                if level.at >= level.cells {
                    let rest = self.leave(pages);
                    if rest.is_some() {
                        return rest.map(Err);
                    }
                    continue;
                }
                match level.next_cell(self.by_rowid, pages) {
                    Some(cell) => return Some(cell),
                    None => continue,
                }
            }
            if !level.descended {
                level.descended = true;
                let child = if level.at < level.cells { level.child() } else { level.rightmost() };
                let from = pages.offset(level.number, level.header);
                let Some(child) = child else {
                    return Some(Err(Problem::new(from, format!("page {} points outside of itself", level.number))));
                };
                if let Err(problem) = self.enter(child, from, pages) {
                    return Some(Err(problem));
                }
                continue;
            }
            if level.at >= level.cells {
                let rest = self.leave(pages);
                if rest.is_some() {
                    return rest.map(Err);
                }
                continue;
            }
            level.descended = false;
            if self.by_rowid {
                level.at += 1;
            } else if let Some(cell) = level.next_cell(false, pages) {
                return Some(cell);
            }
        }
    }

    /// Leaves a page, with what is left to say of it.
    fn leave(&mut self, pages: &Pages) -> Option<Problem> {
        let level = self.stack.pop()?;
        let more = level.damaged.checked_sub(MOST_TOLD).filter(|more| *more > 0)?;
        let offset = pages.offset(level.number, level.header);
        Some(Problem::new(offset, format!("{more} more rows of page {} do not fit onto the page", level.number)))
    }

    fn enter(&mut self, number: u32, from: u64, pages: &mut Pages) -> Result<(), Problem> {
        if self.stack.len() >= DEEPEST {
            return Err(Problem::new(from, format!("a tree of more than {DEEPEST} levels")));
        }
        if !self.seen.insert(number) {
            return Err(Problem::new(from, format!("page {number} is in the tree twice")));
        }
        let page = pages.page(number, from)?;
        let header = if number == 1 { FILE_HEADER } else { 0 };
        let sort = page.get(header).copied().unwrap_or(0);
        let inner = match (sort, self.by_rowid) {
            (13, true) | (10, false) => false,
            (5, true) | (2, false) => true,
            _ => {
                let offset = pages.offset(number, header);
                return Err(Problem::new(offset, format!("page {number} is no page of this table (sort {sort})")));
            }
        };
        // A cell is two bytes that say where it is, and two at least that it is.
        let fit = page.len().saturating_sub(header + 8) / 4;
        let cells = short(&page, header + 3).unwrap_or(0);
        if cells > fit {
            let offset = pages.offset(number, header + 3);
            return Err(Problem::new(
                offset,
                format!("page {number} says it has {cells} rows, for which it is too small"),
            ));
        }
        self.stack.push(Level { number, page, header, inner, cells, at: 0, descended: false, damaged: 0 });
        Ok(())
    }
}

impl Level {
    /// Where a cell begins.
    fn cell(&self, at: usize) -> Option<usize> {
        let pointers = self.header + if self.inner { 12 } else { 8 };
        short(&self.page, pointers + 2 * at).filter(|start| *start < self.page.len())
    }

    /// The next cell; `None` when it is one of many that are damaged.
    fn next_cell(&mut self, by_rowid: bool, pages: &Pages) -> Option<Result<Cell, Problem>> {
        self.at += 1;
        let cell = cell(self, self.number, self.at - 1, by_rowid, pages);
        self.damaged += usize::from(cell.is_err());
        if cell.is_err() && self.damaged > MOST_TOLD { None } else { Some(cell) }
    }

    fn child(&self) -> Option<u32> {
        long(&self.page, self.cell(self.at)?)
    }

    fn rightmost(&self) -> Option<u32> {
        long(&self.page, self.header + 8)
    }
}

fn cell(level: &Level, number: u32, at: usize, by_rowid: bool, pages: &Pages) -> Result<Cell, Problem> {
    let start = level.cell(at);
    let offset = pages.offset(number, start.unwrap_or(level.header));
    let read = || {
        let mut at = start? + if level.inner { 4 } else { 0 };
        let mut number = || {
            let (number, used) = varint(level.page.get(at..)?)?;
            at += used;
            Some(number)
        };
        let size = number()?;
        let rowid = if by_rowid { Some(number()?.cast_signed()) } else { None };
        let local = local(size, pages.usable, by_rowid)?;
        let bytes = level.page.get(at..at.checked_add(local)?).filter(|_| at + local <= pages.usable)?;
        let overflow = if (local as u64) < size { long(&level.page, at + local)? } else { 0 };
        Some(Cell { rowid, offset, size, local: bytes.to_vec(), overflow })
    };
    read().ok_or_else(|| Problem::new(offset, format!("row {} of page {number} does not fit onto the page", at + 1)))
}

/// How many bytes of a row stand on its page.
fn local(size: u64, usable: usize, by_rowid: bool) -> Option<usize> {
    let share = |part: usize| ((usable - 12) * part / 255).saturating_sub(23);
    let most = if by_rowid { usable - 35 } else { share(64) };
    if size <= most as u64 {
        return usize::try_from(size).ok();
    }
    let least = share(32);
    let rest = usize::try_from((size - least as u64) % (usable as u64 - 4)).ok()?;
    Some(if least + rest <= most { least + rest } else { least })
}

impl Cell {
    /// The whole row, with what stands on other pages; `seen` are those of the rows before.
    pub(super) fn payload(self, pages: &mut Pages, seen: &mut Pagemap) -> Result<Vec<u8>, Problem> {
        let Self { offset, size, mut local, mut overflow, .. } = self;
        let most = u64::from(pages.count).saturating_mul(pages.usable as u64);
        if size > most {
            return Err(Problem::new(offset, format!("a row of {size} bytes, which is more than the file has")));
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        while local.len() < size {
            if !seen.insert(overflow) {
                return Err(Problem::new(
                    offset,
                    format!("the rest of a row is on page {overflow}, which was read already"),
                ));
            }
            let page = pages.page(overflow, offset)?;
            let wanted = (size - local.len()).min(pages.usable - 4);
            local.extend_from_slice(page.get(4..4 + wanted).unwrap_or_default());
            overflow = long(&page, 0).unwrap_or(0);
        }
        Ok(local)
    }
}

fn short(page: &[u8], at: usize) -> Option<usize> {
    let bytes = page.get(at..at.checked_add(2)?)?;
    Some(usize::from(u16::from_be_bytes(bytes.try_into().ok()?)))
}

fn long(page: &[u8], at: usize) -> Option<u32> {
    let bytes = page.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

/// Which pages were visited, in a bit each.
#[derive(Debug, Default)]
pub(super) struct Pagemap(std::collections::HashMap<u32, u64>);

impl Pagemap {
    /// Notes a page; `false` when it was noted before.
    fn insert(&mut self, number: u32) -> bool {
        let bits = self.0.entry(number / 64).or_default();
        let bit = 1 << (number % 64);
        let new = *bits & bit == 0;
        *bits |= bit;
        new
    }
}
