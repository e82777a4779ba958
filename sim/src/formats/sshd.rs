//! OpenSSH's log: who logged in from where; no client, no session.

use super::{login_name, stamp};
use habitus_model::activity::AuthenticationActivity as Auth;
use habitus_model::{AccountKind, Activity, Event, FailureReason, Status};

pub(super) fn write(event: &Event) -> Option<String> {
    let logon = event.activity == Activity::Authentication(Auth::Logon);
    if !logon || event.account.kind == AccountKind::Service {
        return None;
    }
    let said = match (event.status, event.failure) {
        (Status::Success, _) => "Accepted password for",
        (_, Some(FailureReason::UserDoesNotExist)) => "Failed password for invalid user",
        (_, _) => "Failed password for",
    };
    let (name, ip, port) = (login_name(&event.account)?, event.src.ip?, event.src.port?);
    Some(format!(
        "{} gate sshd[4242]: {said} {name} from {ip} port {port} ssh2",
        stamp::millis(event.time)
    ))
}
