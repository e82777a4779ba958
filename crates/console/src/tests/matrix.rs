//! Every route against everybody (RELIABILITY S-01): made from the table, and held against `openapi.json`.

use super::{Browser, Server, header, json, server, with_token};
use crate::access::{Permission, Role, Scope};
use crate::guard::Need;
use crate::table::{Face, Row, rows};
use http::Method;
use reqwest::{RequestBuilder, Response};
use std::collections::BTreeSet;

/// Who may come.
enum Somebody {
    Nobody,
    WrongToken,
    User(Role),
    Token(Scope),
}

impl Somebody {
    fn all() -> Vec<Self> {
        let mut all = vec![Self::Nobody, Self::WrongToken];
        all.extend(Role::ALL.map(Self::User));
        all.extend(Scope::ALL.map(Self::Token));
        all
    }

    fn name(&self) -> String {
        match self {
            Self::Nobody => "nobody".to_owned(),
            Self::WrongToken => "wrong token".to_owned(),
            Self::User(role) => format!("user {}", role.name()),
            Self::Token(scope) => format!("token {}", scope.name()),
        }
    }

    fn permissions(&self) -> Option<&'static [Permission]> {
        match self {
            Self::Nobody | Self::WrongToken => None,
            Self::User(role) => Some(role.permissions()),
            Self::Token(scope) => Some(scope.permissions()),
        }
    }

    fn present(&self, server: &Server, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Nobody => request,
            Self::WrongToken => with_token(request, &format!("hbt_{}", "A".repeat(43))),
            Self::User(role) => {
                let Browser { cookie, csrf } = server.browser(*role);
                request.header("cookie", cookie).header("x-csrf-token", csrf)
            }
            Self::Token(scope) => with_token(request, &server.token(&[*scope])),
        }
    }
}

/// What happened at the door.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Door {
    Unknown,
    Forbidden,
    Open,
}

fn expected(row: &Row, who: &Somebody) -> Door {
    match (row.need, who.permissions()) {
        (Need::Nobody, _) | (Need::Somebody, Some(_)) => Door::Open,
        (_, None) => Door::Unknown,
        (Need::May(permission), Some(permissions)) if permissions.contains(&permission) => Door::Open,
        (Need::May(_), Some(_)) => Door::Forbidden,
    }
}

fn found(row: &Row, response: &Response) -> Door {
    let grpc = header(response, "grpc-status");
    match (response.status().as_u16(), row.face, grpc) {
        (200, Face::Grpc, Some("16")) => Door::Unknown,
        (200, Face::Grpc, Some("7")) => Door::Forbidden,
        (303, Face::Page | Face::Root, _) if header(response, "location") == Some("/sign-in") => {
            Door::Unknown
        }
        (401 | 429, _, _) => Door::Unknown,
        // Splunk has one word for a token that is wrong and one that may not.
        (403, _, _) => Door::Forbidden,
        _ => Door::Open,
    }
}

fn request(server: &Server, row: &Row) -> RequestBuilder {
    let path = row.path.replace("{id}", "known").replace("{index}", "logs");
    server.client.request(row.method.clone(), server.url(&path))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_opens_for_those_who_may_and_for_nobody_else() {
    let mut checked = 0;
    for who in Somebody::all() {
        // Its own server each, so that wrong tokens do not throttle the others.
        let server = server().await;
        for row in rows() {
            let request = who.present(&server, request(&server, &row));
            let response = request.send().await.unwrap();
            let mut expected = expected(&row, &who);
            let mut found = found(&row, &response);
            if row.path == "/sign-out" && server.fake.audited().last() == Some(&"session.end") {
                // It leads to the sign-in either way, and is recorded if it was open.
                found = Door::Open;
            }
            if row.face == Face::Hec && matches!(who, Somebody::WrongToken) && expected == Door::Unknown {
                expected = Door::Forbidden;
            }
            let place = format!("{} {} as {}", row.method, row.path, who.name());
            assert_eq!(found, expected, "{place}: {}", response.status());
            assert!(
                !response.status().is_server_error(),
                "{place}: {}",
                response.status()
            );
            checked += 1;
        }
        server.stop().await;
    }
    assert_eq!(checked, rows().len() * (2 + Role::ALL.len() + Scope::ALL.len()));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_changes_anything_without_its_form_token() {
    let server = server().await;
    let browser = server.browser(Role::Admin);
    for row in rows() {
        if row.need == Need::Nobody || row.method.is_safe() {
            continue;
        }
        for wrong in [None, Some("x"), Some("")] {
            let mut request = request(&server, &row).header("cookie", &browser.cookie);
            if let Some(wrong) = wrong {
                request = request.header("x-csrf-token", wrong);
            }
            let response = request.send().await.unwrap();
            assert_eq!(
                found(&row, &response),
                Door::Forbidden,
                "{} {}",
                row.method,
                row.path
            );
        }
    }
    // The session lives: not even signing out was possible.
    let me = server
        .get("/v1/me")
        .header("cookie", &browser.cookie)
        .send()
        .await
        .unwrap();
    assert_eq!(me.status(), 200);
    assert!(server.fake.commands.lock().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_names_every_route_of_the_interface_and_no_other() {
    let server = server().await;
    let token = server.token(&[Scope::Read]);
    let document = json(
        with_token(server.get("/openapi.json"), &token)
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(document["openapi"], "3.1.0");
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if matches!(method.as_str(), "get" | "post" | "put" | "patch" | "delete") {
                let open = operation["security"]
                    .as_array()
                    .is_some_and(|s| s[0].as_object().unwrap().is_empty());
                documented.insert((method.to_uppercase(), path.clone(), open));
                assert!(operation["operationId"].is_string(), "{method} {path}");
            }
        }
    }
    let in_table: BTreeSet<_> = rows()
        .into_iter()
        .filter(|row| row.face == Face::Api)
        .map(|row| (row.method.to_string(), row.path, row.need == Need::Nobody))
        .collect();
    assert_eq!(documented, in_table);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reference_of_the_document_leads_somewhere() {
    let server = server().await;
    let token = server.token(&[Scope::Read]);
    let text = with_token(server.get("/openapi.json"), &token)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut references = 0;
    for piece in text.split("\"#/").skip(1) {
        let pointer = format!("/{}", piece.split('"').next().unwrap());
        assert!(document.pointer(&pointer).is_some(), "{pointer}");
        references += 1;
    }
    assert!(references > 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_promises_no_more_than_the_routes_keep() {
    let server = server().await;
    let token = server.token(&[Scope::Read]);
    let asked = with_token(server.get("/openapi.json"), &token).send().await;
    let document = json(asked.unwrap()).await;
    let mut paged = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for parameter in operation["parameters"].as_array().unwrap_or(&Vec::new()) {
                // Either a word or a list of words; absent where the schema stands elsewhere.
                let kind = &parameter["schema"]["type"];
                let or_null = kind
                    .as_array()
                    .is_some_and(|kinds| kinds.contains(&"null".into()));
                assert!(kind != "null" && !or_null, "{method} {path} {parameter}");
                if parameter["name"] == "cursor" {
                    assert!(operation["responses"]["404"].is_object(), "{method} {path}");
                    paged += 1;
                }
            }
        }
    }
    assert!(paged >= 4, "{paged}");
    assert_eq!(
        document["paths"]["/v1/events"]["post"]["requestBody"]["required"],
        false
    );
}

#[test]
fn no_row_stands_twice_and_all_have_a_path() {
    let mut seen = BTreeSet::new();
    for row in rows() {
        assert_ne!(row.path, "/never");
        assert!(
            seen.insert((row.method.to_string(), row.path.clone())),
            "{} {}",
            row.method,
            row.path
        );
        assert!(row.face != Face::Api || row.operation.is_some(), "{}", row.path);
        assert!(matches!(
            row.method,
            Method::GET | Method::POST | Method::PUT | Method::PATCH | Method::DELETE
        ));
    }
}
