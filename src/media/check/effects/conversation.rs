//! The conversation: windows, templates and the text beside a file.

use std::time::Duration;

use super::super::{Kind, LastInbound, Severity, Stage};
use super::{Context, Finding};
use crate::media::rules::effect::{Template, Window};

/// An upload of 20 MB at 300 kbit/s takes nine minutes: a window that closes within ten may close before it is done.
const WINDOW_MARGIN: Duration = Duration::from_mins(10);

impl Context<'_> {
    pub(super) fn window(&self, window: &Window) -> Option<Finding> {
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

    pub(super) fn reopen(&self, window: &Window) -> String {
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

    pub(super) fn first_message(&self, template: Template) -> Option<Finding> {
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
    pub(super) fn template_header(&self, kinds: &[Kind]) -> Option<Finding> {
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

    pub(super) fn template(&self, template: Template) -> Option<Finding> {
        (self.sending.template && template == Template::None).then(|| Finding {
            stage: Stage::Window,
            severity: Severity::Fails,
            message: format!("there are no templates on {}", self.to.channel.title),
            limit: None,
            actual: Some("template".to_owned()),
            fix: Some("send the file by itself".to_owned()),
        })
    }

    pub(super) fn separate_text(&self, kinds: &[String]) -> Option<Finding> {
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

/// In hours and minutes, or days when they are many.
fn hours(ago: Duration) -> String {
    let minutes = ago.as_secs() / 60;
    match (minutes / 60, minutes % 60) {
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}
