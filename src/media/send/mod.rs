//! Whether media really are sent: what is sent where, what was seen, and what breaks it.
//!
//! The shell sends; everything that is said of it is derived here, from one record for each upload.

mod breaks;
mod evidence;
mod factors;
mod form;
mod place;
mod target;
#[cfg(test)]
mod tests;

pub use breaks::{Break, Refusal, breaks};
pub use evidence::{Purpose, Received, SendRun, Shape, Trial};
pub use factors::{Factor, factors, variations};
pub use form::{MultipartForm, percent_encoded};
pub use place::{Filling, Place, PlaceError, Template};
pub use target::{Form, S3Keys, SendTarget};
