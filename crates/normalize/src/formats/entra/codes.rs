//! Why a sign-in failed, by AADSTS error code.
//!
//! Source: Microsoft identity platform, "Microsoft Entra authentication and authorization error codes".

use habitus_model::FailureReason::{
    self, AccountDisabled, AccountLockedOut, InvalidCredentials, MfaFailed, PasswordExpired, PolicyDenied,
    UserDoesNotExist,
};

/// The reason behind a code; codes not in the table are other trouble: interrupts of the flow, applications.
#[must_use]
pub fn reason(code: &str) -> FailureReason {
    let Ok(code) = code.trim().parse::<u32>() else {
        return FailureReason::Other;
    };
    match CODES.binary_search_by_key(&code, |(known, _)| *known) {
        Ok(at) => CODES.get(at).map_or(FailureReason::Other, |(_, reason)| *reason),
        Err(_) => FailureReason::Other,
    }
}

/// Whether a code only interrupts the flow, as the documentation expects it to do on the way of everybody: choose an
/// account (16000), sign in (50058), register for password reset (50125), stay signed in (50140), confirm (50199).
#[must_use]
pub fn is_interrupt(code: &str) -> bool {
    matches!(code.trim(), "16000" | "50058" | "50125" | "50140" | "50199")
}

/// Sorted by code. Where a further factor, an enrolment, a consent or a compliant device is demanded, the credentials were right
/// and a policy said no. Tokens and sessions that ran out or were revoked are not in it: nobody guessed anything.
const CODES: &[(u32, FailureReason)] = &[
    (50005, PolicyDenied),         // device platform does not support the policy
    (50008, InvalidCredentials),   // SAML assertion invalid
    (50013, InvalidCredentials),   // assertion invalid: signature, expiry
    (50020, UserDoesNotExist),     // account of another provider, not in this tenant
    (50034, UserDoesNotExist),     // account not found
    (50053, AccountLockedOut),     // locked after failures, or a malicious address
    (50055, PasswordExpired),      // password expired
    (50056, InvalidCredentials),   // no password, or none in the directory
    (50057, AccountDisabled),      // account disabled
    (50064, InvalidCredentials),   // validation of user name or password failed
    (50072, PolicyDenied),         // must enrol for a second factor
    (50074, PolicyDenied),         // second factor required, not passed
    (50076, PolicyDenied),         // second factor required
    (50079, PolicyDenied),         // must enrol for a second factor
    (50088, MfaFailed),            // limit on calls of the second factor
    (50097, PolicyDenied),         // device authentication required
    (50105, PolicyDenied),         // not assigned to the application
    (50120, InvalidCredentials),   // unknown credential type
    (50126, InvalidCredentials),   // user name or password invalid
    (50129, PolicyDenied),         // device not joined
    (50131, PolicyDenied),         // blocked: device, risk or place
    (50144, PasswordExpired),      // on-premises password expired
    (50155, InvalidCredentials),   // device authentication failed
    (50158, PolicyDenied),         // external challenge not satisfied
    (51004, UserDoesNotExist),     // account not in the directory
    (53000, PolicyDenied),         // device not compliant
    (53001, PolicyDenied),         // device not domain joined
    (53002, PolicyDenied),         // application not approved
    (53003, PolicyDenied),         // conditional access
    (53004, PolicyDenied),         // enrolment blocked by risk
    (53009, PolicyDenied),         // protection policy of the application required
    (53011, PolicyDenied),         // blocked by risk in the home tenant
    (65001, PolicyDenied),         // nobody consented to the application yet
    (70000, InvalidCredentials),   // grant invalid
    (80012, PolicyDenied),         // outside of the allowed hours
    (81004, InvalidCredentials),   // Kerberos authentication failed
    (81010, InvalidCredentials),   // Kerberos ticket expired or invalid
    (90072, UserDoesNotExist),     // account of another provider, not in this tenant
    (130500, PolicyDenied),        // phone sign-in blocked by policy
    (500121, MfaFailed),           // second factor denied, wrong or timed out
    (500133, InvalidCredentials),  // assertion outside of its time
    (530002, PolicyDenied),        // compliant device required
    (530032, PolicyDenied),        // blocked by a security policy
    (530034, PolicyDenied),        // delegated administrator blocked by risk
    (530035, PolicyDenied),        // blocked by security defaults
    (700027, InvalidCredentials),  // client assertion invalid
    (7000112, AccountDisabled),    // application disabled
    (7000215, InvalidCredentials), // client secret invalid
    (7000222, InvalidCredentials), // client secret expired
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted() {
        assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn codes_mean_reasons() {
        assert_eq!(reason("50126"), InvalidCredentials);
        assert_eq!(reason(" 50053 "), AccountLockedOut);
        assert_eq!(reason("50158"), PolicyDenied);
        assert_eq!(reason("65001"), PolicyDenied);
        assert_eq!(reason("700082"), FailureReason::Other);
        assert!(is_interrupt("50140") && !is_interrupt("50074"));
        assert_eq!(reason("no number"), FailureReason::Other);
    }
}
