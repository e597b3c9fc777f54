//! One list after the other: what changed from each to the next.

use super::{FeedDiff, FeedSnapshot, diff};

/// One state of a list.
#[derive(Clone, Debug)]
pub struct ListState<'a> {
    /// The list.
    pub list: &'a FeedSnapshot,
    /// What changed from the state before it; none for the first that is known of a publication.
    pub change: Option<FeedDiff>,
}

/// The states of each publication in order of their days. One that lists what the one before did is passed over.
#[must_use]
pub fn states<'a>(lists: impl IntoIterator<Item = &'a FeedSnapshot>) -> Vec<ListState<'a>> {
    let mut lists: Vec<&FeedSnapshot> = lists.into_iter().collect();
    lists.sort_by_key(|list| (list.source, list.date.is_none(), list.date));
    let mut states: Vec<ListState<'a>> = Vec::new();
    for list in lists {
        let before = states.last().filter(|state| state.list.source == list.source);
        let change = before.map(|state| diff(state.list, list));
        if !change.as_ref().is_some_and(FeedDiff::is_empty) {
            states.push(ListState { list, change });
        }
    }
    states.sort_by_key(|state| (state.list.date.is_none(), state.list.date, state.list.source));
    states
}

#[cfg(test)]
mod tests {
    use super::super::made::{list, newer_ip_ranges};
    use super::*;

    #[test]
    fn each_publication_is_held_against_itself() {
        let dated = |text: &str, date: &str| FeedSnapshot {
            date: Some(date.parse().unwrap()),
            ..FeedSnapshot::parse("made", text.as_bytes()).unwrap()
        };
        let (one, two) = (list(&["13.32.0.0/15"], &[]), list(&["13.32.0.0/15", "99.84.0.0/16"], &[]));
        let lists = [
            dated(&two, "2026-09-01"),
            dated(&one, "2026-06-01"),
            dated(&newer_ip_ranges(), "2026-08-22"),
            dated(&one, "2026-07-01"),
        ];
        let states = states(&lists);
        let told: Vec<_> = states
            .iter()
            .map(|state| (state.list.date.unwrap().to_string(), state.change.as_ref().map(|change| change.added.len())))
            .collect();
        let due = [("2026-06-01", None), ("2026-08-22", None), ("2026-09-01", Some(1))];
        assert_eq!(told, due.map(|(date, added)| (date.to_owned(), added)));
    }
}
