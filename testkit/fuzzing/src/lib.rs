//! Fuzz bodies as plain functions.
