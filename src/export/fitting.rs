//! Making the entries fit the device, or saying why they do not.

use std::num::NonZeroUsize;

use super::rules::{Block, Families};
use super::{ExportError, Limit, Overflow, RuleFormat};
use crate::fit::{self, Budget, Cover};
use crate::prefix::{Family, Prefix, special_purpose_space};
use crate::text::grouped;

/// What has to fit, and what may be done for it.
pub(super) struct Fitting {
    pub(super) format: RuleFormat,
    pub(super) limit: Option<Limit>,
    pub(super) overflow: Overflow,
}

/// What fits.
#[derive(Default)]
pub(super) struct Fitted {
    /// In order and disjoint.
    pub(super) blocks: Vec<Block>,
    /// How many go into one object, where one does not hold them all.
    pub(super) most_in_group: Option<NonZeroUsize>,
    /// What is opened beyond the list.
    pub(super) extra: Vec<Prefix>,
    /// What was done, in words.
    pub(super) notes: Vec<String>,
}

impl Fitting {
    /// Canonical prefixes, as the device takes them.
    pub(super) fn fit(&self, prefixes: Vec<Prefix>) -> Result<Fitted, ExportError> {
        let Some(limit) = self.limit else { return Ok(Fitted::of(prefixes)) };
        let (v4, v6) = prefixes.split_at(prefixes.partition_point(|prefix| prefix.family() == Family::V4));
        if self.format.capability().families == Families::Together {
            return self.fit_list(None, prefixes, limit);
        }
        let mut fitted = self.fit_list(Some(Family::V4), v4.to_vec(), limit)?;
        fitted.extend(self.fit_list(Some(Family::V6), v6.to_vec(), limit)?);
        Ok(fitted)
    }

    /// What opens nothing goes first: ranges in place of neighbouring prefixes.
    fn fit_list(&self, family: Option<Family>, list: Vec<Prefix>, limit: Limit) -> Result<Fitted, ExportError> {
        if list.len() <= limit.entries {
            return Ok(Fitted::of(list));
        }
        let capability = self.format.capability();
        let joined = if capability.ranges { fit::ranges(&list) } else { Vec::new() };
        if (1..=limit.entries).contains(&joined.len()) {
            let note = format!("{} prefixes are written as {} address ranges", list.len(), joined.len());
            return Ok(Fitted { blocks: blocks(&joined), notes: vec![note], ..Fitted::default() });
        }
        match self.overflow {
            Overflow::Fail => Err(ExportError::OverLimit { format: self.format, family, entries: list.len(), limit }),
            Overflow::Split if !capability.splits => Err(ExportError::NoSplit(self.format)),
            Overflow::Split => Ok(Fitted { most_in_group: NonZeroUsize::new(limit.entries), ..Fitted::of(list) }),
            Overflow::Cover { max_extra_percent } => self.cover(
                &list,
                &Budget {
                    entries: limit.entries,
                    extra_percent: max_extra_percent,
                    forbidden: &special_purpose_space(),
                },
            ),
        }
    }

    fn cover(&self, list: &[Prefix], budget: &Budget<'_>) -> Result<Fitted, ExportError> {
        let (blocks, extra) = if self.format.capability().ranges {
            let Cover { entries, extra } = fit::cover_ranges(list, budget)?;
            (blocks(&entries), extra)
        } else {
            let Cover { entries, extra } = fit::cover(list, budget)?;
            (entries.into_iter().map(Block::Prefix).collect(), extra)
        };
        let price = [Family::V4, Family::V6].map(|family| (family, extra.addresses(family)));
        let price = price
            .into_iter()
            .filter(|(_, addresses)| *addresses > 0)
            .map(|(family, addresses)| format!("{} IPv{} addresses", grouped(addresses), family.number()));
        let price: Vec<String> = price.collect();
        let note = format!(
            "{} prefixes were covered by {} entries, which allow {} beyond the list",
            list.len(),
            blocks.len(),
            price.join(" and ")
        );
        let notes = if price.is_empty() { Vec::new() } else { vec![note] };
        Ok(Fitted { blocks, extra: extra.prefixes(), notes, ..Fitted::default() })
    }
}

impl Fitted {
    fn of(prefixes: Vec<Prefix>) -> Self {
        Self { blocks: prefixes.into_iter().map(Block::Prefix).collect(), ..Self::default() }
    }

    fn extend(&mut self, other: Self) {
        self.blocks.extend(other.blocks);
        self.most_in_group = self.most_in_group.or(other.most_in_group);
        self.extra.extend(other.extra);
        self.notes.extend(other.notes);
    }
}

/// A range that is a prefix is written as one.
fn blocks(ranges: &[crate::prefix::AddressRange]) -> Vec<Block> {
    ranges
        .iter()
        .map(|range| match range.prefixes()[..] {
            [prefix] => Block::Prefix(prefix),
            _ => Block::Range(*range),
        })
        .collect()
}
