use super::super::{LINK_MS, SESSION_IDLE_MS, SESSION_MS, Scope};
use super::*;
use habitus_model::Millis;
use std::net::Ipv4Addr;

const PASSWORD: &str = "correct horse battery";

fn at(ms: i64) -> EventTime {
    EventTime::from_millis(1_767_225_600_000 + ms).unwrap()
}

fn address(last: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, last).into()
}

fn link_secret(link: &Link) -> String {
    link.path().split_once('=').unwrap().1.to_owned()
}

struct Fresh {
    access: Access,
    link: Link,
    file: PathBuf,
    _folder: tempfile::TempDir,
}

fn fresh() -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("access.json");
    let (access, link) = Access::open(&file, at(0)).unwrap();
    Fresh {
        access,
        link: link.unwrap(),
        file,
        _folder: folder,
    }
}

#[test]
fn the_first_link_signs_the_admin_in_once() {
    let fresh = fresh();
    let link = link_secret(&fresh.link);
    let signed = fresh.access.redeem(&link, address(1), at(1)).unwrap();
    assert_eq!(signed.user, "admin");
    let principal = fresh.access.session(&signed.session, at(2)).unwrap();
    assert!(principal.may(crate::access::Permission::Admin));
    assert_eq!(
        fresh.access.redeem(&link, address(1), at(3)),
        Err(AccessError::Denied)
    );
}

#[test]
fn links_expire_after_a_quarter_of_an_hour() {
    let fresh = fresh();
    let link = link_secret(&fresh.link);
    assert_eq!(
        fresh.access.redeem(&link, address(1), at(LINK_MS)),
        Err(AccessError::Denied)
    );
}

#[test]
fn a_restart_keeps_everything_and_gives_a_link_only_if_nobody_could_come_in() {
    let fresh = fresh();
    let signed = fresh
        .access
        .redeem(&link_secret(&fresh.link), address(1), at(1))
        .unwrap();
    let (again, link) = Access::open(&fresh.file, at(2)).unwrap();
    assert!(link.is_none(), "there is a session");
    assert!(again.session(&signed.session, at(3)).is_some());
    let (_, link) = Access::open(&fresh.file, at(SESSION_MS + 3)).unwrap();
    assert!(link.is_some(), "the session is over and there is no password");
    fresh.access.set_password("admin", PASSWORD).unwrap();
    let (_, link) = Access::open(&fresh.file, at(SESSION_MS + 3)).unwrap();
    assert!(link.is_none(), "there is a password");
}

#[test]
fn sessions_end_when_idle_and_when_old() {
    let fresh = fresh();
    let signed = fresh
        .access
        .redeem(&link_secret(&fresh.link), address(1), at(0))
        .unwrap();
    assert!(
        fresh
            .access
            .session(&signed.session, at(SESSION_IDLE_MS - 1))
            .is_some()
    );
    assert!(
        fresh
            .access
            .session(&signed.session, at(2 * SESSION_IDLE_MS - 1))
            .is_none()
    );

    let again = fresh.access.issue_link("admin", at(0)).unwrap();
    let signed = fresh
        .access
        .redeem(&link_secret(&again), address(1), at(0))
        .unwrap();
    let mut now = 0;
    while now < SESSION_MS {
        assert!(fresh.access.session(&signed.session, at(now)).is_some(), "{now}");
        now += SESSION_IDLE_MS / 2;
    }
    assert!(fresh.access.session(&signed.session, at(SESSION_MS)).is_none());
}

#[test]
fn signing_out_ends_the_session_on_the_server() {
    let fresh = fresh();
    let signed = fresh
        .access
        .redeem(&link_secret(&fresh.link), address(1), at(0))
        .unwrap();
    fresh.access.end_session(&signed.session).unwrap();
    assert!(fresh.access.session(&signed.session, at(1)).is_none());
}

#[test]
fn a_new_role_or_password_ends_sessions() {
    let fresh = fresh();
    fresh
        .access
        .create_user("ana", Role::Viewer, TenantId::default(), at(0))
        .unwrap();
    for change in 0..2 {
        let link = fresh.access.issue_link("ana", at(0)).unwrap();
        let signed = fresh
            .access
            .redeem(&link_secret(&link), address(1), at(0))
            .unwrap();
        match change {
            0 => drop(fresh.access.set_role("ana", Role::Analyst).unwrap()),
            _ => fresh.access.set_password("ana", PASSWORD).unwrap(),
        }
        assert!(fresh.access.session(&signed.session, at(1)).is_none());
    }
}

#[test]
fn the_last_admin_stays() {
    let fresh = fresh();
    assert_eq!(fresh.access.remove_user("admin"), Err(AccessError::LastAdmin));
    assert_eq!(
        fresh.access.set_role("admin", Role::Viewer),
        Err(AccessError::LastAdmin)
    );
    fresh
        .access
        .create_user("eve", Role::Admin, TenantId::default(), at(0))
        .unwrap();
    assert_eq!(fresh.access.remove_user("admin"), Ok(()));
}

#[test]
fn tokens_are_shown_once_and_stored_hashed() {
    let fresh = fresh();
    let new = NewToken {
        name: "okta".to_owned(),
        scopes: vec![Scope::Ingest],
        source: Some(Text::new("okta")),
        tenant: TenantId::default(),
        expires: Some(at(1_000)),
    };
    let (token, secret) = fresh.access.create_token(new, "admin", at(0)).unwrap();
    let stored = fs::read_to_string(&fresh.file).unwrap();
    assert!(
        !stored.contains(secret.trim_start_matches(TOKEN_PREFIX)),
        "the secret is stored"
    );
    let principal = fresh.access.token(&secret, address(1), at(1)).unwrap();
    assert_eq!(principal.source.as_deref(), Some("okta"));
    assert!(!principal.may(crate::access::Permission::Read));
    assert!(
        fresh.access.token(&secret, address(1), at(1_000)).is_err(),
        "expired"
    );
    fresh.access.revoke_token(&token.id).unwrap();
    assert!(fresh.access.token(&secret, address(1), at(2)).is_err(), "revoked");
}

#[test]
fn wrong_passwords_are_delayed_and_right_ones_forgiven() {
    let fresh = fresh();
    fresh.access.set_password("admin", PASSWORD).unwrap();
    for _ in 0..4 {
        let denied = fresh.access.sign_in("admin", "wrong", (address(1), at(0)));
        assert_eq!(denied.unwrap_err(), AccessError::Denied);
    }
    let throttled = fresh.access.sign_in("admin", PASSWORD, (address(2), at(0)));
    assert_eq!(
        throttled.unwrap_err(),
        AccessError::Throttled(1),
        "also from elsewhere"
    );
    assert!(
        fresh
            .access
            .sign_in("admin", PASSWORD, (address(2), at(1_000)))
            .is_ok()
    );
    assert!(
        fresh
            .access
            .sign_in("admin", PASSWORD, (address(2), at(1_000)))
            .is_ok()
    );
}

#[test]
fn names_that_do_not_exist_are_answered_like_those_that_do() {
    let fresh = fresh();
    fresh.access.set_password("admin", PASSWORD).unwrap();
    let tries = |name: &str, last: u8| -> Vec<AccessError> {
        (0..6)
            .map(|_| {
                fresh
                    .access
                    .sign_in(name, "wrong", (address(last), at(0)))
                    .unwrap_err()
            })
            .collect()
    };
    assert_eq!(tries("admin", 1), tries("nobody", 2));
}

#[test]
fn wrong_tokens_are_throttled_and_right_ones_pass_all_the_same() {
    let fresh = fresh();
    let new = NewToken {
        name: "x".to_owned(),
        scopes: vec![Scope::Read],
        ..NewToken::default()
    };
    let (_, secret) = fresh.access.create_token(new, "admin", at(0)).unwrap();
    let wrong = format!("{TOKEN_PREFIX}{}", "A".repeat(43));
    let answers: Vec<_> = (0..5)
        .map(|_| fresh.access.token(&wrong, address(1), at(0)).unwrap_err())
        .collect();
    assert_eq!(answers.first(), Some(&AccessError::Denied));
    assert_eq!(answers.last(), Some(&AccessError::Throttled(1)));
    assert!(fresh.access.token(&secret, address(1), at(0)).is_ok());
}

#[test]
fn the_file_is_for_its_owner_only() {
    let fresh = fresh();
    let mode = fs::metadata(&fresh.file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::set_permissions(&fresh.file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(
        Access::open(&fresh.file, at(0)),
        Err(OpenError::TooOpen(_))
    ));
}

#[test]
fn a_damaged_file_is_refused_and_kept() {
    let fresh = fresh();
    fs::write(&fresh.file, b"{\"users\":").unwrap();
    assert!(matches!(
        Access::open(&fresh.file, at(0)),
        Err(OpenError::Damaged(_))
    ));
    assert_eq!(fs::read(&fresh.file).unwrap(), b"{\"users\":");
}

#[test]
fn a_change_that_cannot_be_stored_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let (access, _) = Access::open(&inner.join("access.json"), at(0)).unwrap();
    fs::remove_dir_all(&inner).unwrap();
    let refused = access.create_user("ana", Role::Viewer, TenantId::default(), at(0));
    assert_eq!(refused.unwrap_err(), AccessError::Storage);
    assert_eq!(access.users().len(), 1);
}

#[test]
fn names_that_would_forge_lines_are_refused() {
    let fresh = fresh();
    for name in ["", "a b", "a\nb", "\u{202e}nimda", "Admin", &"x".repeat(65)] {
        let refused = fresh
            .access
            .create_user(name, Role::Viewer, TenantId::default(), at(0));
        assert!(refused.is_err(), "{name:?}");
    }
}

#[test]
fn the_clock_going_back_neither_ends_nor_lengthens_sessions_for_ever() {
    let fresh = fresh();
    let signed = fresh
        .access
        .redeem(&link_secret(&fresh.link), address(1), at(0))
        .unwrap();
    let before = at(0).plus(Millis(-3_600_000));
    assert!(fresh.access.session(&signed.session, before).is_some());
}
