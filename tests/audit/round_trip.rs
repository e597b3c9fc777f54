//! What our exporters write is read back.
