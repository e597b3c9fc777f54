//! The rules of the platform and its channels: `data/channels.toml`, read once, and what a configuration puts in its place.

pub mod effect;
#[cfg(feature = "io")]
pub mod read;

pub use effect::{Effect, Kind, Severity, Size, Stage};

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

const EMBEDDED: &str = include_str!("../../../data/channels.toml");

/// Everything that is known of the platform and its channels.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Where the sentences stand.
    #[serde(default)]
    pub pages: BTreeMap<String, Page>,
    /// Names of rules that do not hold; only in a file that replaces others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// The channels.
    #[serde(default, rename = "channel")]
    pub channels: Vec<Channel>,
    /// The types.
    #[serde(default, rename = "file_type")]
    pub file_types: Vec<FileType>,
    /// The rules, in the order of the pages.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
}

/// A page of the platform.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// For people.
    pub title: String,
    /// The file that the sentences were taken from.
    pub file: String,
}

/// A channel.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// On the command line.
    pub name: String,
    /// For people.
    pub title: String,
    /// Who stands between platform and channel, where it matters.
    #[serde(default)]
    pub providers: Vec<String>,
}

/// A type of files.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FileType {
    /// In lower case, without the dot.
    pub extension: String,
    /// The registered content type.
    #[serde(rename = "type")]
    pub media_type: String,
    /// What it is by its name.
    pub kind: Kind,
    /// Content types that mean the same.
    #[serde(default)]
    pub aliases: Vec<String>,
}

/// A sentence and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The name.
    pub id: String,
    /// The sentence.
    pub says: String,
    /// Where it stands.
    pub source: Source,
    /// What it is about.
    #[serde(default)]
    pub on: Scope,
    /// What follows.
    pub effect: Effect,
    /// How it is meant.
    #[serde(default)]
    pub note: Option<String>,
    /// What public documents say of the same matter.
    #[serde(default)]
    pub observed: Vec<Observed>,
}

/// Where a sentence stands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Source {
    /// On a page of the platform.
    Page {
        /// Name of the page.
        page: String,
        /// Its headings.
        heading: String,
        /// Lines of the file.
        lines: String,
    },
    /// In a public document alone.
    Public {
        /// Address and date.
        public: String,
    },
    /// It follows from the matter.
    Own {
        /// From what.
        own: String,
    },
}

/// What a rule is about; an empty list means all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scope {
    /// Names of channels.
    pub channels: Vec<String>,
    /// Names of providers.
    pub providers: Vec<String>,
    /// Kinds of files.
    pub kinds: Vec<Kind>,
}

/// What a public document says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// In its words.
    pub says: String,
    /// Address and date.
    pub source: String,
    /// Whether it says the same.
    pub agrees: Agrees,
    /// The kinds it is about; none: those of the rule.
    #[serde(default)]
    pub kinds: Vec<Kind>,
    /// What would follow in place of the rule's effect.
    #[serde(default)]
    pub effect: Option<Effect>,
}

/// Whether a public document agrees with the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Agrees {
    /// It says the same.
    Yes,
    /// In part.
    Partly,
    /// It says something else.
    No,
    /// No document was found.
    Unverified,
}

/// Which figures count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "io", derive(clap::ValueEnum))]
pub enum Column {
    /// Those of the platform's pages; what public documents say otherwise is a warning
    #[default]
    Seed,
    /// Those of today's public documents, where they differ
    Observed,
}

/// Why a file of rules is refused.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// It is not TOML of the right form.
    #[error("not rules: {0}")]
    Syntax(String),
    /// A rule names something that is not there.
    #[error("rule `{rule}` names the {what} `{name}`, which is not there")]
    Unknown {
        /// The rule, or the list.
        rule: String,
        /// Kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
}

impl Rules {
    /// The rules that come with the program.
    #[must_use]
    pub fn embedded() -> Self {
        Self::parse(EMBEDDED).expect("the embedded rules are sound")
    }

    /// The embedded rules with those of a configuration in their place.
    pub fn overridden(text: &str) -> Result<Self, RulesError> {
        let mut rules = Self::embedded();
        let Self { pages, without, channels, file_types, rules: own } = read(text)?;
        let known: BTreeSet<&str> = rules.rules.iter().map(|rule| rule.id.as_str()).collect();
        if let Some(name) = without.iter().find(|name| !known.contains(name.as_str())) {
            return Err(RulesError::Unknown { rule: "without".to_owned(), what: "rule", name: name.clone() });
        }
        rules.pages.extend(pages);
        replace(&mut rules.channels, channels, |channel| channel.name.clone());
        replace(&mut rules.file_types, file_types, |file_type| file_type.extension.clone());
        rules.rules.retain(|rule| !without.contains(&rule.id));
        replace(&mut rules.rules, own, |rule| rule.id.clone());
        rules.sound()?;
        Ok(rules)
    }

    /// Reads a whole set of rules.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let rules = read(text)?;
        rules.sound()?;
        Ok(rules)
    }

    /// The channel with this name.
    #[must_use]
    pub fn channel(&self, name: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.name == name)
    }

    /// The type with this extension, in whichever case.
    #[must_use]
    pub fn file_type(&self, extension: &str) -> Option<&FileType> {
        self.file_types.iter().find(|known| known.extension.eq_ignore_ascii_case(extension))
    }

    /// The rule with this name.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// Where a rule stands, as a report says it.
    #[must_use]
    pub fn source(&self, source: &Source) -> String {
        match source {
            Source::Page { page, heading, lines } => {
                let (title, file) =
                    self.pages.get(page).map_or((page.as_str(), ""), |page| (page.title.as_str(), page.file.as_str()));
                let noun = if lines.contains(['-', ',']) { "lines" } else { "line" };
                format!("{title}, {heading} ({file}, {noun} {lines})")
            }
            Source::Public { public } => public.clone(),
            Source::Own { own } => own.clone(),
        }
    }

    fn sound(&self) -> Result<(), RulesError> {
        for rule in &self.rules {
            let unknown = |what, name: &String| {
                Err(RulesError::Unknown { rule: rule.id.clone(), what, name: name.chars().take(60).collect() })
            };
            if let Source::Page { page, .. } = &rule.source
                && !self.pages.contains_key(page)
            {
                return unknown("page", page);
            }
            if let Some(name) = rule.on.channels.iter().find(|name| self.channel(name).is_none()) {
                return unknown("channel", name);
            }
            let provided = |name: &&String| self.channels.iter().any(|channel| channel.providers.contains(name));
            if let Some(name) = rule.on.providers.iter().find(|name| !provided(name)) {
                return unknown("provider", name);
            }
        }
        Ok(())
    }
}

fn read(text: &str) -> Result<Rules, RulesError> {
    toml::from_str(text).map_err(|error: toml::de::Error| RulesError::Syntax(error.to_string().trim_end().to_owned()))
}

/// What has the same name is replaced in its place, the rest is added.
fn replace<T>(all: &mut Vec<T>, own: Vec<T>, name: impl Fn(&T) -> String) {
    for item in own {
        match all.iter_mut().find(|known| name(known) == name(&item)) {
            Some(known) => *known = item,
            None => all.push(item),
        }
    }
}

impl Rule {
    /// What holds in a column for a kind, and the words for it.
    #[must_use]
    pub fn effect_in(&self, column: Column, kind: Kind) -> (&Effect, &str) {
        let observed = self.alternative(kind).filter(|_| column == Column::Observed);
        observed.map_or((&self.effect, self.says.as_str()), |(effect, observed)| (effect, observed.says.as_str()))
    }

    /// What a public document puts in the place of the effect.
    #[must_use]
    pub fn alternative(&self, kind: Kind) -> Option<(&Effect, &Observed)> {
        let about = |observed: &&Observed| observed.kinds.is_empty() || observed.kinds.contains(&kind);
        self.observed.iter().filter(about).find_map(|observed| Some((observed.effect.as_ref()?, observed)))
    }

    /// Only a public document says it.
    #[must_use]
    pub fn is_public_alone(&self) -> bool {
        matches!(self.source, Source::Public { .. })
    }
}

impl Scope {
    /// Whether a rule is about this.
    #[must_use]
    pub fn holds(&self, channel: &str, provider: Option<&str>, kind: Kind) -> bool {
        let among = |names: &[String], name: &str| names.is_empty() || names.iter().any(|known| known == name);
        among(&self.channels, channel)
            && (self.providers.is_empty() || provider.is_some_and(|provider| among(&self.providers, provider)))
            && (self.kinds.is_empty() || self.kinds.contains(&kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_rules_are_those_of_the_pages() {
        let rules = Rules::embedded();
        let Effect::UploadTypes(types) = &rules.rule("platform.types").unwrap().effect else { panic!("types") };
        assert_eq!(types.len(), 26);
        assert!(types.iter().all(|name| rules.file_type(name).is_some()));
        let pairs: usize = rules.channels.iter().map(|channel| channel.providers.len().max(1)).sum();
        // Fourteen rows of the table, and Instagram, which has a window alone.
        assert_eq!(pairs, 15);
        let ids: BTreeSet<&str> = rules.rules.iter().map(|rule| rule.id.as_str()).collect();
        assert_eq!(ids.len(), rules.rules.len(), "each name stands once");
    }

    #[test]
    fn every_row_of_the_table_is_there() {
        let rules = Rules::embedded();
        for (channel, provider, image, other) in [
            ("messenger", None, "25 MB", "25 MB"),
            ("whatsapp", Some("chat-api"), "1 MB", "1 MB"),
            ("whatsapp", Some("twilio"), "16 MB", "16 MB"),
            ("whatsapp", Some("messagebird"), "16 MB", "100 MB"),
            ("whatsapp", Some("vonage"), "16 MB", "100 MB"),
            ("whatsapp", Some("360dialog"), "16 MB", "100 MB"),
            ("wechat", None, "5 MB", "25 MB"),
            ("twitter", None, "5 MB", "20 MB"),
            ("line", None, "10 MB", "10 MB"),
            ("telegram", None, "5 MB", "50 MB"),
            ("viber", None, "1 MB", "50 MB"),
            ("sms", Some("twilio"), "1 MB", "1 MB"),
            ("sms", Some("messagebird"), "1 MB", "1 MB"),
            ("sms", Some("vonage"), "1 MB", "1 MB"),
        ] {
            for (kind, due) in [(Kind::Image, image), (Kind::Video, other), (Kind::Document, other)] {
                let rows = rules.rules.iter().filter(|rule| rule.id.starts_with("size."));
                let sizes = rows.filter(|rule| rule.on.holds(channel, provider, kind)).map(|rule| match &rule.effect {
                    Effect::MaxSize(size) => size.to_string(),
                    other => panic!("{}: {other:?}", rule.id),
                });
                assert_eq!(sizes.collect::<Vec<_>>(), [due], "{channel} {provider:?} {kind:?}");
            }
        }
    }

    #[test]
    fn a_configuration_replaces_adds_and_removes() {
        let own = r#"
            without = ["video.resolution"]
            [[rule]]
            id = "size.line"
            says = "our contract: 50 MB"
            source = { own = "contract" }
            on = { channels = ["line"] }
            effect = { max_size = "50 MB" }
            [[channel]]
            name = "kakao"
            title = "KakaoTalk"
        "#;
        let (before, after) = (Rules::embedded(), Rules::overridden(own).unwrap());
        assert_eq!(after.rules.len(), before.rules.len() - 1);
        assert!(after.rule("video.resolution").is_none() && after.channel("kakao").is_some());
        let place = |rules: &Rules| {
            rules.rules.iter().filter(|rule| rule.id != "video.resolution").position(|rule| rule.id == "size.line")
        };
        assert_eq!(place(&before), place(&after));
        assert_eq!(after.rule("size.line").unwrap().says, "our contract: 50 MB");
    }

    #[test]
    fn wrong_rules_are_refused_by_name() {
        let rule = |more: &str| format!("[[rule]]\nid = \"x\"\nsays = \"\"\nsource = {{ own = \"\" }}\n{more}");
        for (text, part) in [
            ("colour = 1".to_owned(), "colour"),
            (rule("effect = { explode = 1 }"), "explode"),
            (rule("effect = { max_size = \"1 GB\" }"), "a size is"),
            (rule("effect = { window = { hours = 1, template = true, sunny = true } }"), "sunny"),
            (rule("on = { channels = [\"pager\"] }\neffect = { info = \"advice\" }"), "the channel `pager`"),
            (rule("on = { providers = [\"nobody\"] }\neffect = { info = \"advice\" }"), "the provider `nobody`"),
            ("without = [\"nothing\"]".to_owned(), "the rule `nothing`"),
        ] {
            let error = Rules::overridden(&text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
