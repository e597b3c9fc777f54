//! One effect against one file: what is wrong, and what would be right.

mod conversation;
mod naming;
mod picture;

use super::repair::Repair;
use super::{Column, Destination, Effect, Kind, Rule, Rules, Sending, Severity, Stage};
use crate::media::inspect::Details;
use crate::media::rules::Size;
use crate::media::rules::effect::DisputedSize;
use crate::text::grouped;

/// What fired, before it is given the rule's name.
pub(super) struct Finding {
    pub(super) stage: Stage,
    pub(super) severity: Severity,
    pub(super) message: String,
    pub(super) limit: Option<String>,
    pub(super) actual: Option<String>,
    pub(super) fix: Option<String>,
}

/// A file, where it goes, and by which rules.
pub(super) struct Context<'a> {
    pub(super) sending: &'a Sending<'a>,
    pub(super) to: Destination<'a>,
    pub(super) rules: &'a Rules,
    pub(super) column: Column,
    /// As which kind the channel takes it.
    pub(super) kind: Kind,
    /// The type by the name where content and name agree, else by the content.
    type_name: String,
}

impl<'a> Context<'a> {
    pub(super) fn new(sending: &'a Sending<'a>, to: Destination<'a>, rules: &'a Rules, column: Column) -> Self {
        let kind = sending.inspection.kind;
        let mut context = Self { sending, to, rules, column, kind, type_name: String::new() };
        context.type_name = context.type_by_name_or_content();
        let only = rules.rules.iter().filter(|rule| context.holds(rule, kind)).find_map(|rule| match &rule.effect {
            Effect::OnlyAs(only) if only.types.contains(&context.type_name) => Some(only.kind),
            _ => None,
        });
        context.kind = only.unwrap_or(kind);
        context
    }

    /// Whether the channel would be sent a link in its place.
    fn is_linked(&self) -> bool {
        let takes_place =
            |effect: &Effect| matches!(effect, Effect::Types(_) | Effect::MaxSize(_) | Effect::DisputedSize(_));
        let public = |rule: &&Rule| self.column == Column::Observed || !rule.is_public_alone();
        let mut effects = self.rules().filter(public).map(|rule| rule.effect_in(self.column, self.kind).0);
        effects.any(|effect| {
            takes_place(effect) && self.finding(effect).is_some_and(|finding| finding.severity == Severity::Link)
        })
    }

    /// The rules that are about this.
    pub(super) fn rules(&self) -> impl Iterator<Item = &'a Rule> {
        self.rules.rules.iter().filter(|rule| self.holds(rule, self.kind))
    }

    fn holds(&self, rule: &Rule, kind: Kind) -> bool {
        rule.on.holds(&self.to.channel.name, self.to.provider, kind)
    }

    /// What is wrong by this effect.
    pub(super) fn finding(&self, effect: &Effect) -> Option<Finding> {
        match effect {
            Effect::UploadTypes(types) => self.upload_types(types),
            Effect::UploadSize(size) => self.size(*size, Stage::Upload),
            Effect::MaxSize(size) => self.size(*size, Stage::Channel),
            Effect::DisputedSize(disputed) => self.disputed_size(disputed),
            Effect::Types(types) => self.types(types),
            Effect::Convert(convert) => self.convert(convert),
            Effect::Codecs(codecs) => self.codecs(codecs),
            Effect::Megapixels(limit) => self.megapixels(limit),
            Effect::Resolution(limit) => self.resolution(*limit),
            Effect::Window(window) => self.window(window),
            Effect::FirstMessage(template) => self.first_message(*template),
            Effect::TemplateHeader(kinds) => self.template_header(kinds),
            Effect::Template(template) => self.template(*template),
            Effect::SeparateText(kinds) => self.separate_text(kinds),
            Effect::Agreement(severity) => self.agreement(*severity),
            Effect::Whole(severity) => self.whole(*severity),
            Effect::Protected(severity) => self.protected(*severity),
            Effect::Color(limit) => self.color(limit),
            Effect::Video(limit) => self.video(limit),
            Effect::AudioChannels(limit) => self.audio_channels(limit),
            Effect::Dimensions(limit) => self.dimensions(*limit),
            Effect::Photo(limit) => self.photo(*limit),
            Effect::OnlyAs(_) | Effect::Fallback(_) | Effect::NotChecked(_) | Effect::Info(_) => None,
        }
    }

    fn details(&self) -> &'a Details {
        &self.sending.inspection.details
    }

    fn repair(&self) -> Repair<'_> {
        Repair { sending: self.sending, fits: self.fits(self.kind) }
    }

    /// The most bytes that surely pass every limit on a kind.
    fn fits(&self, kind: Kind) -> u64 {
        let held = self.rules.rules.iter().filter(|rule| self.holds(rule, kind));
        let public = |rule: &&Rule| self.column == Column::Observed || !rule.is_public_alone();
        let limits = held.filter(public).filter_map(|rule| match rule.effect_in(self.column, kind).0 {
            Effect::UploadSize(size) | Effect::MaxSize(size) => Some(size.surely_fits()),
            Effect::DisputedSize(disputed) => Some(disputed.limit.surely_fits()),
            _ => None,
        });
        limits.min().unwrap_or(u64::MAX)
    }

    fn size(&self, size: Size, stage: Stage) -> Option<Finding> {
        let length = self.sending.inspection.bytes;
        let over = if stage == Stage::Upload { Severity::Fails } else { Severity::Link };
        let severity = match length {
            length if length <= size.surely_fits() => return None,
            length if length <= size.may_fit() => Severity::AtRisk,
            _ => over,
        };
        let who = if stage == Stage::Upload { "the platform" } else { &self.to.channel.title };
        let message = if severity == Severity::AtRisk {
            format!("it fits {who}'s limit only if MB is counted as 2^20 bytes, which no page says")
        } else {
            format!("it is larger than {who} takes")
        };
        let (limit, fix) = (Some(size.to_string()), self.repair().shrink());
        Some(Finding { stage, severity, message, limit, actual: Some(bytes(length)), fix })
    }

    fn disputed_size(&self, disputed: &DisputedSize) -> Option<Finding> {
        let mut finding = self.size(disputed.limit, Stage::Channel)?;
        let is_disputed =
            self.to.provider.is_some_and(|provider| disputed.providers.iter().any(|known| known == provider));
        if is_disputed
            && self.sending.inspection.bytes <= disputed.up_to.surely_fits()
            && finding.severity == Severity::Link
        {
            finding.severity = Severity::AtRisk;
            finding.message = format!("the user guide says {}, the provider's row {}", disputed.limit, disputed.up_to);
        }
        Some(finding)
    }
}

fn bytes(length: u64) -> String {
    format!("{} bytes", grouped(length.into()))
}
