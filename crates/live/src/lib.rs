//! What a server knows, as a pure function of its log.
