//! The rows of the matrix, one file for each kind of thing that interferes.

mod address;
mod causes;
mod content;
mod healthy;
mod names;
mod path;
mod portal;
mod proxy;
mod tls;

use crate::row::Row;

/// Cases of the same form that are no rows of the matrix.
pub fn beside() -> Vec<&'static Row> {
    causes::ROWS.iter().chain(names::ASKED_OTHERWISE).collect()
}

/// All rows, in the order of the matrix.
pub fn all() -> Vec<&'static Row> {
    let kinds: [&[Row]; 8] =
        [address::ROWS, tls::ROWS, content::ROWS, names::ROWS, proxy::ROWS, path::ROWS, portal::ROWS, healthy::ROWS];
    kinds.into_iter().flatten().collect()
}
