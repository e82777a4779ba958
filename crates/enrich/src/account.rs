//! Account kinds that a name gives away.
//!
//! Only conventions that a vendor documents are read; that a company calls its service accounts `svc-…` is for its
//! own configuration to say. The list is walked in order and the first match counts.

use habitus_model::account::named;
use habitus_model::{AccountKind, User};

/// How a convention shows. ASCII case does not matter.
enum Sign {
    /// The login name is exactly this.
    Name(&'static str),
    /// The login name begins so.
    NamePrefix(&'static str),
    /// The login name or the e-mail address ends so.
    NameSuffix(&'static str),
    /// The login name or the e-mail address contains this.
    NameContains(&'static str),
    /// The Windows domain is exactly this, given apart or before a backslash.
    Domain(&'static str),
    /// The stable id is exactly this.
    Uid(&'static str),
    /// The stable id begins and ends so.
    UidEnds(&'static str, &'static str),
}

/// Sign, kind, and where the vendor says so.
#[rustfmt::skip]
const CONVENTIONS: [(Sign, AccountKind); 28] = {
    use AccountKind::{Privileged, Service, Unknown, Vendor};
    use Sign::{Domain, Name, NameContains, NamePrefix, NameSuffix, Uid, UidEnds};
    [
        // Kubernetes, "Authenticating": service accounts, nodes, anonymous requests; "RBAC": core components.
        (NamePrefix("system:serviceaccount:"), Service),
        (NamePrefix("system:node:"), Service),
        (Name("system:anonymous"), Unknown),
        (NamePrefix("system:kube-"), Service),
        (Name("system:apiserver"), Service),
        // kubeadm, "Implementation details": the administrator of a new cluster.
        (Name("kubernetes-admin"), Privileged),
        (Name("kubernetes-super-admin"), Privileged),
        // Microsoft, "Well-known SIDs": S-1-5-18 to 20 are the system's own; RID 500 is the built-in administrator
        // under whatever name the language gives it, RID 502 the Kerberos service.
        (Uid("s-1-5-18"), Service),
        (Uid("s-1-5-19"), Service),
        (Uid("s-1-5-20"), Service),
        (Uid("s-1-5-7"), Unknown),
        (UidEnds("s-1-5-21-", "-500"), Privileged),
        (UidEnds("s-1-5-21-", "-502"), Service),
        // Microsoft, "Service accounts": names of the system's own accounts, and of virtual accounts by domain.
        (Name("anonymous logon"), Unknown),
        (Domain("nt authority"), Service),
        (Domain("nt service"), Service),
        (Domain("iis apppool"), Service),
        (Domain("window manager"), Service),
        (Domain("font driver host"), Service),
        // Microsoft, "sAMAccountName": computer accounts and group managed service accounts end in a dollar sign.
        (NameSuffix("$"), Service),
        // Microsoft Entra Connect, "Accounts and permissions".
        (NamePrefix("msol_"), Service),
        (NamePrefix("sync_"), Service),
        // Microsoft Entra, "Properties of a B2B guest user": the UPN of an invited guest.
        (NameContains("#ext#@"), Vendor),
        // Google Cloud, "Types of service accounts".
        (NameSuffix(".gserviceaccount.com"), Service),
        // GitHub, "About apps": a bot's login.
        (NameSuffix("[bot]"), Service),
        // Microsoft and POSIX: the administrator by name. AWS calls an account's owner `root` too.
        (Name("administrator"), Privileged),
        (Name("root"), Privileged),
        // AWS, "Service-linked roles".
        (NamePrefix("awsservicerolefor"), Service),
    ]
};

/// The kind of an account: what the source says, refined by documented naming conventions. A source that says
/// service, shared or vendor is believed; one that says human may mean an administrator.
#[must_use]
pub fn kind_of(user: &User) -> AccountKind {
    match user.kind {
        AccountKind::Unknown => by_convention(user).unwrap_or(AccountKind::Unknown),
        AccountKind::Human => match by_convention(user) {
            Some(AccountKind::Privileged) => AccountKind::Privileged,
            _ => AccountKind::Human,
        },
        stated @ (AccountKind::Privileged
        | AccountKind::Shared
        | AccountKind::Service
        | AccountKind::Vendor) => stated,
    }
}

fn by_convention(user: &User) -> Option<AccountKind> {
    let full = user.name.as_deref().and_then(named).unwrap_or_default();
    let (before, name) = full.split_once('\\').unwrap_or(("", full));
    let domain = user.domain.as_deref().and_then(named).unwrap_or_default();
    let email = user.email.as_deref().and_then(named).unwrap_or_default();
    let uid = user.uid.as_deref().and_then(named).unwrap_or_default();
    let shows = |sign: &Sign| match *sign {
        Sign::Name(text) => name.eq_ignore_ascii_case(text),
        Sign::NamePrefix(text) => begins(name, text),
        Sign::NameSuffix(text) => ends(name, text) || ends(email, text),
        Sign::NameContains(text) => contains(name, text) || contains(email, text),
        Sign::Domain(text) => domain.eq_ignore_ascii_case(text) || before.eq_ignore_ascii_case(text),
        Sign::Uid(text) => uid.eq_ignore_ascii_case(text),
        Sign::UidEnds(start, end) => begins(uid, start) && ends(uid, end),
    };
    CONVENTIONS
        .iter()
        .find(|(sign, _)| shows(sign))
        .map(|(_, kind)| *kind)
}

// Compared as bytes and without a lower-case copy: this runs for every event.

fn begins(text: &str, start: &str) -> bool {
    let head = text.as_bytes().get(..start.len());
    head.is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
}

fn ends(text: &str, end: &str) -> bool {
    let from = text.len().checked_sub(end.len());
    let tail = from.and_then(|from| text.as_bytes().get(from..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
}

fn contains(text: &str, part: &str) -> bool {
    let Some(first) = part.as_bytes().first() else {
        return true;
    };
    // The part begins with a sign that names hardly have, and that has no other case.
    if !first.is_ascii_alphabetic() && !text.as_bytes().contains(first) {
        return false;
    }
    let mut bytes = text.bytes().enumerate();
    bytes.any(|(at, byte)| {
        byte.eq_ignore_ascii_case(first) && text.get(at..).is_some_and(|rest| begins(rest, part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use AccountKind::{Human, Privileged, Service, Shared, Unknown, Vendor};
    use habitus_model::Text;

    fn user(name: &str) -> User {
        User {
            name: Some(Text::new(name)),
            ..User::default()
        }
    }

    #[test]
    fn documented_names_tell_their_kind() {
        for (name, want) in [
            ("alice@example.com", Unknown),
            ("WS-042$", Service),
            ("system:serviceaccount:kube-system:coredns", Service),
            ("system:node:worker-1", Service),
            ("system:kube-scheduler", Service),
            ("system:anonymous", Unknown),
            ("root", Privileged),
            ("Administrator", Privileged),
            ("CORP\\Administrator", Privileged),
            ("NT AUTHORITY\\SYSTEM", Service),
            ("robot@project-1.iam.gserviceaccount.com", Service),
            ("dependabot[bot]", Service),
            ("MSOL_0123456789ab", Service),
            ("bob_partner.example#EXT#@example.onmicrosoft.com", Vendor),
            ("rooter", Unknown),
            ("-", Unknown),
        ] {
            assert_eq!(kind_of(&user(name)), want, "{name}");
        }
    }

    #[test]
    fn ids_tell_where_names_are_translated() {
        let mut administrador = user("Administrador");
        administrador.uid = Some(Text::new("S-1-5-21-1004336348-1177238915-682003330-500"));
        assert_eq!(kind_of(&administrador), Privileged);
        let mut system = user("SYSTEM");
        system.domain = Some(Text::new("NT AUTHORITY"));
        assert_eq!(kind_of(&system), Service);
    }

    #[test]
    fn the_source_is_believed_but_for_administrators_among_humans() {
        for (stated, want) in [
            (Shared, Shared),
            (Service, Service),
            (Vendor, Vendor),
            (Human, Privileged),
        ] {
            let mut root = user("root");
            root.kind = stated;
            assert_eq!(kind_of(&root), want);
        }
        let mut person = user("alice$");
        person.kind = Human;
        assert_eq!(kind_of(&person), Human);
    }
}
