//! The rules that are missing, in the syntax of the device that has to allow them.

use super::super::CliError;
use super::super::state::tell;
use super::{AuditArgs, RuleSetArgs};
use crate::audit::{Coverage, Required};
use crate::export::{Intent, Overflow, Request, RuleFormat, Selection};

impl AuditArgs {
    /// The rules; none where nothing is missing.
    pub(super) fn fix(
        &self,
        format: RuleFormat,
        required: &Required<'_>,
        coverage: &Coverage,
    ) -> Result<Option<String>, CliError> {
        if !coverage.unknown.is_empty() {
            tell("a part cannot be judged, and no rule is written for it: see the audit without --fix");
        }
        if coverage.missing.is_empty() {
            tell("nothing is missing, and nothing was written");
            return Ok(None);
        }
        let intent = match (self.rollback, format.capability().change) {
            (true, _) => Intent::Remove,
            (false, true) => Intent::Add,
            (false, false) => Intent::Replace,
        };
        // What is missing must not take the place of what is there.
        let name = if intent == Intent::Replace { format!("{}-missing", self.name) } else { self.name.clone() };
        let date = required.feed.date.map_or_else(|| "undated".to_owned(), |date| date.to_string());
        let rules = Request {
            format,
            name: &name,
            source: &format!("{} {date}", required.feed.source),
            origin: &format!("sha256:{} {}", required.feed.sha256, required.feed.name),
            selected: &self.rules.selection().of(required.feed).within(&coverage.missing.prefixes()),
            intent,
            ports: &[self.rules.port],
            hosts: &[],
            max_entries: None,
            overflow: Overflow::Fail,
        }
        .rules()?;
        rules.notes().iter().for_each(|note| tell(note));
        let mut text = String::new();
        format.write(&rules, &mut text).expect("a String takes everything");
        Ok(Some(text))
    }
}

impl RuleSetArgs {
    pub(super) fn selection(&self) -> Selection {
        Selection {
            list: self.list.only(),
            family: self.family.only(),
            roles: self.roles.iter().map(|role| role.role()).collect(),
            addresses: Vec::new(),
        }
    }
}
