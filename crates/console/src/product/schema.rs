//! Schemas of the model's words, which know nothing of OpenAPI.

use habitus_model::{Action, Disposition, Mode, RiskLevel, Verdict};
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr, SchemaFormat};

fn words<'a>(names: impl Iterator<Item = &'a str>) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(names.collect::<Vec<_>>()))
        .build()
}

fn or_null(mut object: Object) -> RefOr<Schema> {
    object.schema_type = SchemaType::Array(vec![Type::String, Type::Null]);
    if let Some(values) = &mut object.enum_values {
        values.push(serde_json::Value::Null);
    }
    object.into()
}

const DISPOSITIONS: [Disposition; 5] = [
    Disposition::Allow,
    Disposition::Challenge,
    Disposition::Review,
    Disposition::Deny,
    Disposition::Revoke,
];

pub(super) fn disposition() -> RefOr<Schema> {
    words(DISPOSITIONS.iter().map(|d| d.name())).into()
}

pub(super) fn level() -> RefOr<Schema> {
    words(RiskLevel::ALL.iter().map(|level| level.name())).into()
}

pub(super) fn level_or_null() -> RefOr<Schema> {
    or_null(words(RiskLevel::ALL.iter().map(|level| level.name())))
}

pub(crate) fn verdict() -> RefOr<Schema> {
    words(Verdict::ALL.iter().map(|verdict| verdict.name())).into()
}

pub(super) fn verdict_or_null() -> RefOr<Schema> {
    or_null(words(Verdict::ALL.iter().map(|verdict| verdict.name())))
}

pub(super) fn action() -> RefOr<Schema> {
    let all = [Action::Notify, Action::Challenge, Action::Block, Action::Revoke];
    words(all.iter().map(|action| action.name())).into()
}

pub(super) fn mode() -> RefOr<Schema> {
    modes().into()
}

pub(super) fn mode_or_null() -> RefOr<Schema> {
    or_null(modes())
}

fn modes() -> Object {
    let all = [Mode::Observe, Mode::Recommend, Mode::Enforce];
    words(all.iter().map(|mode| mode.name()))
}

pub(super) fn instant() -> RefOr<Schema> {
    instant_object().into()
}

pub(super) fn instant_or_null() -> RefOr<Schema> {
    or_null(instant_object())
}

fn instant_object() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .build()
}
