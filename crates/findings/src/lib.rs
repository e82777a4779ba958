//! From flagged events to findings that people work on.
