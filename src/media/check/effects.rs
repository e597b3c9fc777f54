//! One effect against one file: what is wrong, and what would be right.

use std::time::Duration;

use super::repair::Repair;
use super::{Column, Destination, Effect, Kind, LastInbound, Rule, Rules, Sending, Severity, Stage};
use crate::media::inspect::{Details, Fault};
use crate::media::rules::effect::{
    AudioChannels, Codecs, ColorLimit, Convert, Dimensions, DisputedSize, Megapixels, Photo, Resolution, Template,
    VideoLimit, Window,
};
use crate::media::rules::{FileType, Size};
use crate::text::{grouped, printable};

/// An upload of 20 MB at 300 kbit/s takes nine minutes: a window that closes within ten may close before it is done.
const WINDOW_MARGIN: Duration = Duration::from_mins(10);

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

    // --- name and type

    fn extension(&self) -> Option<String> {
        self.sending.file.extension().map(|extension| extension.to_string_lossy().to_lowercase())
    }

    fn named_type(&self) -> Option<&'a FileType> {
        self.rules.file_type(&self.extension()?)
    }

    fn type_by_name_or_content(&self) -> String {
        let named = self.named_type().filter(|named| self.agrees(named));
        named.map_or_else(|| self.sending.inspection.media_type.extension.clone(), |named| named.extension.clone())
    }

    /// Whether the content is of the type that the name says.
    fn agrees(&self, named: &FileType) -> bool {
        let content = &self.sending.inspection.media_type;
        let text = matches!(content.name.as_str(), "text/plain" | "text/csv" | "text/html" | "application/xml");
        match named.extension.as_str() {
            // Any text may call itself that.
            "txt" | "log" | "csv" => text,
            // Behind a password all three look the same.
            "docx" | "xlsx" | "pptx" if content.name == "application/encrypted" => true,
            _ => same_type(named, &content.name),
        }
    }

    /// Whether platform and channel take files of this extension.
    fn takes(&self, extension: &str) -> bool {
        self.rules().all(|rule| match rule.effect_in(self.column, self.kind).0 {
            Effect::UploadTypes(types) => types.iter().any(|known| known == extension),
            Effect::Types(types) if self.column == Column::Observed || !rule.is_public_alone() => {
                types.iter().any(|known| known == extension)
            }
            _ => true,
        })
    }

    fn upload_types(&self, types: &[String]) -> Option<Finding> {
        let extension = self.extension();
        if extension.as_ref().is_some_and(|extension| types.contains(extension)) {
            return None;
        }
        let named = extension.map_or("no extension".to_owned(), |extension| format!(".{}", printable(&extension, 20)));
        let content = self.sending.inspection.media_type.extension.as_str();
        let fix = if self.takes(content) { self.repair().rename(content) } else { self.repair().convert() };
        Some(Finding {
            stage: Stage::Upload,
            severity: Severity::Fails,
            message: "the platform does not take files of this name".to_owned(),
            limit: Some(types.join(", ")),
            actual: Some(named),
            fix,
        })
    }

    fn types(&self, types: &[String]) -> Option<Finding> {
        if types.contains(&self.type_name) || self.is_unreadable() {
            return None;
        }
        Some(Finding {
            stage: Stage::Channel,
            severity: Severity::Link,
            message: format!("{} does not take this type of {}", self.to.channel.title, self.kind.name()),
            limit: Some(types.join(", ")),
            actual: Some(self.sending.inspection.media_type.name.clone()),
            fix: self.repair().convert(),
        })
    }

    fn convert(&self, convert: &Convert) -> Option<Finding> {
        convert.types.contains(&self.type_name).then(|| Finding {
            stage: Stage::Channel,
            severity: Severity::Fails,
            message: format!("{} has to be converted first", self.type_name.to_uppercase()),
            limit: Some(convert.into.clone()),
            actual: Some(self.sending.inspection.media_type.name.clone()),
            fix: self.repair().convert(),
        })
    }

    fn agreement(&self, severity: Severity) -> Option<Finding> {
        if self.is_unreadable() {
            return None;
        }
        let named = self.named_type()?;
        let declared = self.sending.declared_type.map(base_type);
        if !self.agrees(named) {
            return Some(self.disagreement(severity, named));
        }
        let declared = declared.filter(|declared| *declared != named.media_type)?;
        let right = if self.type_name == "opus" { "audio/ogg; codecs=opus" } else { named.media_type.as_str() };
        let alias = named.aliases.iter().any(|alias| base_type(alias) == declared);
        Some(Finding {
            stage: Stage::Provider,
            severity: if alias { Severity::Warning } else { severity },
            message: if alias {
                "the declared type is another name of the right one, which strict providers refuse".to_owned()
            } else {
                "the declared type does not match the extension".to_owned()
            },
            limit: Some(right.to_owned()),
            actual: Some(printable(&declared, 60)),
            fix: Some(format!("send it with `Content-Type: {right}`; correct the server's list of types")),
        })
    }

    fn disagreement(&self, severity: Severity, named: &FileType) -> Finding {
        let content = &self.sending.inspection.media_type;
        Finding {
            stage: Stage::Provider,
            severity,
            message: "the content does not match the extension".to_owned(),
            limit: Some(named.media_type.clone()),
            actual: Some(content.name.clone()),
            fix: if self.takes(&content.extension) {
                self.repair().rename(&content.extension)
            } else {
                self.repair().convert()
            },
        }
    }

    /// Nothing can be said of what is empty or broken but that.
    fn is_unreadable(&self) -> bool {
        self.details().fault == Some(Fault::Empty)
    }

    fn whole(&self, severity: Severity) -> Option<Finding> {
        self.details().fault.map(|fault| Finding {
            stage: Stage::Upload,
            severity,
            message: fault.title().to_owned(),
            limit: None,
            actual: Some(bytes(self.sending.inspection.bytes)),
            fix: Some("export or download it again, and compare its length with the original's".to_owned()),
        })
    }

    fn protected(&self, severity: Severity) -> Option<Finding> {
        let Details { encrypted, macros, .. } = self.details();
        let message = match (encrypted, macros) {
            (Some(true), _) => "it asks for a password: scanners refuse what they cannot look into",
            (_, Some(true)) => "it carries macros or scripts: mail and chat programs refuse those",
            _ => return None,
        };
        let fix = "save it without password and macros, or send it as PDF".to_owned();
        Some(Finding {
            stage: Stage::Channel,
            severity,
            message: message.to_owned(),
            limit: None,
            actual: None,
            fix: Some(fix),
        })
    }

    // --- size

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

    // --- pictures and sound

    fn codecs(&self, codecs: &Codecs) -> Option<Finding> {
        if !codecs.types.contains(&self.type_name) {
            return None;
        }
        let Details { video, audio, .. } = self.details();
        let wrong =
            |codec: &str, allowed: &[String]| !allowed.is_empty() && !allowed.iter().any(|known| known == codec);
        let pictures = video.iter().map(|track| track.codec).filter(|codec| wrong(codec, &codecs.video));
        let sounds = audio.iter().map(|track| track.codec).filter(|codec| wrong(codec, &codecs.audio));
        let actual: Vec<&str> = pictures.chain(sounds).collect();
        if actual.is_empty() {
            return None;
        }
        let allowed = [codecs.video.join("|"), codecs.audio.join("|")];
        Some(Finding {
            stage: Stage::Channel,
            severity: Severity::Fails,
            message: format!("{} takes this container with other codecs alone", self.to.channel.title),
            limit: Some(allowed.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" with ")),
            actual: Some(actual.join(", ")),
            fix: self.repair().convert(),
        })
    }

    fn megapixels(&self, limit: &Megapixels) -> Option<Finding> {
        let actual = self.details().megapixels.filter(|&actual| actual >= limit.below as f64)?;
        let fails = limit.fails_on.contains(&self.to.channel.name);
        Some(Finding {
            stage: Stage::Channel,
            severity: if fails { Severity::Fails } else { Severity::AtRisk },
            message: "the photo has too many pixels".to_owned(),
            limit: Some(format!("less than {} megapixels", limit.below)),
            actual: Some(format!("{actual:.1} megapixels")),
            fix: self.repair().convert(),
        })
    }

    fn resolution(&self, limit: Resolution) -> Option<Finding> {
        let (width, height) = self.details().width.zip(self.details().height)?;
        if width.max(height) <= limit.long_side && width.min(height) <= limit.short_side {
            return None;
        }
        Some(Finding {
            stage: Stage::Channel,
            severity: Severity::AtRisk,
            message: "some channels refuse videos of high resolution".to_owned(),
            limit: Some(format!("{}x{}", limit.long_side, limit.short_side)),
            actual: Some(format!("{width}x{height}")),
            fix: self.repair().convert(),
        })
    }

    fn color(&self, limit: &ColorLimit) -> Option<Finding> {
        let Details { bit_depth, color, .. } = self.details();
        let deep = bit_depth.is_some_and(|depth| depth > limit.bits);
        let other = color.is_some_and(|color| !limit.models.iter().any(|name| name == color.name()));
        (deep || other).then(|| Finding {
            stage: Stage::Channel,
            severity: Severity::Fails,
            message: "the image has samples that the channel does not show".to_owned(),
            limit: Some(format!("{} bits, {}", limit.bits, limit.models.join("|"))),
            actual: Some(format!(
                "{} bits, {}",
                bit_depth.map_or("?".to_owned(), |depth| depth.to_string()),
                color.map_or("?", crate::media::inspect::Color::name)
            )),
            fix: self.repair().convert(),
        })
    }

    fn video(&self, limit: &VideoLimit) -> Option<Finding> {
        let Details { video, audio, index_first, fragmented, .. } = self.details();
        let reordered = |track: &&crate::media::inspect::VideoTrack| {
            track.b_frames == Some(true) && track.profile.is_some_and(|profile| profile.starts_with("High"))
        };
        let (limit, actual) = if limit.b_frames_in_high == Some(false) && video.iter().any(|track| reordered(&track)) {
            ("Main profile without B-frames".to_owned(), "High profile with B-frames".to_owned())
        } else if limit.index_first == Some(true) && *index_first == Some(false) {
            ("moov before mdat".to_owned(), "moov at the end".to_owned())
        } else if limit.index_first == Some(true) && *fragmented == Some(true) {
            ("one moov".to_owned(), "fragmented".to_owned())
        } else {
            let most = limit.most_audio_tracks.filter(|&most| audio.len() > most)?;
            (format!("{most} audio stream"), format!("{} audio streams", audio.len()))
        };
        Some(Finding {
            stage: Stage::Channel,
            severity: Severity::Fails,
            message: "the video does not play everywhere".to_owned(),
            limit: Some(limit),
            actual: Some(actual),
            fix: self.repair().convert(),
        })
    }

    fn audio_channels(&self, limit: &AudioChannels) -> Option<Finding> {
        let channels = self.details().audio.iter().filter_map(|track| track.channels).max();
        let channels = channels.filter(|&channels| limit.types.contains(&self.type_name) && channels > limit.most)?;
        Some(Finding {
            stage: Stage::Channel,
            severity: Severity::Fails,
            message: "the recording has too many channels".to_owned(),
            limit: Some(limit.most.to_string()),
            actual: Some(channels.to_string()),
            fix: self.repair().convert(),
        })
    }

    fn dimensions(&self, limit: Dimensions) -> Option<Finding> {
        let (width, height) = self.details().width.zip(self.details().height)?;
        ((width, height) != (limit.width, limit.height)).then(|| Finding {
            stage: Stage::Channel,
            severity: Severity::Fails,
            message: "the image has another size".to_owned(),
            limit: Some(format!("{}x{}", limit.width, limit.height)),
            actual: Some(format!("{width}x{height}")),
            fix: self.repair().convert(),
        })
    }

    fn photo(&self, limit: Photo) -> Option<Finding> {
        let (width, height) = self.details().width.zip(self.details().height)?;
        let (long, short) = (u64::from(width.max(height)), u64::from(width.min(height)));
        (long + short > limit.most_sum || long > short * limit.most_ratio).then(|| Finding {
            stage: Stage::Channel,
            severity: Severity::Fails,
            message: "the photo has a shape that the channel does not take".to_owned(),
            limit: Some(format!("width + height at most {}, ratio at most {}", limit.most_sum, limit.most_ratio)),
            actual: Some(format!("{width}x{height}")),
            fix: self.repair().convert(),
        })
    }

    // --- the conversation

    fn window(&self, window: &Window) -> Option<Finding> {
        if self.sending.template && window.template {
            return None;
        }
        let open = Duration::from_hours(window.hours.into());
        let (severity, actual) = match self.sending.last_inbound {
            LastInbound::Never => (closed(window), "the customer never wrote".to_owned()),
            LastInbound::Ago(ago) if ago >= open => (closed(window), format!("{} ago", hours(ago))),
            LastInbound::Ago(ago) if ago + WINDOW_MARGIN > open => (Severity::Warning, format!("{} ago", hours(ago))),
            LastInbound::Ago(_) | LastInbound::Unknown => return None,
        };
        let message = if severity == Severity::Warning {
            "the customer service window closes within ten minutes: an upload may take longer"
        } else {
            "the customer service window is closed: nothing of free form is delivered, neither file nor link"
        };
        Some(Finding {
            stage: Stage::Window,
            severity,
            message: message.to_owned(),
            limit: Some(format!("less than {} h since the customer last wrote", window.hours)),
            actual: Some(actual),
            fix: Some(self.reopen(window)),
        })
    }

    fn reopen(&self, window: &Window) -> String {
        match (&window.tag, window.template) {
            (Some(tag), _) => format!("let a person answer with the {tag} tag, or wait for the customer to write"),
            (None, true) if matches!(self.kind, Kind::Image | Kind::Video | Kind::Document) => {
                format!(
                    "send an approved template with the {} as its header, or a template and the file once the customer answers",
                    self.kind.name()
                )
            }
            (None, true) => "send an approved template, and the file once the customer answers".to_owned(),
            (None, false) => {
                "wait for the customer to write, or write on another channel: there are no templates here".to_owned()
            }
        }
    }

    fn first_message(&self, template: Template) -> Option<Finding> {
        let never = self.sending.last_inbound == LastInbound::Never && template == Template::Template;
        (never && !self.sending.template).then(|| Finding {
            stage: Stage::Window,
            severity: Severity::NeedsTemplate,
            message: "a business can begin a conversation with a template alone".to_owned(),
            limit: Some("template".to_owned()),
            actual: Some("the customer never wrote".to_owned()),
            fix: Some("send an approved template, and the file once the customer answers".to_owned()),
        })
    }

    /// As part of a template the file is its header: neither another kind nor a link takes its place.
    fn template_header(&self, kinds: &[Kind]) -> Option<Finding> {
        let (taken, linked) = (kinds.contains(&self.kind), self.is_linked());
        (self.sending.template && (!taken || linked)).then(|| Finding {
            stage: Stage::Window,
            severity: Severity::Fails,
            message: "a template cannot have it in its header".to_owned(),
            limit: Some(kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")),
            actual: Some(if taken { "a link".to_owned() } else { self.kind.name().to_owned() }),
            fix: Some("send the template without it, and the file once the customer answers".to_owned()),
        })
    }

    fn template(&self, template: Template) -> Option<Finding> {
        (self.sending.template && template == Template::None).then(|| Finding {
            stage: Stage::Window,
            severity: Severity::Fails,
            message: format!("there are no templates on {}", self.to.channel.title),
            limit: None,
            actual: Some("template".to_owned()),
            fix: Some("send the file by itself".to_owned()),
        })
    }

    fn separate_text(&self, kinds: &[String]) -> Option<Finding> {
        let swallowed = self.sending.with_text && kinds.iter().any(|kind| kind == self.kind.name());
        swallowed.then(|| Finding {
            stage: Stage::Channel,
            severity: Severity::Fails,
            message: format!("the text that goes with {} is not delivered", self.kind.name()),
            limit: Some("no text".to_owned()),
            actual: Some(format!("text with {}", self.kind.name())),
            fix: Some("send the text as a second message".to_owned()),
        })
    }
}

fn closed(window: &Window) -> Severity {
    if window.template { Severity::NeedsTemplate } else { Severity::Fails }
}

/// The type without its parameters, in lower case.
fn base_type(declared: &str) -> String {
    declared.split(';').next().unwrap_or_default().trim().to_lowercase()
}

fn same_type(named: &FileType, content: &str) -> bool {
    named.media_type == content || named.aliases.iter().any(|alias| base_type(alias) == content)
}

fn bytes(length: u64) -> String {
    format!("{} bytes", grouped(length.into()))
}

/// In hours and minutes, or days when they are many.
fn hours(ago: Duration) -> String {
    let minutes = ago.as_secs() / 60;
    match (minutes / 60, minutes % 60) {
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}
