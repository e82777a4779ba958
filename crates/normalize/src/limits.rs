//! Limits that hostile records meet (RELIABILITY S-04). Every one can be configured.

use serde::{Deserialize, Serialize};

/// Limits on one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Longest record, bytes. Framing enforces it too; here it holds for records that come another way.
    pub record_bytes_max: usize,
    /// Deepest nesting of JSON or XML.
    pub depth_max: usize,
    /// Most keys in one JSON object.
    pub object_keys_max: usize,
    /// Most JSON values in one record: bounds the memory of the parsed tree to about 4 MiB.
    pub values_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            record_bytes_max: 1 << 20,
            depth_max: 32,
            object_keys_max: 2_000,
            values_max: 65_536,
        }
    }
}
