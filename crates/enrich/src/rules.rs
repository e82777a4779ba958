//! uap-core's user-agent rules, compiled from the `ua-parser` package by the build script.

use std::borrow::Cow;
use std::sync::LazyLock;
use ua_parser::{device, os, user_agent};

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// The compiled rules. About 200 ms and 30 MB to build, so once for the whole process: they are a constant, worked
/// out when first used. `None` if a release of the package carries a rule its own engine cannot compile; a test
/// holds that the one in use does not.
pub(crate) static RULES: LazyLock<Option<Rules>> = LazyLock::new(|| Rules::compile().ok());

/// Extractors of browser, operating system and device.
pub(crate) struct Rules {
    pub(crate) user_agent: user_agent::Extractor<'static>,
    pub(crate) os: os::Extractor<'static>,
    pub(crate) device: device::Extractor<'static>,
}

impl Rules {
    fn compile() -> Result<Self, ua_parser::Error> {
        Ok(Self {
            user_agent: user_agent_rules()?,
            os: os_rules()?,
            device: device_rules()?,
        })
    }
}

fn user_agent_rules() -> Result<user_agent::Extractor<'static>, ua_parser::Error> {
    let parsers = USER_AGENT
        .iter()
        .map(|&[regex, family, v1, v2]| user_agent::Parser {
            regex: cow(regex),
            family_replacement: family.map(Cow::Borrowed),
            v1_replacement: v1.map(Cow::Borrowed),
            v2_replacement: v2.map(Cow::Borrowed),
            ..user_agent::Parser::default()
        });
    Ok(user_agent::Builder::new().push_all(parsers)?.build()?)
}

fn os_rules() -> Result<os::Extractor<'static>, ua_parser::Error> {
    let parsers = OS.iter().map(|&[regex, family, v1, v2]| os::Parser {
        regex: cow(regex),
        os_replacement: family.map(Cow::Borrowed),
        os_v1_replacement: v1.map(Cow::Borrowed),
        os_v2_replacement: v2.map(Cow::Borrowed),
        ..os::Parser::default()
    });
    Ok(os::Builder::new().push_all(parsers)?.build()?)
}

fn device_rules() -> Result<device::Extractor<'static>, ua_parser::Error> {
    let parsers = DEVICE
        .iter()
        .map(|&[regex, flag, device, brand, model]| device::Parser {
            regex: cow(regex),
            regex_flag: flag.map(|_| device::Flag::IgnoreCase),
            device_replacement: device.map(Cow::Borrowed),
            brand_replacement: brand.map(Cow::Borrowed),
            model_replacement: model.map(Cow::Borrowed),
        });
    Ok(device::Builder::new().push_all(parsers)?.build()?)
}

fn cow(text: Option<&'static str>) -> Cow<'static, str> {
    Cow::Borrowed(text.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_rules_compile_and_have_patterns() {
        Rules::compile().expect("every rule compiles");
        let patterns = USER_AGENT.iter().map(|row| row[0]);
        let patterns = patterns
            .chain(OS.iter().map(|row| row[0]))
            .chain(DEVICE.iter().map(|row| row[0]));
        assert!(
            patterns
                .into_iter()
                .all(|regex| regex.is_some_and(|regex| !regex.is_empty()))
        );
        assert!(DEVICE.iter().filter_map(|row| row[1]).all(|flag| flag == "i"));
        assert!(USER_AGENT.len() > 300 && OS.len() > 150 && DEVICE.len() > 500);
    }
}
