//! S: in what session, and whether it is where and with whom it began (SCORING 7).
//!
//! A session that is known and goes on elsewhere was carried there by its owner or stolen. How often owners do is learned,
//! given what is new about network and client, which other detectors count. What a thief cannot copy is the TLS stack and
//! the key of the client; what no owner does is being in two places at once. That a session goes on excuses the guesser of
//! passwords, who has none, unless it began under suspicion.

use crate::attacker::against;
use crate::detector::{Detector, View};
use habitus_model::evidence::PerProfile;
use habitus_model::math::ln;
use habitus_model::{Blind, DetectorId, Evidence, Fact, Family, Opinion, Reason, Signal};
use habitus_profile::features::session::{Grip, Passage, Relation, SessionSeen};
use habitus_profile::session_habits::SessionHabits;

/// Sessions and tokens.
pub struct Session;

/// Probability of each relation for who guesses passwords and for who steals sessions, on networks the account knows and on
/// others. Order of [`Relation`]. Assumed: a guesser has no session but the one it begins.
const GUESSER: [[f64; Relation::COUNT]; 2] =
    [[0.60, 0.03, 0.35, 0.018, 0.002], [0.88, 0.03, 0.03, 0.058, 0.002]];
const THIEF: [[f64; Relation::COUNT]; 2] = [[0.05, 0.25, 0.50, 0.15, 0.05], [0.05, 0.25, 0.02, 0.60, 0.08]];
/// Probability that a thief's client shows another key or TLS fingerprint than the session's, or another family. Assumed:
/// tools that replay cookies copy user agents, and hardly any copies a TLS stack.
const THIEF_OTHER_PROOF: f64 = 0.70;
const THIEF_OTHER_FAMILY: f64 = 0.30;
/// Probability of each passage of a thief's move, in the order of [`Passage`]: the mix of `attacker::class`. Assumed.
const THIEF_PASSAGE: [f64; Passage::COUNT] = [0.12, 0.50, 0.38];
/// Probability that a thief on the victim's own network is in another part of it. Assumed.
const THIEF_SHIFTED: f64 = 0.9;
/// Probability that owner and thief use a session in turns. Assumed.
const THIEF_AT_ONCE: f64 = 0.5;
/// Probability that a phisher's relay logs in and the session then moves. Assumed.
const RELAYED: f64 = 0.3;
/// Probability that a session is used after all were ended: by what was under way, and by who holds a copy. Assumed.
const REVOKED_OWNER: f64 = 0.003;
const REVOKED_THIEF: f64 = 0.3;
/// Minutes for which what was under way goes on.
const REVOKED_GRACE_MINUTES: f64 = 2.0;
const WORTH_SAYING_NATS: f64 = 0.05;

impl Detector for Session {
    fn id(&self) -> DetectorId {
        DetectorId("session")
    }

    fn family(&self) -> Family {
        Family::Session
    }

    fn assess(&self, view: &View<'_>) -> Opinion {
        let Some(seen) = view
            .seen
            .conduct
            .as_ref()
            .and_then(|conduct| conduct.session.as_ref())
        else {
            return Opinion::Abstain(Blind::NotApplicable);
        };
        if !view.has_history() {
            return Opinion::Abstain(Blind::ThinHistory);
        }
        let habits = view.population.habits().sessions();
        let lines = [
            relation(view, seen, habits),
            passage(seen, habits),
            shifted(seen, habits),
            grip(seen, habits),
            at_once(seen, habits),
            relayed(seen, habits),
            revoked(view, seen),
        ];
        let worth = |one: &Evidence| one.nats.iter().any(|nats| nats.abs() >= WORTH_SAYING_NATS);
        Opinion::Evidence(lines.into_iter().flatten().filter(worth).collect())
    }
}

fn relation(view: &View<'_>, seen: &SessionSeen, habits: &SessionHabits) -> Option<Evidence> {
    // Of a session that began under suspicion it proves nothing that it goes on.
    if seen.relation == Relation::Kept && !seen.clean {
        return None;
    }
    let owner = habits.relation(seen.cell, seen.relation);
    let elsewhere = usize::from(seen.cell.network >= 2);
    let of = |table: &[[f64; Relation::COUNT]; 2]| {
        let row = table.get(elsewhere).copied().unwrap_or_default();
        row.get(seen.relation.index()).copied().unwrap_or(f64::NAN)
    };
    let (guesser, thief) = (of(&GUESSER), of(&THIEF));
    let nats = against([guesser, guesser, guesser, thief, f64::NAN], owner);
    let age = Fact::Hours(seen.age_minutes / 60.0);
    let (signal, template, facts) = match seen.relation {
        Relation::Begun => (
            "session_begun",
            "a session begins here, as in {0} of visits from such a network",
            vec![Fact::Share(owner)],
        ),
        Relation::Stray => (
            "session_without_login",
            "a session that was never seen to begin, as in {0} of visits from such a network",
            vec![Fact::Share(owner)],
        ),
        Relation::Kept => (
            "session_kept",
            "the session goes on where it was, begun {0} ago, as in {1} of visits from such a network",
            vec![age, Fact::Share(owner)],
        ),
        Relation::Moved => (
            "session_moved",
            "a session begun {0} ago elsewhere, last used {1} ago, goes on from {2}: {3} of visits from such a network",
            vec![
                age,
                Fact::Hours(seen.idle_minutes / 60.0),
                place(view),
                Fact::Share(owner),
            ],
        ),
        Relation::Ended => (
            "session_after_end",
            "a session begun {0} ago is used though it was ended: {1} of visits",
            vec![age, Fact::Share(owner)],
        ),
    };
    Some(line(signal, nats, Reason::new(template, facts)))
}

/// By what it moved. Where thieves come from is the mix of classes that attackers use.
fn passage(seen: &SessionSeen, habits: &SessionHabits) -> Option<Evidence> {
    let passage = seen.passage?;
    let owner = habits.passage(seen.cell, passage);
    let attacker = THIEF_PASSAGE.get(passage.index()).copied()?;
    let (signal, text) = match passage {
        Passage::HandOver => (
            "handed_over",
            "from or to a carrier, as {0} of sessions that move",
        ),
        Passage::Tunnel => (
            "through_tunnel",
            "from or to a server, a relay or a gateway, as {0} of sessions that move",
        ),
        Passage::Elsewhere => (
            "from_line_to_line",
            "from one line to another, where neither is a carrier's or a tunnel's, as {0} of sessions that move",
        ),
    };
    let reason = Reason::new(text, vec![Fact::Share(owner)]);
    Some(line(signal, thief(attacker, owner), reason))
}

fn shifted(seen: &SessionSeen, habits: &SessionHabits) -> Option<Evidence> {
    let shift = seen.shifted.filter(|shift| shift.is_other)?;
    let owner = habits.shifted(shift.mobile);
    let text = "the session goes on in another part of the same network, as {0} of sessions on such networks";
    let reason = Reason::new(text, vec![Fact::Share(owner)]);
    let nats = thief(THIEF_SHIFTED, owner).map(|nats| nats.max(0.0));
    Some(line("session_shifted", nats, reason))
}

fn grip(seen: &SessionSeen, habits: &SessionHabits) -> Option<Evidence> {
    match seen.grip? {
        Grip::Same if seen.proof => {
            let nats = thief(1.0 - THIEF_OTHER_PROOF, 1.0 - habits.other_proof());
            let text = "the client shows the key or TLS fingerprint that the session is known by";
            Some(line("session_same_client", nats, Reason::new(text, Vec::new())))
        }
        Grip::Same => None,
        Grip::OtherProof => {
            let owner = habits.other_proof();
            let text = "the client says it is the same and shows another key or TLS fingerprint, as in {0} of visits \
                        within sessions";
            let reason = Reason::new(text, vec![Fact::Share(owner)]);
            Some(line(
                "session_other_proof",
                thief(THIEF_OTHER_PROOF, owner),
                reason,
            ))
        }
        // That a client new to the account goes on with a session is what the relation says.
        Grip::OtherFamily if seen.cell.new_family => None,
        Grip::OtherFamily => {
            let owner = habits.other_family();
            let text = "another client than the session's, as in {0} of visits within sessions";
            let reason = Reason::new(text, vec![Fact::Share(owner)]);
            Some(line(
                "session_other_client",
                thief(THIEF_OTHER_FAMILY, owner),
                reason,
            ))
        }
    }
}

fn at_once(seen: &SessionSeen, habits: &SessionHabits) -> Option<Evidence> {
    let owner = habits.at_once();
    seen.at_once.filter(|turns| *turns)?;
    let text =
        "the session is used on two networks in turns within ten minutes, as in {0} of those on two networks";
    let reason = Reason::new(text, vec![Fact::Share(owner)]);
    Some(line("two_places_at_once", thief(THIEF_AT_ONCE, owner), reason))
}

fn relayed(seen: &SessionSeen, habits: &SessionHabits) -> Option<Evidence> {
    if !seen.relayed {
        return None;
    }
    let owner = habits.relayed();
    let nats = against([RELAYED, RELAYED, RELAYED, RELAYED, f64::NAN], owner);
    let text = "the login with a second factor came through a server new to the account {0} before, and the session \
                leaves it: {1} of sessions that move";
    let facts = vec![Fact::Hours(seen.age_minutes / 60.0), Fact::Share(owner)];
    Some(line("relayed_login", nats, Reason::new(text, facts)))
}

fn revoked(view: &View<'_>, seen: &SessionSeen) -> Option<Evidence> {
    let at = view.seen.notice.as_ref()?.revoked?;
    let minutes = view.seen.now.since(at);
    if minutes <= REVOKED_GRACE_MINUTES || seen.age_minutes <= minutes {
        return None;
    }
    let text = "the session is used {0} after all sessions of the account were ended";
    let reason = Reason::new(text, vec![Fact::Hours(minutes / 60.0)]);
    Some(line(
        "session_after_revocation",
        thief(REVOKED_THIEF, REVOKED_OWNER),
        reason,
    ))
}

/// Evidence that concerns thieves of sessions only.
fn thief(attacker: f64, owner: f64) -> PerProfile {
    [0.0, 0.0, 0.0, ln(attacker) - ln(owner), 0.0]
}

fn place(view: &View<'_>) -> Fact {
    let context = view.context;
    match (context.network.asn, context.place.country, context.network.ip) {
        (Some(asn), _, _) => Fact::Asn(asn),
        (None, Some(country), _) => Fact::Country(country),
        (None, None, Some(ip)) => Fact::Name(habitus_model::Text::from(ip.to_string())),
        (None, None, None) => Fact::Name(habitus_model::Text::const_new("here")),
    }
}

fn line(signal: &'static str, nats: PerProfile, reason: Reason) -> Evidence {
    Evidence {
        family: Family::Session,
        signal: Signal(signal),
        nats,
        reason,
    }
}
