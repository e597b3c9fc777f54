//! Lines for the journal: without time and colour there, bounded in number everywhere.

use std::fmt;
use std::io::{self, IsTerminal};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Lines within a window; a daemon that is well says a few in an hour.
const MOST: u32 = 100;
const WINDOW: Duration = Duration::from_mins(1);

/// From here on lines go to standard error: for systemd's journal with their priority, for people with a level.
pub(super) fn begin() {
    let journal = std::env::var_os("JOURNAL_STREAM").is_some() && !io::stderr().is_terminal();
    let lines = Lines { journal, bound: Mutex::new(Bound { since: Instant::now(), said: 0, kept_back: 0 }) };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::INFO)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .event_format(lines);
    // It fails only where another was set before, as in a test: then that one has the lines.
    let _ = subscriber.try_init_quietly();
}

/// Sets a subscriber without a panic or a message.
trait TryInitQuietly {
    fn try_init_quietly(self) -> bool;
}

impl<S: tracing_subscriber::util::SubscriberInitExt> TryInitQuietly for S {
    fn try_init_quietly(self) -> bool {
        self.try_init().is_ok()
    }
}

struct Lines {
    journal: bool,
    bound: Mutex<Bound>,
}

/// How much was said of late.
struct Bound {
    since: Instant,
    said: u32,
    kept_back: u32,
}

impl Bound {
    /// Whether a line may be said now, and how many were kept back before it.
    fn admit(&mut self, now: Instant) -> Option<u32> {
        if now.saturating_duration_since(self.since) >= WINDOW {
            (self.since, self.said) = (now, 0);
        }
        if self.said >= MOST {
            self.kept_back += 1;
            return None;
        }
        self.said += 1;
        Some(std::mem::take(&mut self.kept_back))
    }
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let admitted = self.bound.lock().ok().and_then(|mut bound| bound.admit(Instant::now()));
        let Some(kept_back) = admitted else { return Ok(()) };
        let level = *event.metadata().level();
        if kept_back > 0 {
            self.begin_line(&mut line, Level::WARN)?;
            writeln!(line, "{kept_back} lines were kept back")?;
        }
        self.begin_line(&mut line, level)?;
        context.field_format().format_fields(line.by_ref(), event)?;
        writeln!(line)
    }
}

impl Lines {
    fn begin_line(&self, line: &mut Writer<'_>, level: Level) -> fmt::Result {
        if !self.journal {
            return write!(line, "{level:>5} ");
        }
        // sd-daemon(3): the priority of a line stands before it.
        let priority = match level {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            _ => 7,
        };
        write!(line, "<{priority}>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_is_kept_back_and_counted() {
        let now = Instant::now();
        let mut bound = Bound { since: now, said: 0, kept_back: 0 };
        assert_eq!((0..1000).filter_map(|_| bound.admit(now)).count(), MOST as usize);
        assert_eq!(bound.admit(now + WINDOW), Some(900));
        assert_eq!(bound.admit(now + WINDOW), Some(0));
    }
}
