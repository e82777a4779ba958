//! Pages, signing in and out.

use super::fake::HOSTILE;
use super::{Browser, LOOPBACK, Server, header, json, problem, server, server_with, with_json, with_token};
use crate::access::{Role, SESSION_IDLE_MS, Scope};
use crate::product::FindingCommand;
use crate::settings::Settings;
use habitus_model::Verdict;
use reqwest::Response;

const PASSWORD: &str = "correct horse battery";

async fn page(server: &Server, path: &str, browser: &Browser) -> (u16, String) {
    let response = server
        .get(path)
        .header("cookie", &browser.cookie)
        .send()
        .await
        .unwrap();
    assert!(
        header(&response, "content-type")
            .unwrap()
            .starts_with("text/html"),
        "{path}"
    );
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn form(server: &Server, path: &str, browser: &Browser, body: &str) -> Response {
    let request = server.post(path).header("cookie", &browser.cookie);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body(body.to_owned()).send().await.unwrap()
}

async fn sign_in(server: &Server, name: &str, password: &str) -> Response {
    let request = server
        .post("/sign-in")
        .header("content-type", "application/x-www-form-urlencoded");
    let encoded = password.replace(' ', "+");
    request
        .body(format!("name={name}&password={encoded}"))
        .send()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_signs_in_once() {
    let server = server().await;
    let link = server.access.issue_link("admin", server.now()).unwrap().path();
    let head = server.client.head(server.url(&link)).send().await.unwrap();
    assert_eq!(head.status(), 200, "looking ahead does not use it up");
    let response = server.get(&link).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let cookie = header(&response, "set-cookie").unwrap().to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && cookie.contains("Path=/"),
        "{cookie}"
    );
    let pair = cookie.split(';').next().unwrap().to_owned();
    assert!(pair.split_once('=').unwrap().1.len() >= 22, "at least 128 bits");
    let me = json(server.get("/v1/me").header("cookie", &pair).send().await.unwrap()).await;
    assert_eq!(
        (me["name"].as_str(), me["role"].as_str()),
        (Some("admin"), Some("admin"))
    );
    assert!(me["csrf"].is_string());
    let again = server.get(&link).send().await.unwrap();
    assert_eq!(again.status(), 401);
    assert!(header(&again, "set-cookie").is_none());
    assert_eq!(server.fake.audited(), ["session.create", "session.fail"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_are_secure_where_tls_is() {
    let server = server_with(Settings {
        https: true,
        ..Settings::default()
    })
    .await;
    let link = server.access.issue_link("admin", server.now()).unwrap().path();
    let response = server.get(&link).send().await.unwrap();
    let cookie = header(&response, "set-cookie").unwrap();
    assert!(
        cookie.starts_with("__Host-habitus=") && cookie.contains("; Secure"),
        "{cookie}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_sign_in_and_guesses_are_slowed_down() {
    let server = server().await;
    server.access.set_password("admin", PASSWORD).unwrap();
    let response = sign_in(&server, "admin", PASSWORD).await;
    assert_eq!(response.status(), 200);
    assert!(header(&response, "set-cookie").is_some());
    let mut answers = Vec::new();
    for name in ["admin", "nobody"] {
        let mut statuses = Vec::new();
        for _ in 0..5 {
            let response = sign_in(&server, name, "wrong").await;
            statuses.push((response.status().as_u16(), response.text().await.unwrap()));
        }
        answers.push(statuses);
        server.pass(3_600_001);
    }
    assert_eq!(answers[0], answers[1], "whether a name exists cannot be told");
    assert_eq!(answers[0][0].0, 401);
    assert_eq!(answers[0][4].0, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_and_idling_end_the_session_on_the_server() {
    let server = server().await;
    let browser = server.browser(Role::Viewer);
    assert_eq!(page(&server, "/", &browser).await.0, 200);
    let out = form(&server, "/sign-out", &browser, &format!("csrf={}", browser.csrf)).await;
    assert_eq!(out.status(), 303);
    let back = server
        .get("/")
        .header("cookie", &browser.cookie)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (back.status().as_u16(), header(&back, "location")),
        (303, Some("/sign-in"))
    );
    let browser = server.browser(Role::Viewer);
    server.pass(SESSION_IDLE_MS);
    let idle = server.get("/v1/me").header("cookie", &browser.cookie);
    problem(idle, 401, "unauthenticated").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_for_everybody_stands_above_the_queue() {
    let server = server().await;
    let browser = server.browser(Role::Viewer);
    let (_, text) = page(&server, "/", &browser).await;
    let (changes, table) = (text.find("What changed for everybody"), text.find("<table"));
    assert!(changes.is_some() && changes < table, "{text}");
    assert!(
        text.contains("38 accounts came to") && text.contains("Scores are high more often than they say")
    );
    let said = server.get("/v1/changes").header("cookie", &browser.cookie);
    let said = json(said.send().await.unwrap()).await;
    assert_eq!(
        (&said["changes"][0]["kind"], &said["changes"][0]["movers"]),
        (&"provider".into(), &38.into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_show_hostile_text_and_do_not_obey_it() {
    let server = server().await;
    let browser = server.browser(Role::Analyst);
    for path in [
        "/",
        "/findings/known",
        "/findings/known?preview=benign",
        "/accounts/known",
    ] {
        let (status, text) = page(&server, path, &browser).await;
        assert_eq!(status, 200, "{path}");
        assert!(
            text.contains("&#60;script&#62;") || text.contains("&lt;script&gt;"),
            "{path}: {text}"
        );
        assert!(
            !text.contains("<script>") && !text.contains("\u{202e}") && !text.contains('\u{1b}'),
            "{path}"
        );
        assert!(text.contains("⟨U+202E⟩"), "{path}");
        assert!(
            !text.contains(" style=") && !text.contains("<style") && !text.contains(" onclick"),
            "{path}"
        );
        assert!(text.contains("{{7*7}}"), "{path}: text is no template");
    }
    assert!(HOSTILE.contains("<script>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_opens_with_the_sentence_and_takes_a_verdict_by_form() {
    let server = server().await;
    let browser = server.browser(Role::Analyst);
    let (_, text) = page(&server, "/findings/known?preview=false_positive", &browser).await;
    let place = |piece: &str| text.find(piece).unwrap_or_else(|| panic!("{piece} is missing"));
    assert!(place("class=\"sentence\"") < place("class=\"bars\""));
    assert!(
        text.contains("closes 3 similar findings"),
        "the effect is told before"
    );
    let body = format!(
        "csrf={}&verdict=false_positive&note=known+traveller",
        browser.csrf
    );
    let given = form(&server, "/findings/known/verdict", &browser, &body).await;
    assert_eq!(
        (given.status().as_u16(), header(&given, "location")),
        (303, Some("/findings/known"))
    );
    let last = server.fake.commands.lock().last().cloned().unwrap();
    let FindingCommand::Verdict {
        verdict,
        note,
        dry_run,
        ..
    } = last.1
    else {
        panic!("no verdict");
    };
    assert_eq!(
        (verdict, note.as_deref(), dry_run),
        (Verdict::FalsePositive, Some("known traveller"), false)
    );
    let forged = form(&server, "/findings/known/verdict", &browser, "verdict=benign").await;
    assert_eq!(forged.status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_are_told_who_gives_verdicts() {
    let server = server().await;
    let (_, text) = page(
        &server,
        "/findings/known?preview=benign",
        &server.browser(Role::Viewer),
    )
    .await;
    assert!(!text.contains("name=\"verdict\"") && text.contains("analysts"));
    assert!(
        server.fake.commands.lock().is_empty(),
        "a viewer does not even ask for effects"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_pages_are_pages() {
    let server = server().await;
    let browser = server.browser(Role::Viewer);
    let (status, text) = page(&server, "/findings/unknown", &browser).await;
    assert_eq!(status, 404);
    assert!(text.contains("<h1>"));
    let body = format!("csrf={}&verdict=benign", browser.csrf);
    assert_eq!(
        form(&server, "/findings/known/verdict", &browser, &body)
            .await
            .status(),
        403
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_of_the_page_use_the_session_with_its_form_token() {
    let server = server().await;
    let browser = server.browser(Role::Analyst);
    let request = server
        .post("/v1/findings/known/verdict?dry_run=true")
        .header("cookie", &browser.cookie);
    let request = with_json(
        request.header("x-csrf-token", &browser.csrf),
        "{\"verdict\":\"benign\"}",
    );
    let outcome = json(request.send().await.unwrap()).await;
    assert_eq!(outcome["dry_run"], true);
    assert_eq!(outcome["effect"]["closes"][0], "known");
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_manage_users_and_tokens() {
    let server = server().await;
    let admin = server.token(&[Scope::Admin]);
    let create = |body: &str| with_json(with_token(server.post("/v1/users"), &admin), body);
    let made = create("{\"name\":\"ana\",\"role\":\"analyst\"}")
        .send()
        .await
        .unwrap();
    assert_eq!(made.status(), 201);
    let link = json(made).await["link"]["path"].as_str().unwrap().to_owned();
    assert_eq!(server.get(&link).send().await.unwrap().status(), 200);
    problem(create("{\"name\":\"ANA\",\"role\":\"analyst\"}"), 409, "conflict").await;
    problem(create("{\"name\":\"a b\",\"role\":\"analyst\"}"), 422, "invalid").await;
    let change = with_token(server.client.patch(server.url("/v1/users/admin")), &admin);
    problem(with_json(change, "{\"role\":\"viewer\"}"), 409, "conflict").await;

    let body = "{\"name\":\"okta\",\"scopes\":[\"ingest\"],\"source\":\"okta\",\"days\":1.0}";
    let made = json(
        with_json(with_token(server.post("/v1/tokens"), &admin), body)
            .send()
            .await
            .unwrap(),
    )
    .await;
    let secret = made["secret"].as_str().unwrap();
    assert_eq!(
        with_token(server.get("/v1/me"), secret)
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    let listed = with_token(server.get("/v1/tokens"), &admin)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(listed.contains("\"source\":\"okta\"") && !listed.contains(secret));
    let id = made["id"].as_str().unwrap();
    let revoke = with_token(
        server.client.delete(server.url(&format!("/v1/tokens/{id}"))),
        &admin,
    );
    assert_eq!(revoke.send().await.unwrap().status(), 204);
    problem(with_token(server.get("/v1/me"), secret), 401, "bad_credentials").await;
    assert!(server.fake.audited().ends_with(&["token.create", "token.revoke"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_needs_the_old_one() {
    let server = server().await;
    let put = |browser: &Browser, body: &str| {
        let request = server
            .client
            .put(server.url("/v1/me/password"))
            .header("cookie", &browser.cookie);
        with_json(request.header("x-csrf-token", &browser.csrf), body)
    };
    let first = format!("{{\"password\":\"{PASSWORD}\"}}");
    let browser = server.browser(Role::Viewer);
    assert_eq!(put(&browser, &first).send().await.unwrap().status(), 204);
    let gone = server.get("/v1/me").header("cookie", &browser.cookie);
    problem(gone, 401, "unauthenticated").await;
    let browser = server.browser(Role::Viewer);
    problem(
        put(&browser, "{\"password\":\"another good password\"}"),
        401,
        "bad_credentials",
    )
    .await;
    problem(put(&browser, "{\"password\":\"short\"}"), 401, "bad_credentials").await;
    let second = format!("{{\"password\":\"another good password\",\"current\":\"{PASSWORD}\"}}");
    assert_eq!(put(&browser, &second).send().await.unwrap().status(), 204);
    assert!(server.access.redeem("x", LOOPBACK, server.now()).is_err());
}
