//! What an existing rule set allows of what is required, without sending a packet.
//!
//! ```text
//! files ─> format (one reader each) ─> Policy ─> evaluate ─> Coverage ─> text | JSON | Markdown
//! ```
//!
//! [`Format`] reads files into a [`Policy`]: hooks, chains and rules, whatever they were written in. All addresses are
//! walked through it at once, and [`Coverage`] says which of the required ranges are allowed, by which rule, which are
//! not, and of which it cannot be told, with the line that was not understood.

mod addresses;
mod coverage;
mod evaluate;
mod format;
mod packet;
mod policy;
mod question;
mod region;
mod report;
pub mod word;

pub use addresses::AddressSet;
pub use coverage::{Age, Answer, Coverage, Required, RuleName, Share, audit};
pub use evaluate::Exhausted;
pub use format::{Format, ParseError, SourceFile, iptables, nftables};
pub use policy::{Action, Applies, Chain, ChainId, Default, Destination, Hook, Match, Place, Policy, Quick, Rule};
pub use question::{Assumed, Question, Side, Traffic};
pub use report::{Report, ReportFormat};
