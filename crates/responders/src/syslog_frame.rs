//! RFC 5424 messages and their framing.

use crate::notice;
use crate::text;
use habitus_model::{Order, RiskLevel};

/// Facility 10, security and authorisation (RFC 5424 6.2.1).
const FACILITY: u8 = 10;
/// RFC 5424 6: longest HOSTNAME.
const HOSTNAME_CHARS_MAX: usize = 255;

/// A message: header, nil structured data, `content`, which must be one line.
pub(crate) fn message(order: &Order, hostname: &str, content: &[u8]) -> Vec<u8> {
    let priority = FACILITY * 8 + severity(order.notice.level);
    let time = notice::rfc3339(order.notice.time);
    let action = order.action.name();
    let mut out = format!("<{priority}>1 {time} {hostname} habitus - {action} - ").into_bytes();
    out.extend_from_slice(content);
    out
}

/// RFC 6587 3.4.1, octet counting: the length, a space, the message. No delimiter can be forged from within.
pub(crate) fn counted(message: &[u8]) -> Vec<u8> {
    let mut out = format!("{} ", message.len()).into_bytes();
    out.extend_from_slice(message);
    out
}

/// Whether a name can stand in the header: printable ASCII without spaces.
pub(crate) fn is_hostname(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= HOSTNAME_CHARS_MAX
        && name.bytes().all(|byte| byte.is_ascii_graphic())
        && !name.chars().any(text::acts)
}

const fn severity(level: RiskLevel) -> u8 {
    match level {
        RiskLevel::Info => 6,
        RiskLevel::Low => 5,
        RiskLevel::Medium => 4,
        RiskLevel::High => 3,
        RiskLevel::Critical => 2,
    }
}
