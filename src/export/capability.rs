//! What a device can do, and where that is written.

use serde::Serialize;

use super::rules::Families;

/// What a format can express.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(clippy::struct_excessive_bools)] // each is a question of its own
pub struct Capability {
    /// How it holds IPv4 and IPv6.
    pub families: Families,
    /// Whether an entry may be a run of addresses that is no prefix.
    pub ranges: bool,
    /// Where comments stand.
    pub comments: Comments,
    /// How the whole list is replaced in one step; none: it is not.
    pub atomic: Option<&'static str>,
    /// The most entries in one object.
    pub limit: Option<Limit>,
    /// Whether several objects can hold a list that is too long for one.
    pub splits: bool,
    /// Whether it can add to a list that is there, and remove from it.
    pub change: bool,
    /// Whether it takes host names.
    pub hosts: bool,
    /// What reads the written file in the tests.
    pub validated_by: &'static str,
}

/// A limit of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// How many entries.
    pub entries: usize,
    /// In one of what.
    pub of: &'static str,
    /// Who says so.
    pub source: &'static str,
}

/// Where a format takes comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Comments {
    /// Nowhere.
    None,
    /// On the object.
    Object,
    /// On the object and on each entry.
    Entry,
}

impl Capability {
    /// A list of both families without any limit, replaced as a file is; formats say where they differ.
    pub const FILE: Self = Self {
        families: Families::Together,
        ranges: false,
        comments: Comments::Entry,
        atomic: Some("the file is replaced"),
        limit: None,
        splits: false,
        change: false,
        hosts: false,
        validated_by: "an independent reader",
    };
}

impl Families {
    /// The name in JSON and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Together => "one object for both",
            Self::Apart => "an object for each",
            Self::V4Only => "IPv4 alone",
        }
    }
}

impl Serialize for Families {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Together => "together",
            Self::Apart => "apart",
            Self::V4Only => "v4-only",
        })
    }
}
