//! How the daemon works, and when changes are not announced.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{ConfigError, Profile, bound};
use crate::audit::{Assumed, Format, Question};
use crate::text::printable;

/// How the daemon works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct DaemonConfig {
    /// Longest time between two scans of all ranges.
    pub ranges_seconds: u64,
    /// Longest time between two checks of the endpoints, and between two pulses.
    pub endpoints_seconds: u64,
    /// Longest time between two live sends of media.
    pub media_seconds: u64,
    /// How fast all ranges are scanned on schedule.
    pub profile: Profile,
    /// More changes than this within the window are too many.
    pub flap_changes: usize,
    /// The window.
    pub flap_seconds: u64,
}

/// A rule set that the daemon holds against the list in force.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AuditConfig {
    /// Its name in metrics.
    pub name: String,
    /// Its files, read again with each scan of the ranges.
    pub files: Vec<PathBuf>,
    /// Its format, as `egressd audit --from` has it; absent: by its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What becomes of what it does not mention, where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<AuditDefault>,
}

/// What becomes of what a rule set does not mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditDefault {
    /// It passes.
    Allow,
    /// It does not.
    Deny,
}

/// A time in which changes are judged and not announced.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "WindowRecord", into = "WindowRecord")]
pub struct Window {
    record: WindowRecord,
    when: When,
}

/// As it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct WindowRecord {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    days: Vec<Day>,
    from: String,
    until: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Once(Timestamp, Timestamp),
    Weekly(Time, Time),
}

/// Why a window is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// Neither a time of day nor a moment.
    #[error("{0:?} is neither a time of day in UTC such as \"22:00\" nor a moment such as \"2026-11-22T22:00:00Z\"")]
    Time(String),
    /// One is a time of day and the other a moment, or there are days beside moments.
    #[error("a window is either days with times of day, or two moments without days")]
    Mixed,
    /// It ends before it begins.
    #[error("the window ends before it begins")]
    Reversed,
}

impl Default for DaemonConfig {
    fn default() -> Self {
        Self {
            ranges_seconds: 1800,
            endpoints_seconds: 60,
            media_seconds: 86_400,
            profile: Profile::Quiet,
            flap_changes: 4,
            flap_seconds: 3600,
        }
    }
}

impl DaemonConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        const WEEK: u64 = 7 * 86_400;
        let Self { ranges_seconds, endpoints_seconds, media_seconds, flap_changes, flap_seconds, .. } = *self;
        let within = |seconds, least| (least..=WEEK).contains(&seconds);
        bound("daemon.ranges_seconds", ranges_seconds, "from 60 to 604800", within(ranges_seconds, 60))?;
        bound("daemon.endpoints_seconds", endpoints_seconds, "from 10 to 604800", within(endpoints_seconds, 10))?;
        bound("daemon.media_seconds", media_seconds, "from 600 to 604800", within(media_seconds, 600))?;
        bound("daemon.flap_changes", flap_changes, "from 1 to 100", (1..=100).contains(&flap_changes))?;
        bound("daemon.flap_seconds", flap_seconds, "from 60 to 604800", within(flap_seconds, 60))
    }
}

impl AuditConfig {
    /// What is asked of it.
    #[must_use]
    pub fn question(&self) -> Question {
        let assumed = |default| match default {
            AuditDefault::Allow => Assumed::Allow,
            AuditDefault::Deny => Assumed::Deny,
        };
        Question { default: self.default.map(assumed), ..Question::default() }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let sound = |name: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            (1..=64).contains(&name.len()) && name.chars().all(plain)
        };
        let wrong = |key, value: &str, bounds| ConfigError::Bounds { key, value: printable(value, 80), bounds };
        if !sound(&self.name) {
            return Err(wrong("audit.name", &self.name, "1 to 64 letters, digits, `-`, `_` and `.`"));
        }
        bound("audit.files", self.files.len(), "from 1 to 16 files", (1..=16).contains(&self.files.len()))?;
        match self.from.as_deref() {
            Some(from) if Format::named(from).is_none() => {
                Err(wrong("audit.from", from, "a format of `egressd audit --from`"))
            }
            _ => Ok(()),
        }
    }
}

impl Window {
    /// Whether it is open.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        let (from, until) = match self.when {
            When::Once(from, until) => return from <= now && now < until,
            When::Weekly(from, until) => (from, until),
        };
        let today = now.to_zoned(TimeZone::UTC);
        let (time, day) = (today.time(), today.weekday());
        if from < until {
            return self.is_on(day) && from <= time && time < until;
        }
        // Past midnight it belongs to the day before.
        (self.is_on(day) && from <= time) || (self.is_on(day.previous()) && time < until)
    }

    fn is_on(&self, day: Weekday) -> bool {
        self.record.days.is_empty() || self.record.days.iter().any(|on| on.weekday() == day)
    }
}

impl Day {
    fn weekday(self) -> Weekday {
        match self {
            Self::Mon => Weekday::Monday,
            Self::Tue => Weekday::Tuesday,
            Self::Wed => Weekday::Wednesday,
            Self::Thu => Weekday::Thursday,
            Self::Fri => Weekday::Friday,
            Self::Sat => Weekday::Saturday,
            Self::Sun => Weekday::Sunday,
        }
    }
}

impl TryFrom<WindowRecord> for Window {
    type Error = WindowError;

    fn try_from(record: WindowRecord) -> Result<Self, WindowError> {
        let when = match (moment(&record.from), moment(&record.until)) {
            (Some(from), Some(until)) if record.days.is_empty() && from < until => When::Once(from, until),
            (Some(_), Some(_)) if record.days.is_empty() => return Err(WindowError::Reversed),
            (None, None) => When::Weekly(time(&record.from)?, time(&record.until)?),
            _ => return Err(WindowError::Mixed),
        };
        Ok(Self { record, when })
    }
}

impl From<Window> for WindowRecord {
    fn from(window: Window) -> Self {
        window.record
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

fn time(text: &str) -> Result<Time, WindowError> {
    let wrong = || WindowError::Time(text.to_owned());
    let plain = text.len() == 5 && text.as_bytes()[2] == b':';
    text.parse().ok().filter(|_| plain).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn windows(text: &str) -> Result<Config, String> {
        Config::parse(&format!("[[maintenance]]\n{text}")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_window_is_open_when_it_says_so() {
        let nightly = "days = [\"sat\"]\nfrom = \"22:00\"\nuntil = \"02:30\"";
        let once = "from = \"2026-11-22T22:00:00Z\"\nuntil = \"2026-11-23T01:00:00+01:00\"";
        for (window, now, open) in [
            (nightly, "2026-11-21T22:00:00Z", true),
            (nightly, "2026-11-22T02:29:59Z", true),
            (nightly, "2026-11-22T02:30:00Z", false),
            (nightly, "2026-11-22T22:30:00Z", false),
            (nightly, "2026-11-21T01:00:00Z", false),
            ("from = \"09:00\"\nuntil = \"10:00\"", "2026-11-18T09:30:00Z", true),
            ("from = \"09:00\"\nuntil = \"10:00\"", "2026-11-18T10:00:00Z", false),
            (once, "2026-11-22T23:00:00Z", true),
            (once, "2026-11-23T00:00:00Z", false),
        ] {
            let config = windows(window).unwrap();
            assert_eq!(config.maintenance[0].holds(now.parse().unwrap()), open, "{window} {now}");
        }
    }

    #[test]
    fn a_window_that_is_none_is_refused() {
        for (window, message) in [
            ("from = \"22\"\nuntil = \"23:00\"", "neither a time of day"),
            ("from = \"25:00\"\nuntil = \"23:00\"", "neither a time of day"),
            ("from = \"22:00\"\nuntil = \"2026-11-22T22:00:00Z\"", "either days with times"),
            ("from = \"2026-11-22T22:00:00Z\"\nuntil = \"2026-11-22T22:00:00Z\"", "ends before it begins"),
            ("days = [\"someday\"]\nfrom = \"22:00\"\nuntil = \"23:00\"", "unknown variant"),
        ] {
            let error = windows(window).unwrap_err();
            assert!(error.contains(message), "{window}: {error}");
        }
    }

    #[test]
    fn a_window_is_written_as_it_was_read() {
        let config = windows("days = [\"mon\"]\nfrom = \"22:00\"\nuntil = \"23:00\"").unwrap();
        assert_eq!(Config::parse(&toml::to_string(&config).unwrap()).unwrap(), config);
    }
}
