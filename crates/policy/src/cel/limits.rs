//! What bounds a condition, so that no policy can hold up an event (RELIABILITY 8, "rule or policy bomb").

/// Longest condition, bytes.
pub const CONDITION_BYTES_MAX: usize = 4_096;
/// Deepest nesting of brackets, calls and choices. Each level takes a few frames of the parser.
pub const CONDITION_DEPTH_MAX: usize = 32;
/// Most values, operators and calls in one condition.
pub const CONDITION_NODES_MAX: usize = 512;
/// Deepest nesting of `exists`, `all`, `exists_one`, `filter` and `map`. Their ranges are lists of the event's own
/// facts, of which the longest are bounded by the signals there are and by 64 IP lists: two levels are some
/// thousand steps.
pub const COMPREHENSION_DEPTH_MAX: usize = 2;
/// Most steps in one evaluation of one condition; beyond, the rule fails and is reported.
pub const STEPS_MAX: u32 = 20_000;
/// Most steps of all conditions for one event. At 20 ns a step this is the budget of 2 ms.
pub const STEPS_PER_EVENT_MAX: u32 = 100_000;
