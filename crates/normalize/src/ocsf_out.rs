//! An [`Event`](habitus_model::Event) as OCSF 1.8 JSON: being written.
