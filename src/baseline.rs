//! Baselines: addresses that answered, recorded from an open network or earlier from this one.
//!
//! One file, schema `egressd.baseline/1`: for each cell its prefix, the day and the median round trip in seconds, and the
//! addresses that answered as offsets from the first address of the cell.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::observe::{Answer, Observation, Operation, Purpose};
use crate::plan::ProbePlan;
use crate::prefix::{Prefix, PrefixSet};

/// Addresses kept for each cell: what a lone silent cell in an open /14 needs to be called blocked, and a third more for
/// those that are gone by then.
pub const PER_CELL: usize = 12;
/// Larger than any baseline.
pub const MOST_BYTES: usize = 8 << 20;
/// More cells than all ranges have at /24.
const MOST_CELLS: usize = 100_000;

/// Addresses that answered, by cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Baseline {
    cells: BTreeMap<Prefix, Cell>,
}

/// What answered in one cell.
#[derive(Clone, Debug, PartialEq)]
struct Cell {
    date: Date,
    rtt: f64,
    offsets: BTreeSet<u128>,
}

/// Why a file is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is not JSON of this schema.
    #[error("not a baseline: {0}")]
    Syntax(String),
    /// Its schema is another one.
    #[error("not a baseline: its schema is not egressd.baseline/1")]
    Schema,
    /// It is larger than any baseline.
    #[error("not a baseline: more than {MOST_BYTES} bytes or {MOST_CELLS} cells")]
    TooLarge,
    /// An address lies outside its cell.
    #[error("cell {cell} has no address at offset {offset}")]
    Outside {
        /// The cell.
        cell: Prefix,
        /// The offset.
        offset: u128,
    },
    /// A date is none.
    #[error("cell {0} has a date that is none")]
    Date(Prefix),
    /// A round trip is no time.
    #[error("cell {0} has a round trip that is no time")]
    RoundTrip(Prefix),
}

/// How two baselines differ where both know a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Churn {
    /// Addresses that only the older has.
    pub gone: usize,
    /// Addresses that both have.
    pub kept: usize,
    /// Addresses that only the newer has.
    pub new: usize,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    cells: Vec<CellRecord>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct CellRecord {
    cell: Prefix,
    date: String,
    rtt: f64,
    hosts: Vec<u128>,
}

impl Baseline {
    /// What answered in a run that asked the cells of `plan`, on a given day.
    #[must_use]
    pub fn of(plan: &ProbePlan, observations: &[Observation], date: Date) -> Self {
        let mut answers: BTreeMap<Prefix, Vec<(IpAddr, Duration)>> = BTreeMap::new();
        for observation in observations {
            if let (Purpose::Range(at), Ok(Answer::Connected), Operation::Connect) =
                (observation.purpose, &observation.outcome, observation.operation)
            {
                let address = observation.target.ip();
                let length = plan.ranges[at].cell_length;
                answers.entry(Prefix::containing(address, length)).or_default().push((address, observation.took));
            }
        }
        Self {
            cells: answers.into_iter().map(|(prefix, answers)| (prefix, Cell::of(prefix, &answers, date))).collect(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Says what is wrong, and in which cell.
    pub fn parse(bytes: &[u8]) -> Result<Self, BaselineError> {
        if bytes.len() > MOST_BYTES {
            return Err(BaselineError::TooLarge);
        }
        let file: File = serde_json::from_slice(bytes).map_err(|error| BaselineError::Syntax(error.to_string()))?;
        match () {
            () if file.schema != SCHEMA => Err(BaselineError::Schema),
            () if file.cells.len() > MOST_CELLS => Err(BaselineError::TooLarge),
            () => {
                let cells = file.cells.into_iter().map(CellRecord::read).collect::<Result<_, _>>()?;
                Ok(Self { cells })
            }
        }
    }

    /// The text of its file.
    #[must_use]
    pub fn write(&self) -> String {
        let mut text = format!("{{\"schema\":\"{SCHEMA}\",\"cells\":[");
        for (number, (prefix, cell)) in self.cells.iter().enumerate() {
            // A cell on a line: two baselines can be compared by eye.
            text.push_str(if number == 0 { "\n" } else { ",\n" });
            text.push_str(&serde_json::to_string(&cell.record(*prefix)).expect("plain values"));
        }
        text.push_str("\n]}\n");
        text
    }

    /// All addresses, in order.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.cells.iter().flat_map(|(prefix, cell)| cell.offsets.iter().map(|&offset| prefix.nth(offset)))
    }

    /// The cells that lie in a set of addresses.
    #[must_use]
    pub fn within(&self, addresses: &PrefixSet) -> Self {
        let inside = self.cells.iter().filter(|(cell, _)| addresses.covers(**cell));
        Self { cells: inside.map(|(cell, known)| (*cell, known.clone())).collect() }
    }

    /// How many cells it knows.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.cells.len()
    }

    /// The oldest and the newest day in it.
    #[must_use]
    pub fn dates(&self) -> Option<(Date, Date)> {
        let dates = || self.cells.values().map(|cell| cell.date);
        Some((dates().min()?, dates().max()?))
    }

    /// The day on which an address of the prefix last answered.
    #[must_use]
    pub fn last_answer(&self, prefix: Prefix) -> Option<Date> {
        let inside = |(cell, _): &(&Prefix, &Cell)| prefix.covers(**cell) || cell.covers(prefix);
        self.cells.iter().filter(inside).map(|(_, cell)| cell.date).max()
    }

    /// The median round trip of the answers in the prefix's cells.
    #[must_use]
    pub fn rtt(&self, prefix: Prefix) -> Option<Duration> {
        let mut times: Vec<f64> =
            self.cells.iter().filter(|(cell, _)| prefix.covers(**cell)).map(|(_, cell)| cell.rtt).collect();
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).map(|&seconds| Duration::from_secs_f64(seconds))
    }

    /// Takes in another baseline. Where both know a cell the newer one's addresses come first, and what only the older
    /// has fills up what room is left.
    pub fn merge(&mut self, other: Self) -> Churn {
        let mut churn = Churn::default();
        for (prefix, theirs) in other.cells {
            match self.cells.remove(&prefix) {
                None => _ = self.cells.insert(prefix, theirs),
                Some(ours) => {
                    let (older, newer) = if theirs.date >= ours.date { (ours, theirs) } else { (theirs, ours) };
                    churn.add(&older, &newer);
                    self.cells.insert(prefix, newer.over(&older));
                }
            }
        }
        churn
    }
}

const SCHEMA: &str = "egressd.baseline/1";

impl Cell {
    fn of(prefix: Prefix, answers: &[(IpAddr, Duration)], date: Date) -> Self {
        let mut times: Vec<Duration> = answers.iter().map(|(_, took)| *took).collect();
        times.sort_unstable();
        // A tenth of a millisecond is finer than any use that is made of it.
        let rtt = (times[times.len() / 2].as_secs_f64() * 1e4).round() / 1e4;
        let offsets = answers.iter().take(PER_CELL).map(|(address, _)| offset(prefix, *address)).collect();
        Self { date, rtt, offsets }
    }

    fn over(mut self, older: &Self) -> Self {
        let room = PER_CELL.saturating_sub(self.offsets.len());
        let more: Vec<u128> = older.offsets.difference(&self.offsets).copied().take(room).collect();
        self.offsets.extend(more);
        self
    }

    fn record(&self, cell: Prefix) -> CellRecord {
        let hosts = self.offsets.iter().copied().collect();
        CellRecord { cell, date: self.date.to_string(), rtt: self.rtt, hosts }
    }
}

impl CellRecord {
    fn read(self) -> Result<(Prefix, Cell), BaselineError> {
        let Self { cell, date, rtt, hosts } = self;
        if let Some(&offset) = hosts.iter().find(|&&offset| offset >= cell.addresses()) {
            return Err(BaselineError::Outside { cell, offset });
        }
        if !(0.0..=60.0).contains(&rtt) {
            return Err(BaselineError::RoundTrip(cell));
        }
        let date = date.parse().map_err(|_| BaselineError::Date(cell))?;
        let offsets = hosts.into_iter().take(PER_CELL).collect();
        Ok((cell, Cell { date, rtt, offsets }))
    }
}

impl Churn {
    fn add(&mut self, older: &Cell, newer: &Cell) {
        self.gone += older.offsets.difference(&newer.offsets).count();
        self.kept += older.offsets.intersection(&newer.offsets).count();
        self.new += newer.offsets.difference(&older.offsets).count();
    }
}

fn offset(prefix: Prefix, address: IpAddr) -> u128 {
    match (prefix.first(), address) {
        (IpAddr::V4(first), IpAddr::V4(address)) => u128::from(address.to_bits() - first.to_bits()),
        (IpAddr::V6(first), IpAddr::V6(address)) => address.to_bits() - first.to_bits(),
        _ => unreachable!("an address is of its cell's family"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(cells: &[&str]) -> String {
        format!("{{\"schema\":\"egressd.baseline/1\",\"cells\":[{}]}}", cells.join(","))
    }

    fn cell(date: &str, hosts: &str) -> String {
        format!("{{\"cell\":\"13.32.0.0/20\",\"date\":\"{date}\",\"rtt\":0.0123,\"hosts\":[{hosts}]}}")
    }

    #[test]
    fn what_is_written_reads_back_equal() {
        let baseline = Baseline::parse(file(&[&cell("2026-11-03", "0,17,4095")]).as_bytes()).unwrap();
        assert_eq!(Baseline::parse(baseline.write().as_bytes()).unwrap(), baseline);
        let addresses: Vec<String> = baseline.addresses().map(|address| address.to_string()).collect();
        assert_eq!(addresses, ["13.32.0.0", "13.32.0.17", "13.32.15.255"]);
        assert_eq!(baseline.last_answer("13.32.0.0/15".parse().unwrap()), Some("2026-11-03".parse().unwrap()));
    }

    #[test]
    fn the_newer_wins_and_the_churn_is_counted() {
        let read = |date, hosts| Baseline::parse(file(&[&cell(date, hosts)]).as_bytes()).unwrap();
        for (mut first, second) in [
            (read("2026-11-03", "1,2,3"), read("2026-11-07", "3,4")),
            (read("2026-11-07", "3,4"), read("2026-11-03", "1,2,3")),
        ] {
            assert_eq!(first.merge(second), Churn { gone: 2, kept: 1, new: 1 });
            assert_eq!(first.addresses().count(), 4);
            assert_eq!(first.dates().unwrap().1, "2026-11-07".parse().unwrap());
        }
    }

    #[test]
    fn what_is_no_baseline_is_refused_with_the_reason() {
        for (text, message) in [
            (String::new(), "EOF"),
            ("[]".to_owned(), "invalid length"),
            (file(&[]).replace("baseline/1", "baseline/2"), "schema"),
            (file(&[&cell("2026-11-03", "4096")]), "13.32.0.0/20 has no address at offset 4096"),
            (file(&[&cell("2026-13-03", "1")]), "date"),
            (file(&[&cell("2026-11-03", "1").replace("0.0123", "-1")]), "round trip"),
            (file(&[&cell("2026-11-03", "1").replace("/20", "/10")]), "host bits"),
        ] {
            let error = Baseline::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_mutated_file_is_refused_or_sound(at in 0_usize..120, byte: u8, cut in 0_usize..160) {
            let mut bytes = file(&[&cell("2026-11-03", "0,17,4095")]).into_bytes();
            let place = at % bytes.len();
            bytes[place] = byte;
            bytes.truncate(cut.max(1));
            if let Ok(baseline) = Baseline::parse(&bytes) {
                proptest::prop_assert_eq!(Baseline::parse(baseline.write().as_bytes()).unwrap(), baseline.clone());
                proptest::prop_assert!(baseline.addresses().count() <= PER_CELL * baseline.cells());
            }
        }
    }
}
