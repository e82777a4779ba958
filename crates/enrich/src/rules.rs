//! uap-core's user-agent rules, compiled from the `ua-parser` package by the build script.

mod lazy;

use lazy::Lazy;
use std::borrow::Cow;
use std::sync::LazyLock;
use ua_parser::{device, os, user_agent};

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// The rules. To compile all of them takes 200 ms and 30 MB, and most texts are read by the same few: so each is compiled when a text
/// comes that may match it, once for the whole process. They are constants: who came first decides nothing.
pub(crate) static RULES: LazyLock<Rules> = LazyLock::new(|| Rules {
    user_agent: Lazy::new(&USER_AGENT_CHOICES, user_agent_rule),
    os: Lazy::new(&OS_CHOICES, os_rule),
    device: Lazy::new(&DEVICE_CHOICES, device_rule),
});

/// Rules of browser, operating system and device.
pub(crate) struct Rules {
    user_agent: Lazy<user_agent::Extractor<'static>>,
    os: Lazy<os::Extractor<'static>>,
    device: Lazy<device::Extractor<'static>>,
}

/// What the rules make of a text. Absent: no rule matches.
pub(crate) struct Extracted<'a> {
    pub(crate) user_agent: Option<user_agent::ValueRef<'a>>,
    pub(crate) os: Option<os::ValueRef<'a>>,
    pub(crate) device: Option<device::ValueRef<'a>>,
}

impl Rules {
    /// What the rules make of a text. Cost: 14–18 µs, and 0.5 ms for each rule that was never used.
    pub(crate) fn extract<'a>(&'static self, text: &'a str) -> Extracted<'a> {
        let lower = text.to_ascii_lowercase();
        Extracted {
            user_agent: self.user_agent.first(&lower, |rule| rule.extract(text)),
            os: self.os.first(&lower, |rule| rule.extract(text)),
            device: self.device.first(&lower, |rule| rule.extract(text)),
        }
    }
}

type Text = Option<&'static str>;

fn user_agent_rule(number: usize) -> Option<user_agent::Extractor<'static>> {
    let parser = user_agent_parser(*USER_AGENT.get(number)?);
    user_agent::Builder::new().push(parser).ok()?.build().ok()
}

fn os_rule(number: usize) -> Option<os::Extractor<'static>> {
    let parser = os_parser(*OS.get(number)?);
    os::Builder::new().push(parser).ok()?.build().ok()
}

fn device_rule(number: usize) -> Option<device::Extractor<'static>> {
    let parser = device_parser(*DEVICE.get(number)?);
    device::Builder::new().push(parser).ok()?.build().ok()
}

fn user_agent_parser([regex, family, v1, v2]: [Text; 4]) -> user_agent::Parser<'static> {
    user_agent::Parser {
        regex: cow(regex),
        family_replacement: family.map(Cow::Borrowed),
        v1_replacement: v1.map(Cow::Borrowed),
        v2_replacement: v2.map(Cow::Borrowed),
        ..user_agent::Parser::default()
    }
}

fn os_parser([regex, family, v1, v2]: [Text; 4]) -> os::Parser<'static> {
    os::Parser {
        regex: cow(regex),
        os_replacement: family.map(Cow::Borrowed),
        os_v1_replacement: v1.map(Cow::Borrowed),
        os_v2_replacement: v2.map(Cow::Borrowed),
        ..os::Parser::default()
    }
}

fn device_parser([regex, flag, device, brand, model]: [Text; 5]) -> device::Parser<'static> {
    device::Parser {
        regex: cow(regex),
        regex_flag: flag.map(|_| device::Flag::IgnoreCase),
        device_replacement: device.map(Cow::Borrowed),
        brand_replacement: brand.map(Cow::Borrowed),
        model_replacement: model.map(Cow::Borrowed),
    }
}

fn cow(text: Option<&'static str>) -> Cow<'static, str> {
    Cow::Borrowed(text.unwrap_or_default())
}

#[cfg(test)]
mod tests;
