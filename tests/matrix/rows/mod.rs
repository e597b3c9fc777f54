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

/// Causes that a mechanism alone does not tell; they are no rows of the matrix.
pub fn beside() -> Vec<&'static Row> {
    causes::ROWS.iter().collect()
}

/// All rows, in the order of the matrix.
pub fn all() -> Vec<&'static Row> {
    let kinds: [&[Row]; 8] =
        [address::ROWS, tls::ROWS, content::ROWS, names::ROWS, proxy::ROWS, path::ROWS, portal::ROWS, healthy::ROWS];
    kinds.into_iter().flatten().collect()
}
