//! One file for each part of the interface.

pub(crate) mod accounts;
pub(crate) mod actions;
pub(crate) mod assess;
pub(crate) mod audit;
pub(crate) mod authorize;
pub(crate) mod bulk;
pub(crate) mod events;
pub(crate) mod findings;
pub(crate) mod hec;
pub(crate) mod me;
pub(crate) mod models;
pub(crate) mod operations;
pub(crate) mod sources;
pub(crate) mod stream;
pub(crate) mod tokens;
pub(crate) mod users;

use crate::core::Core;
use crate::guard::Caller;
use crate::problem::Problem;
use crate::product::AuditNote;
use habitus_model::Text;

/// Writes down what somebody did or saw. What cannot be written down is not done.
pub(crate) async fn record(
    app: &Core,
    caller: &Caller,
    action: &'static str,
    (object, detail): (Option<&str>, Option<String>),
) -> Result<(), Problem> {
    let note = AuditNote {
        tenant: Some(caller.who.tenant.clone()),
        actor: Some(caller.who.name.clone()),
        address: caller.who.address,
        request: Some(caller.who.request.clone()),
        action,
        object: object.map(Text::new),
        detail,
    };
    Ok(app.product.audit.record(note).await?)
}
