//! The screen without a terminal: draws all that it would draw while something is read, and says how long each picture
//! took. For benchmarks.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::app::App;
use super::canvas::Canvas;
use super::keys::Key;
use super::{Event, NEWS, Opening, TICK, load, view};
use crate::engine::query::Filter;

/// How it went.
#[derive(Clone, Debug, Default)]
pub struct Rehearsal {
    /// Until the first picture that shows any of the actions.
    pub first_rows: Duration,
    /// Taking in news and drawing, for every picture.
    pub frames: Vec<Duration>,
    /// Until everything was read.
    pub all: Duration,
    pub actions: usize,
}

/// Reads everything while somebody walks down the list.
///
/// # Errors
/// When no thread can be started.
pub fn rehearse(opening: Opening, size: (u16, u16)) -> io::Result<Rehearsal> {
    let opening = Arc::new(opening);
    let started = Instant::now();
    let (news, events) = channel();
    let _load = load::start(&opening, Filter::all(), 0, &news)?;
    let mut app = App::new(opening, size);
    let mut before: Option<Canvas> = None;
    let mut rehearsal = Rehearsal::default();
    while app.is_reading() {
        let first = events.recv_timeout(TICK).ok();
        let frame = Instant::now();
        let mut next = first;
        while let Some(event) = next {
            match event {
                Event::Rows(number, rows) => app.rows(number, rows),
                Event::Picture(number, picture) => app.picture(number, *picture),
                _ => {}
            }
            next = if frame.elapsed() < NEWS { events.try_recv().ok() } else { None };
        }
        app.press(&Key::Char('j'));
        let canvas = view::draw(&app);
        let mut commands = String::new();
        canvas.paint(before.as_ref(), &mut commands);
        before = Some(canvas);
        rehearsal.frames.push(frame.elapsed());
        if rehearsal.first_rows.is_zero() && app.store.len() > 0 && !app.picture.rules.is_empty() {
            rehearsal.first_rows = started.elapsed();
        }
    }
    rehearsal.all = started.elapsed();
    rehearsal.actions = app.store.len();
    Ok(rehearsal)
}
