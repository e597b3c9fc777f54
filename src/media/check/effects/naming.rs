//! Name, declared type and content: whether they agree, and whether the type is taken.

use super::super::{Severity, Stage};
use super::{Context, Finding, bytes};
use crate::media::inspect::{Details, Fault};
use crate::media::rules::effect::Convert;
use crate::media::rules::{Column, Effect, FileType};
use crate::text::printable;

impl<'a> Context<'a> {
    pub(super) fn extension(&self) -> Option<String> {
        self.sending.file.extension().map(|extension| extension.to_string_lossy().to_lowercase())
    }

    pub(super) fn named_type(&self) -> Option<&'a FileType> {
        self.rules.file_type(&self.extension()?)
    }

    pub(super) fn type_by_name_or_content(&self) -> String {
        let named = self.named_type().filter(|named| self.agrees(named));
        named.map_or_else(|| self.sending.inspection.media_type.extension.clone(), |named| named.extension.clone())
    }

    /// Whether the content is of the type that the name says.
    pub(super) fn agrees(&self, named: &FileType) -> bool {
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
    pub(super) fn takes(&self, extension: &str) -> bool {
        self.rules().all(|rule| match rule.effect_in(self.column, self.kind).0 {
            Effect::UploadTypes(types) => types.iter().any(|known| known == extension),
            Effect::Types(types) if self.column == Column::Observed || !rule.is_public_alone() => {
                types.iter().any(|known| known == extension)
            }
            _ => true,
        })
    }

    pub(super) fn upload_types(&self, types: &[String]) -> Option<Finding> {
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

    pub(super) fn types(&self, types: &[String]) -> Option<Finding> {
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

    pub(super) fn convert(&self, convert: &Convert) -> Option<Finding> {
        convert.types.contains(&self.type_name).then(|| Finding {
            stage: Stage::Channel,
            severity: Severity::Fails,
            message: format!("{} has to be converted first", self.type_name.to_uppercase()),
            limit: Some(convert.into.clone()),
            actual: Some(self.sending.inspection.media_type.name.clone()),
            fix: self.repair().convert(),
        })
    }

    pub(super) fn agreement(&self, severity: Severity) -> Option<Finding> {
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

    pub(super) fn disagreement(&self, severity: Severity, named: &FileType) -> Finding {
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
    pub(super) fn is_unreadable(&self) -> bool {
        self.details().fault == Some(Fault::Empty)
    }

    pub(super) fn whole(&self, severity: Severity) -> Option<Finding> {
        self.details().fault.map(|fault| Finding {
            stage: Stage::Upload,
            severity,
            message: fault.title().to_owned(),
            limit: None,
            actual: Some(bytes(self.sending.inspection.bytes)),
            fix: Some("export or download it again, and compare its length with the original's".to_owned()),
        })
    }

    pub(super) fn protected(&self, severity: Severity) -> Option<Finding> {
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
}

/// The type without its parameters, in lower case.
fn base_type(declared: &str) -> String {
    declared.split(';').next().unwrap_or_default().trim().to_lowercase()
}

fn same_type(named: &FileType, content: &str) -> bool {
    named.media_type == content || named.aliases.iter().any(|alias| base_type(alias) == content)
}
