//! Conditions on a command line: `["-d & !-n", "--mode=hard|keep", "#0"]`.

use serde::Deserialize;

use super::call::Call;
use super::pattern::{matches, strings};
use super::template::Ref;

/// Holds when any of its lines holds; a line holds when all its tests do. The empty one never holds.
#[derive(Debug, Default)]
pub(super) struct Condition(Vec<Vec<Test>>);

#[derive(Debug)]
struct Test {
    negated: bool,
    what: What,
}

#[derive(Debug)]
enum What {
    Always,
    /// Something is connected to standard input.
    Stdin,
    /// `--flag`, `@0`, `$X`, with the values it may have.
    Given(Ref, Vec<Box<str>>),
    /// `#0`, `#>1`, `#<2`: how many operands there are.
    Count(std::cmp::Ordering, usize),
}

impl Condition {
    pub(super) fn holds(&self, call: &Call<'_>) -> bool {
        self.0.iter().any(|line| line.iter().all(|test| test.holds(call)))
    }

    /// Whether it asks about a variable of the shell.
    pub(super) fn asks_for_variables(&self) -> bool {
        self.0.iter().flatten().any(|test| matches!(&test.what, What::Given(Ref::Variable(_), _)))
    }

    /// The options it asks about, and whether it asks for their value.
    pub(super) fn flags(&self) -> impl Iterator<Item = (&Ref, bool)> {
        self.0.iter().flatten().filter_map(|test| match &test.what {
            What::Given(reference, values) => Some((reference, !values.is_empty())),
            _ => None,
        })
    }
}

/// What keeps watch over a machine: security agents, audit, firewalls, confinement, logs. `%guards` in a condition.
const GUARDS: &str = "auditd*|ufw*|firewalld*|apparmor*|fail2ban*|nftables*|iptables*|ip6tables*|netfilter-persistent*|\
    rsyslog*|syslog-ng*|systemd-journald*|falco*|osquery*|crowdstrike*|falcon-sensor*|wazuh*|ossec*|clamav*|clamd*|\
    unattended-upgrades*|mdatp*|sentinelone*|sentineld*|cbagentd*|cbdaemon*|sysmon*|samhain*|aide|tripwire*|rkhunter*|crowdsec*|\
    selinux-policy*|aws-guardduty*|amazon-guardduty*|ds_agent*|xagt|xagt.service|elastic-agent*|auditbeat*|filebeat*|packetbeat*|\
    qualys-cloud-agent*|nessusagent*|tetragon*|tracee*|snort*|suricata*|usbguard*|opensnitch*|santa|santad|esets*|sophos*|sav-protect*|\
    traps_pmd*|cortex-agent*|com.crowdstrike.*|com.microsoft.wdav*|com.sentinelone.*|*santad*|com.apple.XProtect*|\
    com.apple.auditd*|com.apple.syslogd*|com.apple.alf*|com.apple.MRT*";

/// The values of a test, with the lists that have a name of their own.
fn named(values: &str) -> Vec<Box<str>> {
    let values = values.split('|');
    values
        .flat_map(|value| if value == "%guards" { GUARDS } else { value }.split('|'))
        .map(|value| value.trim().into())
        .collect()
}

impl Test {
    fn parse(text: &str) -> Result<Self, String> {
        let (negated, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        let what = match text {
            "always" => What::Always,
            "stdin" => What::Stdin,
            _ => match text.strip_prefix('#') {
                Some(count) => {
                    let (order, number) = match count.as_bytes().first() {
                        Some(b'>') => (std::cmp::Ordering::Greater, &count[1..]),
                        Some(b'<') => (std::cmp::Ordering::Less, &count[1..]),
                        _ => (std::cmp::Ordering::Equal, count),
                    };
                    let number = number.parse().map_err(|_| format!("`#{count}` is no count, write `#0` or `#>1`"))?;
                    What::Count(order, number)
                }
                None => {
                    let (name, values) =
                        text.split_once('=').map_or((text, None), |(name, values)| (name, Some(values)));
                    let values = values.map_or(Vec::new(), named);
                    What::Given(Ref::parse(name)?, values)
                }
            },
        };
        Ok(Self { negated, what })
    }

    fn holds(&self, call: &Call<'_>) -> bool {
        let holds = match &self.what {
            What::Always => true,
            What::Stdin => call.invocation.stdin.connected,
            What::Count(order, number) => call.parsed.operands.len().cmp(number) == *order,
            What::Given(Ref::Flag(name), values) => call.has(|names| names.has(name), values),
            What::Given(Ref::FlagLike(like), values) => call.has(|names| names.any(|name| matches(like, name)), values),
            // What it is set to may be known only when it runs; that it is set is enough.
            What::Given(Ref::Variable(name), values) if values.is_empty() => call.sets(name),
            What::Given(reference, values) => {
                let words = reference.words(call);
                if values.is_empty() {
                    !words.is_empty()
                } else {
                    words.iter().any(|word| is_one_of(&word.text, values))
                }
            }
        };
        holds != self.negated
    }
}

pub(super) fn is_one_of(text: &str, values: &[Box<str>]) -> bool {
    values.iter().any(|value| **value == *text || value.contains('*') && matches(value, text))
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let lines = strings(deserializer, "a condition such as `--force & @0`, or a list of them")?;
        let parse = |line: &std::borrow::Cow<'_, str>| line.split(" & ").map(|test| Test::parse(test.trim())).collect();
        lines.iter().map(parse).collect::<Result<_, _>>().map(Self).map_err(serde::de::Error::custom)
    }
}
