//! Tools that the general user-agent rules do not know, or do not tell apart from browsers.
//!
//! Each vendor's own documentation or source says how the tool names itself. Whether a person sits in front decides
//! the device type:
//!
//! * **Automation**: SDKs, HTTP libraries, infrastructure as code, controllers, CI runners, crawlers, headless
//!   browsers. A script may well run on somebody's laptop; what matters is that nobody reads what comes back.
//! * **Person** (`Desktop`): command-line tools that people type into (kubectl, the cloud CLIs, git, OpenSSH, PuTTY,
//!   PowerShell, Postman). They are used in scripts too, so the device type accuses nobody; that an account never
//!   used the tool before is for the detectors to say.
//! * **Unknown**: names that say which service relayed the call, not who sat where.

use habitus_model::DeviceType;

/// A tool by the beginning of one of its user agent's words.
pub(super) struct Tool {
    /// What a word begins with, in lower case; what follows `/` or `_` is the version.
    pub(super) word: &'static str,
    /// Name shown; [`SELF`]: what the general rules call it, else its own word.
    pub(super) family: &'static str,
    /// Who uses it.
    pub(super) device: DeviceType,
    /// Whether the word counts anywhere in the user agent, or at its beginning only.
    pub(super) anywhere: bool,
}

const fn first(word: &'static str, family: &'static str, device: DeviceType) -> Tool {
    Tool {
        word,
        family,
        device,
        anywhere: false,
    }
}

const fn anywhere(word: &'static str, family: &'static str, device: DeviceType) -> Tool {
    Tool {
        word,
        family,
        device,
        anywhere: true,
    }
}

const BOT: DeviceType = DeviceType::Automation;
const PERSON: DeviceType = DeviceType::Desktop;
const UNKNOWN: DeviceType = DeviceType::Unknown;

/// The tool's own word is its name: which SDK of a vendor it is tells more than the vendor.
const SELF: &str = "";

/// The first line that matches counts, so tools that name another tool behind them come first.
#[rustfmt::skip]
pub(super) static TOOLS: [Tool; 80] = [
    // Headless and driven browsers.
    anywhere("headlesschrome", "HeadlessChrome", BOT),
    anywhere("headlessedg", "HeadlessEdge", BOT),
    anywhere("phantomjs", "PhantomJS", BOT),
    anywhere("puppeteer", "Puppeteer", BOT),
    anywhere("playwright", "Playwright", BOT),
    anywhere("selenium", "Selenium", BOT),
    anywhere("electron-headless", "Electron", BOT),
    // Infrastructure as code and attack emulation, which carry an SDK's name behind their own.
    anywhere("terraform", "Terraform", BOT),
    anywhere("opentofu", "OpenTofu", BOT),
    anywhere("pulumi", "Pulumi", BOT),
    anywhere("ansible", "Ansible", BOT),
    first("stratus-red-team", "Stratus Red Team", BOT),
    first("trufflehog", "TruffleHog", BOT),
    anywhere("github-actions", "GitHub Actions", BOT),
    anywhere("githubactions", "GitHub Actions", BOT),
    anywhere("gitlab-runner", "GitLab Runner", BOT),
    anywhere("jenkins", "Jenkins", BOT),
    anywhere("dependabot", "Dependabot", BOT),
    // Kubernetes: client-go gives `program/version (os/arch) kubernetes/commit`.
    first("kubectl", "kubectl", PERSON),
    first("kubelet", "kubelet", BOT),
    first("kube-", "Kubernetes component", BOT),
    first("helm", "Helm", PERSON),
    first("k9s", "K9s", PERSON),
    first("lens", "Lens", PERSON),
    first("oc/4", "oc", PERSON),
    first("argocd", "Argo CD", BOT),
    anywhere("kubernetes", "Kubernetes client", BOT),
    // AWS: CLI, SDKs, and services that call on somebody's behalf.
    first("aws-cli", "aws-cli", PERSON),
    first("aws-internal", "AWS service", UNKNOWN),
    first("aws.internal", "AWS service", UNKNOWN),
    first("aws-sdk-", SELF, BOT),
    first("aws sdk", "AWS SDK", BOT),
    first("boto3", "Boto3", BOT),
    first("botocore", "Botocore", BOT),
    first("boto", "Boto", BOT),
    first("elb-healthchecker", "ELB-HealthChecker", BOT),
    anywhere("awspowershell", "AWS Tools for PowerShell", PERSON),
    // Azure and Microsoft 365.
    anywhere("azurecli", "azure-cli", PERSON),
    anywhere("azure-cli", "azure-cli", PERSON),
    anywhere("azurepowershell", "Azure PowerShell", PERSON),
    anywhere("windowspowershell", "PowerShell", PERSON),
    anywhere("powershell", "PowerShell", PERSON),
    anywhere("azsdk-", SELF, BOT),
    first("azure-sdk-", SELF, BOT),
    anywhere("bav2ropc", "BAV2ROPC", UNKNOWN),
    anywhere("cbainprod", "CBAInPROD", UNKNOWN),
    anywhere("cbaintar", "CBAInTAR", UNKNOWN),
    // Google Cloud.
    anywhere("gsutil", "gsutil", PERSON),
    first("gcloud-python", SELF, BOT),
    anywhere("gcloud", "gcloud", PERSON),
    first("google-cloud-sdk", "gcloud", PERSON),
    first("google-api-", SELF, BOT),
    // SSH software names itself behind `SSH-2.0-` in its protocol banner (RFC 4253, section 4.2).
    first("openssh", "OpenSSH", PERSON),
    first("putty", "PuTTY", PERSON),
    first("winscp", "WinSCP", PERSON),
    first("filezilla", "FileZilla", PERSON),
    first("libssh", "libssh", BOT),
    first("paramiko", "Paramiko", BOT),
    first("jsch", "JSch", BOT),
    first("asyncssh", "AsyncSSH", BOT),
    // Version control and people's own HTTP tools.
    first("git", "git", PERSON),
    first("jgit", "JGit", PERSON),
    first("github cli", "GitHub CLI", PERSON),
    first("postmanruntime", "Postman", PERSON),
    first("insomnia", "Insomnia", PERSON),
    // HTTP libraries and fetchers.
    first("curl", "curl", BOT),
    first("pycurl", "PycURL", BOT),
    first("wget", "Wget", BOT),
    first("python-requests", "Python Requests", BOT),
    first("python-urllib", "Python-urllib", BOT),
    first("python-httpx", "python-httpx", BOT),
    first("aiohttp", "aiohttp", BOT),
    first("python", "Python", BOT),
    first("go-http-client", "Go-http-client", BOT),
    first("okhttp", "okhttp", BOT),
    first("axios", "axios", BOT),
    first("node", "Node.js", BOT),
    first("undici", "undici", BOT),
    first("apache-httpclient", "Apache-HttpClient", BOT),
    first("java", SELF, BOT),
];

/// What a tool's user agent tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// Absent: no better name than the general rules have.
    pub(super) family: Option<&'static str>,
    /// The word by which the tool names itself, for want of any other name.
    pub(super) word: String,
    pub(super) device: DeviceType,
    /// Major version; 0: not told.
    pub(super) version: u32,
    /// Operating system that the general rules overlook in tools' user agents.
    pub(super) os: Option<&'static str>,
}

/// How SDKs and Go programs name their systems (AWS SDK user agent 2.0, Go's `GOOS`), in lower case.
static SYSTEMS: [(&str, &str); 5] = [
    ("os/macos", "Mac OS X"),
    ("darwin", "Mac OS X"),
    ("os/windows", "Windows"),
    ("windows/", "Windows"),
    ("linux", "Linux"),
];

/// The tool that a user agent names.
pub(super) fn named(user_agent: &str) -> Option<Named> {
    let lower = user_agent.to_ascii_lowercase();
    let lower = ["ssh-2.0-", "ssh-1.99-"]
        .into_iter()
        .find_map(|banner| lower.strip_prefix(banner))
        .unwrap_or(&lower);
    if is_aws_service(lower) {
        return Some(Named {
            family: Some("AWS service"),
            word: String::new(),
            device: DeviceType::Unknown,
            version: 0,
            os: None,
        });
    }
    let (tool, at) = TOOLS
        .iter()
        .find_map(|tool| Some((tool, position(lower, tool)?)))?;
    let rest = lower.get(at + tool.word.len()..).unwrap_or_default();
    let word = lower.get(at..).unwrap_or_default().split(['/', ' ']).next();
    let system = SYSTEMS.iter().find(|(mark, _)| lower.contains(mark));
    Some(Named {
        family: Some(tool.family).filter(|family| *family != SELF),
        word: word.unwrap_or_default().to_owned(),
        device: tool.device,
        version: version_in(rest),
        os: system.map(|(_, os)| *os),
    })
}

/// `cloudformation.amazonaws.com`, `AWS Internal`: a service that acted for somebody.
fn is_aws_service(lower: &str) -> bool {
    lower == "aws internal" || (lower.ends_with(".amazonaws.com") && !lower.contains([' ', '/']))
}

/// Where the tool's word begins. A word begins after anything that is no letter and no digit; a first word must not
/// run on into another one (`node` is not `nodemailer`), unless its pattern ends in a mark that asks for more.
fn position(lower: &str, tool: &Tool) -> Option<usize> {
    let ends_word = |at: usize| {
        let open = tool.word.ends_with(['-', ' ']);
        let next = lower.as_bytes().get(at + tool.word.len());
        open || !next.is_some_and(u8::is_ascii_alphabetic) || tool.anywhere
    };
    if !tool.anywhere {
        return (lower.starts_with(tool.word) && ends_word(0)).then_some(0);
    }
    lower.match_indices(tool.word).map(|(at, _)| at).find(|at| {
        let before = at.checked_sub(1).and_then(|before| lower.as_bytes().get(before));
        !before.is_some_and(u8::is_ascii_alphanumeric)
    })
}

/// The number after the first `/` or `_` of the same word: `kubectl/v1.28.2`, `OpenSSH_9.6`.
fn version_in(rest: &str) -> u32 {
    let word = rest.split([' ', ';', '(', ')']).next().unwrap_or_default();
    let Some((_, version)) = word.split_once(['/', '_']) else {
        return 0;
    };
    super::names::major(version.trim_start_matches('v'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(user_agent: &str) -> Option<(&'static str, DeviceType, u32)> {
        named(user_agent).map(|tool| (tool.family.unwrap_or("its own word"), tool.device, tool.version))
    }

    #[test]
    fn words_are_lower_case_and_no_line_is_dead() {
        for (at, tool) in TOOLS.iter().enumerate() {
            assert_eq!(tool.word, tool.word.to_ascii_lowercase());
            let found = TOOLS
                .iter()
                .position(|other| position(tool.word, other).is_some());
            assert_eq!(found, Some(at), "{} is hidden by an earlier line", tool.word);
        }
    }

    #[test]
    fn words_are_whole() {
        assert_eq!(told("nodemailer/6.1"), None);
        assert_eq!(told("curlew/1.0"), None);
        assert_eq!(told("gitea/1.20"), None);
        assert_eq!(told("Mozilla/5.0 (Windows NT 10.0) Chrome/126.0"), None);
        assert_eq!(told("OC/15.0 (Skype for Business)"), None);
        assert_eq!(
            told("curl/7.29.0 libcurl/7.29.0 libssh2/1.4.2"),
            Some(("curl", BOT, 7))
        );
        assert_eq!(told("aws-sdk-ruby3/3.1 os/macos"), Some(("its own word", BOT, 3)));
        assert_eq!(told("node"), Some(("Node.js", BOT, 0)));
        assert_eq!(told("git/2.45.1"), Some(("git", PERSON, 2)));
    }

    #[test]
    fn services_are_not_people() {
        assert_eq!(told("signin.amazonaws.com"), Some(("AWS service", UNKNOWN, 0)));
        assert_eq!(told("AWS Internal"), Some(("AWS service", UNKNOWN, 0)));
        assert_eq!(told("Mozilla/5.0 example.amazonaws.com"), None);
    }
}
