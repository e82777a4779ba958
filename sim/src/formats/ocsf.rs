//! OCSF 1.8, which carries everything.

use habitus_model::Event;
use habitus_normalize::ocsf_out;

pub(super) fn write(event: &Event) -> Option<String> {
    let mut line = Vec::new();
    ocsf_out::write(event, &mut line);
    String::from_utf8(line).ok()
}
