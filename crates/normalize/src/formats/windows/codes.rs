//! Result codes of failed logons, in words.

use habitus_model::FailureReason::{
    self, AccountDisabled, AccountLockedOut, InvalidCredentials, Other, PasswordExpired, PolicyDenied,
    UserDoesNotExist,
};

/// A code: number, reason, and what Microsoft's page says of it.
type Code = (u32, FailureReason, &'static str);

/// Reason and words of a code; the words are absent if no table names it.
pub type Meaning = (FailureReason, Option<&'static str>);

/// `Status` and `SubStatus` of 4625, and `Status` of 4776: NTSTATUS values (Microsoft Learn, "4625(F): An account
/// failed to log on" and "4776(S, F)", tables of codes; MS-ERREF 2.3.1). Sorted.
const NT: &[Code] = &[
    (
        0xC000_005E,
        Other,
        "there are currently no logon servers available",
    ),
    (0xC000_0064, UserDoesNotExist, "misspelled or bad user account"),
    (0xC000_006A, InvalidCredentials, "misspelled or bad password"),
    (
        0xC000_006D,
        InvalidCredentials,
        "bad user name or authentication information",
    ),
    (0xC000_006E, PolicyDenied, "account restriction"),
    (0xC000_006F, PolicyDenied, "outside authorized hours"),
    (0xC000_0070, PolicyDenied, "unauthorized workstation"),
    (0xC000_0071, PasswordExpired, "expired password"),
    (0xC000_0072, AccountDisabled, "account disabled by administrator"),
    (0xC000_00DC, Other, "the security database is in the wrong state"),
    (0xC000_0133, Other, "clocks too far out of sync"),
    (
        0xC000_015B,
        PolicyDenied,
        "the requested logon type is not granted",
    ),
    (0xC000_018C, Other, "the trust relationship failed"),
    (0xC000_0192, Other, "the Netlogon service was not started"),
    (0xC000_0193, AccountDisabled, "expired account"),
    (
        0xC000_0224,
        PasswordExpired,
        "password must be changed at next logon",
    ),
    (
        0xC000_0225,
        Other,
        "not found: evidently a bug in Windows and not a risk",
    ),
    (0xC000_0234, AccountLockedOut, "account locked"),
    (0xC000_02EE, Other, "an error occurred during logon"),
    (
        0xC000_0371,
        Other,
        "the local account store holds no secret for the account",
    ),
    (
        0xC000_0413,
        PolicyDenied,
        "the authentication firewall does not let the account in",
    ),
];

/// `Status` of 4768, 4769, 4770 and 4771: Kerberos error codes (Microsoft Learn, "4768(S, F)" table 5 and "4771(F)"; RFC 4120
/// 7.5.9). Sorted.
const KERBEROS: &[Code] = &[
    (0x1, AccountDisabled, "client's entry in KDC database has expired"),
    (0x3, Other, "requested Kerberos version number not supported"),
    (0x6, UserDoesNotExist, "client not found in Kerberos database"),
    (0x7, Other, "server not found in Kerberos database"),
    (0x8, Other, "multiple principal entries in KDC database"),
    (0x9, Other, "the client or server has a null key"),
    (
        0xC,
        PolicyDenied,
        "requested start time or workstation restriction",
    ),
    (0xD, PolicyDenied, "KDC cannot accommodate requested option"),
    (0xE, Other, "KDC has no support for encryption type"),
    (
        0x10,
        Other,
        "KDC has no support for pre-authentication data type (smart card)",
    ),
    // The one code for disabled, expired and locked accounts, and for logon hours.
    (0x12, AccountDisabled, "client's credentials have been revoked"),
    (0x17, PasswordExpired, "password has expired"),
    (
        0x18,
        InvalidCredentials,
        "pre-authentication information was invalid",
    ),
    (0x19, Other, "additional pre-authentication required"),
    (0x1B, Other, "server principal valid for user-to-user only"),
    (0x1F, Other, "integrity check on decrypted field failed"),
    (0x20, Other, "the ticket has expired"),
    (0x21, Other, "the ticket is not yet valid"),
    (0x22, Other, "the request is a replay"),
    (0x23, Other, "the ticket is not for us"),
    (0x25, Other, "the clock skew is too great"),
    (0x29, Other, "message stream modified"),
    (0x3C, Other, "generic error"),
];

/// Reason and words of an NTSTATUS as logs write it (`0xc000006a`, `0xC000006A`, `-1073741718`); absent for success.
pub fn nt(text: &str) -> Option<Meaning> {
    look_up(NT, text)
}

/// Reason and words of a Kerberos result code (`0x18`); absent for success.
pub fn kerberos(text: &str) -> Option<Meaning> {
    look_up(KERBEROS, text)
}

/// A number as logs write it: hexadecimal with `0x`, or decimal, negative where 32 bits were read as signed.
pub fn number(text: &str) -> Option<u32> {
    let text = text.trim();
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => {
            let number: i64 = text.parse().ok()?;
            let signed = || i32::try_from(number).ok().map(i32::cast_unsigned);
            u32::try_from(number).ok().or_else(signed)
        }
    }
}

fn look_up(table: &[Code], text: &str) -> Option<Meaning> {
    let code = number(text)?;
    if code == 0 {
        return None;
    }
    let found = table
        .binary_search_by_key(&code, |(number, ..)| *number)
        .ok()
        .and_then(|at| table.get(at));
    Some(found.map_or((Other, None), |(_, reason, words)| (*reason, Some(*words))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted() {
        assert!(NT.is_sorted_by_key(|(code, ..)| *code));
        assert!(KERBEROS.is_sorted_by_key(|(code, ..)| *code));
    }

    #[test]
    fn codes_in_every_dress() {
        for text in ["0xc000006a", "0xC000006A", "3221225578", "-1073741718"] {
            assert_eq!(nt(text).unwrap().0, InvalidCredentials, "{text}");
        }
        assert_eq!(nt("0x0"), None);
        assert_eq!(nt("%%2313"), None);
        assert_eq!(nt("0x1").unwrap(), (Other, None));
        assert_eq!(kerberos("0x12").unwrap().0, AccountDisabled);
    }
}
