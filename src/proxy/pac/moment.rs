//! The functions on time: week days, dates and hours, in the host's own zone or in GMT.
//!
//! A range whose end comes before its beginning goes over the end of the week, the year or the day, as it does in Firefox.

use jiff::civil::DateTime;

/// The time of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// In the host's time zone.
    pub local: DateTime,
    /// In GMT.
    pub gmt: DateTime,
}

/// An argument of a function on time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A day, a year, an hour, a minute or a second.
    Number(i64),
    /// The name of a week day or a month, or `GMT`.
    Name(String),
}

/// As JavaScript counts them.
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// Whether today is the week day, or one of those from the first to the second.
///
/// `weekdayRange("FRI", "MON")` goes over the end of the week. What the specification does not have is false.
#[must_use]
pub fn weekday_range(moment: Moment, arguments: &[Argument]) -> bool {
    let (now, arguments) = moment.seen_by(arguments);
    let today = i64::from(now.date().weekday().to_sunday_zero_offset());
    let days: Option<Vec<i64>> = arguments.iter().map(|argument| argument.position_in(&WEEKDAYS)).collect();
    match days.as_deref() {
        Some(&[day]) => day == today,
        Some(&[from, to]) => within(&from, &today, &to),
        _ => false,
    }
}

/// Whether today is a day, a month or a year, or lies between two of the same kind.
#[must_use]
pub fn date_range(moment: Moment, arguments: &[Argument]) -> bool {
    let (now, arguments) = moment.seen_by(arguments);
    let (day, month, year) = (i64::from(now.day()), i64::from(now.month()) - 1, i64::from(now.year()));
    let parts: Option<Vec<DatePart>> = arguments.iter().map(Argument::date_part).collect();
    let Some(parts) = parts else { return false };
    match *parts.as_slice() {
        [DatePart::Day(wanted)] => wanted == day,
        [DatePart::Month(wanted)] => wanted == month,
        [DatePart::Year(wanted)] => wanted == year,
        [DatePart::Day(from), DatePart::Day(to)] => within(&from, &day, &to),
        [DatePart::Month(from), DatePart::Month(to)] => within(&from, &month, &to),
        [DatePart::Year(from), DatePart::Year(to)] => (from..=to).contains(&year),
        [DatePart::Day(d1), DatePart::Month(m1), DatePart::Day(d2), DatePart::Month(m2)] => {
            within(&(m1, d1), &(month, day), &(m2, d2))
        }
        [DatePart::Month(m1), DatePart::Year(y1), DatePart::Month(m2), DatePart::Year(y2)] => {
            ((y1, m1)..=(y2, m2)).contains(&(year, month))
        }
        [
            DatePart::Day(d1),
            DatePart::Month(m1),
            DatePart::Year(y1),
            DatePart::Day(d2),
            DatePart::Month(m2),
            DatePart::Year(y2),
        ] => ((y1, m1, d1)..=(y2, m2, d2)).contains(&(year, month, day)),
        _ => false,
    }
}

/// Whether it is the hour, or between two times of the day; both ends count, and a range may go over midnight.
#[must_use]
pub fn time_range(moment: Moment, arguments: &[Argument]) -> bool {
    let (now, arguments) = moment.seen_by(arguments);
    let hour = i64::from(now.hour());
    let second = hour * 3600 + i64::from(now.minute()) * 60 + i64::from(now.second());
    let numbers: Option<Vec<i64>> = arguments.iter().map(Argument::number).collect();
    match numbers.as_deref() {
        Some(&[wanted]) => wanted == hour,
        Some(&[from, to]) => within(&from, &hour, &to),
        // A minute lasts until its last second.
        Some(&[h1, m1, h2, m2]) => within(&(h1 * 3600 + m1 * 60), &second, &(h2 * 3600 + m2 * 60 + 59)),
        Some(&[h1, m1, s1, h2, m2, s2]) => within(&(h1 * 3600 + m1 * 60 + s1), &second, &(h2 * 3600 + m2 * 60 + s2)),
        _ => false,
    }
}

/// From the first to the last; where the last comes before the first, over the end of the circle.
fn within<T: Ord>(from: &T, now: &T, to: &T) -> bool {
    if from <= to { from <= now && now <= to } else { from <= now || now <= to }
}

/// What an argument of `dateRange` stands for.
#[derive(Clone, Copy)]
enum DatePart {
    Day(i64),
    /// From 0.
    Month(i64),
    Year(i64),
}

impl Moment {
    /// The time that is meant, and the arguments without `GMT` at their end.
    fn seen_by<'a>(&self, arguments: &'a [Argument]) -> (DateTime, &'a [Argument]) {
        match arguments {
            [rest @ .., Argument::Name(name)] if name.eq_ignore_ascii_case("GMT") => (self.gmt, rest),
            all => (self.local, all),
        }
    }
}

impl Argument {
    /// A number of the clock or the calendar; larger ones mean nothing.
    fn number(&self) -> Option<i64> {
        match self {
            &Self::Number(number) if (0..10_000).contains(&number) => Some(number),
            _ => None,
        }
    }

    fn position_in(&self, names: &[&str]) -> Option<i64> {
        let Self::Name(name) = self else { return None };
        let position = names.iter().position(|known| known.eq_ignore_ascii_case(name))?;
        i64::try_from(position).ok()
    }

    /// Numbers up to 31 are days; years have four digits.
    fn date_part(&self) -> Option<DatePart> {
        match self.number() {
            Some(day @ 1..=31) => Some(DatePart::Day(day)),
            Some(year @ 1000..) => Some(DatePart::Year(year)),
            Some(_) => None,
            None => self.position_in(&MONTHS).map(DatePart::Month),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// Saturday the 21st of November 2026, 23:30:15 here and 04:30:15 on the day after in GMT.
    fn moment() -> Moment {
        Moment { local: date(2026, 11, 21).at(23, 30, 15, 0), gmt: date(2026, 11, 22).at(4, 30, 15, 0) }
    }

    /// `MON 3 GMT`.
    fn arguments(text: &str) -> Vec<Argument> {
        let one = |word: &str| word.parse().map_or_else(|_| Argument::Name(word.to_owned()), Argument::Number);
        text.split_whitespace().map(one).collect()
    }

    fn holds(function: fn(Moment, &[Argument]) -> bool, cases: &[(&str, bool)]) {
        for (text, due) in cases {
            assert_eq!(function(moment(), &arguments(text)), *due, "{text}");
        }
    }

    #[test]
    fn week_days_go_round() {
        holds(
            weekday_range,
            &[
                ("SAT", true),
                ("sat", true),
                ("SUN", false),
                ("SUN GMT", true),
                ("MON FRI", false),
                ("FRI MON", true),
                ("SUN SAT", true),
                ("SAT SAT", true),
                ("MON FRI GMT", false),
                ("", false),
                ("GMT", false),
                ("6", false),
                ("SAT SUN MON", false),
            ],
        );
    }

    #[test]
    fn dates_are_of_one_kind_or_of_all() {
        holds(
            date_range,
            &[
                ("21", true),
                ("22", false),
                ("22 GMT", true),
                ("NOV", true),
                ("2026", true),
                ("2025", false),
                ("1 15", false),
                ("15 31", true),
                ("25 5", false),
                ("20 5", true),
                ("OCT DEC", true),
                ("NOV FEB", true),
                ("DEC FEB", false),
                ("2020 2026", true),
                ("2027 2020", false),
                ("1 JUN 21 NOV", true),
                ("22 NOV 1 JUN", false),
                ("22 NOV 1 JUN GMT", true),
                ("JUN 2026 NOV 2026", true),
                ("DEC 2026 JAN 2027", false),
                ("1 JAN 2026 21 NOV 2026", true),
                ("22 NOV 2026 31 DEC 2026", false),
                ("32", false),
                ("0", false),
                ("1 NOV", false),
                ("1 NOV 2026", false),
                ("", false),
            ],
        );
    }

    #[test]
    fn times_include_both_ends_and_pass_midnight() {
        holds(
            time_range,
            &[
                ("23", true),
                ("22", false),
                ("4 GMT", true),
                ("9 17", false),
                ("22 23", true),
                ("22 6", true),
                ("23 30 23 30", true),
                ("23 31 23 40", false),
                ("23 0 23 29", false),
                ("23 30 15 23 30 15", true),
                ("23 30 16 23 59 59", false),
                ("22 0 0 6 0 0", true),
                ("0 0 0 5 0 0 GMT", true),
                ("NOON", false),
                ("", false),
                ("1 2 3", false),
                ("9223372036854775807 0 0 0", false),
            ],
        );
    }
}
