//! What becomes of a file on a channel: every rule in force, one after the other, and a verdict from what fired.

mod effects;
mod repair;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::inspect::Inspection;
use super::rules::{Channel, Column, Effect, Kind, Rule, Rules, Severity, Stage};
use effects::{Context, Finding};

/// A file on its way, and the state of the conversation.
#[derive(Clone, Copy, Debug)]
pub struct Sending<'a> {
    /// The name, as commands that repair it write it.
    pub file: &'a Path,
    /// What it is.
    pub inspection: &'a Inspection,
    /// The `Content-Type` that it is sent with, where one is known.
    pub declared_type: Option<&'a str>,
    /// When the customer last wrote.
    pub last_inbound: LastInbound,
    /// A text goes with it.
    pub with_text: bool,
    /// It goes as part of a template.
    pub template: bool,
}

/// When the customer last wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LastInbound {
    /// Nobody says.
    #[default]
    Unknown,
    /// Not once.
    Never,
    /// So long ago.
    Ago(Duration),
}

/// Where it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination<'a> {
    /// The channel.
    pub channel: &'a Channel,
    /// Who stands between, where the channel has providers.
    pub provider: Option<&'a str>,
}

/// What becomes of the file on one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// The channel.
    pub channel: String,
    /// Who stands between.
    pub provider: Option<String>,
    /// The worst of the reasons.
    pub verdict: Verdict,
    /// Everything that fired, the worst first.
    pub reasons: Vec<Reason>,
    /// What a file does not show, and how to find out.
    pub not_checked: Vec<NotChecked>,
}

/// What becomes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It arrives.
    WillSend,
    /// A link to it arrives.
    WillSendAsLink,
    /// It may fail.
    AtRisk,
    /// Only a template can be sent.
    NeedsTemplate,
    /// It does not arrive.
    WillFail,
}

/// A rule that fired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Where.
    pub stage: Stage,
    /// The rule's name.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What the rule allows.
    pub limit: Option<String>,
    /// What the file has.
    pub actual: Option<String>,
    /// Where the rule stands.
    pub source: String,
    /// What to do; a command where there is one.
    pub fix: Option<String>,
}

/// What a file does not show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotChecked {
    /// Where it would fail.
    pub stage: Stage,
    /// The rule's name.
    pub rule: String,
    /// What is not known.
    pub message: String,
    /// Where the rule stands.
    pub source: String,
    /// How to find out, or what to do.
    pub fix: String,
}

/// What becomes of a file on a channel, by the rules of a column.
#[must_use]
pub fn judge(sending: &Sending<'_>, to: Destination<'_>, rules: &Rules, column: Column) -> Judgement {
    let context = Context::new(sending, to, rules, column);
    let mut reasons: Vec<Reason> = Vec::new();
    let mut not_checked = Vec::new();
    for rule in context.rules() {
        reasons.extend(reason(&context, rule));
        not_checked.extend(unknown(&context, rule));
    }
    // The order of the rules, which is that of the pages, holds among equals.
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.severity));
    Judgement {
        channel: to.channel.name.clone(),
        provider: to.provider.map(str::to_owned),
        verdict: verdict(&reasons),
        reasons,
        not_checked,
    }
}

/// A rule of the pages by its effect in force; what public documents say otherwise as a warning.
fn reason(context: &Context<'_>, rule: &Rule) -> Option<Reason> {
    let (effect, says) = rule.effect_in(context.column, context.kind);
    let in_force = context.column == Column::Observed || !rule.is_public_alone();
    if let Some(finding) = context.finding(effect) {
        let taken = if in_force { finding.severity } else { Severity::Warning };
        let source = match rule.alternative(context.kind).filter(|_| context.column == Column::Observed) {
            Some((_, observed)) => format!("{}: {says}", observed.source),
            None => context.rules.source(&rule.source),
        };
        return Some(written(rule, finding, taken, source));
    }
    let (otherwise, observed) = rule.alternative(context.kind).filter(|_| context.column == Column::Seed)?;
    let finding = context.finding(otherwise)?;
    let source = format!("{}: {}", observed.source, observed.says);
    Some(written(rule, finding, Severity::Warning, source))
}

fn written(rule: &Rule, finding: Finding, severity: Severity, source: String) -> Reason {
    let Finding { stage, message, limit, actual, fix, .. } = finding;
    Reason { stage, rule: rule.id.clone(), severity, message, limit, actual, source, fix }
}

fn unknown(context: &Context<'_>, rule: &Rule) -> Option<NotChecked> {
    let (stage, message, fix) = match &rule.effect {
        Effect::NotChecked(unknown) => (unknown.stage, unknown.message.clone(), unknown.fix.clone()),
        Effect::Window(_) if context.sending.last_inbound == LastInbound::Unknown => (
            Stage::Window,
            "when the customer last wrote".to_owned(),
            "say it with --last-inbound, for example --last-inbound 26h".to_owned(),
        ),
        _ => return None,
    };
    Some(NotChecked { stage, rule: rule.id.clone(), message, source: context.rules.source(&rule.source), fix })
}

/// Upload and window come before everything: what does not pass them is not replaced by a link either. A link makes what
/// the channel would have done with the file irrelevant.
fn verdict(reasons: &[Reason]) -> Verdict {
    let has = |severity, early: Option<bool>| {
        let stage = |reason: &Reason| matches!(reason.stage, Stage::Upload | Stage::Window);
        reasons.iter().any(|reason| reason.severity == severity && early.is_none_or(|early| early == stage(reason)))
    };
    let link = has(Severity::Link, None);
    match () {
        () if has(Severity::Fails, Some(true)) => Verdict::WillFail,
        () if has(Severity::NeedsTemplate, None) => Verdict::NeedsTemplate,
        () if link && has(Severity::AtRisk, Some(true)) => Verdict::AtRisk,
        () if link => Verdict::WillSendAsLink,
        () if has(Severity::Fails, None) => Verdict::WillFail,
        () if has(Severity::AtRisk, None) => Verdict::AtRisk,
        () => Verdict::WillSend,
    }
}

impl Verdict {
    /// The name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::WillSend => "will_send",
            Self::WillSendAsLink => "will_send_as_link",
            Self::AtRisk => "at_risk",
            Self::NeedsTemplate => "needs_template",
            Self::WillFail => "will_fail",
        }
    }

    /// For people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::WillSend => "will send",
            Self::WillSendAsLink => "as a link",
            Self::AtRisk => "at risk",
            Self::NeedsTemplate => "needs template",
            Self::WillFail => "will fail",
        }
    }
}

/// Every channel with each of its providers, in the order of the rules.
#[must_use]
pub fn destinations(rules: &Rules) -> Vec<Destination<'_>> {
    rules.channels.iter().flat_map(of_channel).collect()
}

/// A channel with each of its providers.
#[must_use]
pub fn of_channel(channel: &Channel) -> Vec<Destination<'_>> {
    if channel.providers.is_empty() {
        return vec![Destination { channel, provider: None }];
    }
    channel.providers.iter().map(|provider| Destination { channel, provider: Some(provider) }).collect()
}
