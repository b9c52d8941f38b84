//! A web address taken apart, and how far away its host is.

use crate::model::{Place, PlaceKind, Resource, ResourceKind, Zone};

use crate::classify::Word;

/// A web address as far as it is known.
#[derive(Clone, Debug)]
pub struct Address {
    /// Lower case, without user, port and brackets; empty when it is not known.
    pub host: String,
    pub port: Option<u16>,
    /// From the first `/` on, without query and fragment; may hold `$unknown` parts as written.
    pub path: String,
    pub query: String,
    pub zone: Zone,
    /// A part of host or path is not known.
    pub unresolved: bool,
}

impl Address {
    /// Takes an address apart; one without a scheme is read as HTTP, as `curl` does.
    pub fn of(url: &Word) -> Self {
        let text = url.text.trim();
        let start = text.find("://").filter(|at| *at <= 12).map_or(0, |at| at + 3);
        let rest = &text[start..];
        let lead = start + (url.text.len() - url.text.trim_start().len());
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let (tail, _) = tail.split_once('#').unwrap_or((tail, ""));
        let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
        let host_unknown = url.unknown.iter().any(|part| part.start < lead + end && part.end > lead);
        let path_end = lead + end + path.len();
        let path_unknown = url.unknown.iter().any(|part| part.start < path_end && part.end > lead + end);
        let (host, port) = host_and_port(authority);
        let zone = if host_unknown || host.is_empty() { Zone::Unknown } else { zone(&host) };
        Self {
            host: if host_unknown { String::new() } else { host },
            port,
            path: path.to_owned(),
            query: query.to_owned(),
            zone,
            unresolved: host_unknown || path_unknown,
        }
    }

    /// Host and port, as written.
    pub fn authority(&self) -> String {
        self.port.map_or_else(|| self.host.clone(), |port| format!("{}:{port}", self.host))
    }

    /// The parts of the path that say something.
    pub fn path_segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.path.split('/').filter(|part| !part.is_empty())
    }

    pub(super) fn endpoint(&self) -> Resource {
        self.item(ResourceKind::Endpoint)
    }

    /// The thing under this address, named by host and path.
    pub(super) fn item(&self, kind: ResourceKind) -> Resource {
        let name = format!("{}{}", self.authority(), self.path.trim_end_matches('/'));
        Resource { unresolved: self.unresolved, ..Resource::new(kind, name) }
    }

    /// Whether the query switches one of `names` on.
    pub(super) fn query_says(&self, names: &[&str]) -> bool {
        self.query.split('&').any(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            names.iter().any(|wanted| name.eq_ignore_ascii_case(wanted)) && !matches!(value, "false" | "0" | "no")
        })
    }

    pub(super) fn places(&self) -> Vec<Place> {
        let known = (!self.host.is_empty()).then(|| Place { kind: PlaceKind::Host, name: self.host.clone() });
        known.into_iter().collect()
    }

    /// The output of a command stands in the path or the query: data leaves by the address alone.
    pub(super) fn carries_substitution(&self, url: &Word) -> bool {
        let host = url.text.find("://").map_or(0, |at| at + 3);
        let path = url.text[host..].find('/').map_or(usize::MAX, |at| host + at);
        url.unknown.iter().any(|part| part.substitution && part.start > path)
    }
}

fn host_and_port(authority: &str) -> (String, Option<u16>) {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if let Some((host, rest)) = host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        return (host.to_ascii_lowercase(), rest.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') => {
            (name.trim_end_matches('.').to_ascii_lowercase(), port.parse().ok())
        }
        _ => (host.trim_end_matches('.').to_ascii_lowercase(), None),
    }
}

/// How far away a host is, by its name or number.
pub(crate) fn zone(host: &str) -> Zone {
    let host = host.trim_matches(['[', ']']);
    if let Ok(address) = host.parse::<std::net::IpAddr>() {
        return ip_zone(address);
    }
    // `curl 2130706433` and `0x7f.1` reach an address as well; what is all digits is no public name.
    if !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return host.parse::<u32>().map_or(Zone::Unknown, |number| ip_zone(std::net::Ipv4Addr::from(number).into()));
    }
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| host.ends_with(suffix));
    if host.contains(".svc.") || host.ends_with(".cluster.local") {
        Zone::Private
    } else if host == "localhost" || ends(&[".localhost", ".local"]) || matches!(host, "host.docker.internal") {
        Zone::Local
    } else if !host.contains('.')
        || ends(&[".internal", ".svc", ".lan", ".corp", ".home", ".intranet", ".private", ".localdomain", ".home.arpa"])
    {
        Zone::Private
    } else {
        Zone::External
    }
}

fn ip_zone(address: std::net::IpAddr) -> Zone {
    match address {
        std::net::IpAddr::V4(v4) if v4.is_loopback() || v4.is_unspecified() => Zone::Local,
        std::net::IpAddr::V4(v4) if v4.is_private() || v4.is_link_local() => Zone::Private,
        // Carrier-grade NAT is what overlay networks use.
        std::net::IpAddr::V4(v4) if v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64 => Zone::Private,
        std::net::IpAddr::V4(_) => Zone::External,
        std::net::IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => ip_zone(v4.into()),
            None if v6.is_loopback() || v6.is_unspecified() => Zone::Local,
            None if v6.segments()[0] & 0xfe00 == 0xfc00 || v6.segments()[0] & 0xffc0 == 0xfe80 => Zone::Private,
            None => Zone::External,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: &str) {
        let address = Address::of(&Word::known(url));
        assert_eq!(format!("{} {} {}", address.authority(), address.path, address.zone), expected, "{url}");
    }

    #[test]
    fn addresses_come_apart() {
        check("https://u:p@Example.com:8443/a/b?c#d", "example.com:8443 /a/b external");
        check("example.com", "example.com  external");
        check("http://[::1]:9200/_all", "::1:9200 /_all local");
    }

    #[test]
    fn zones_go_by_name_and_number() {
        check("http://127.9.9.9/", "127.9.9.9 / local");
        check("http://db.prod.svc.cluster.local/", "db.prod.svc.cluster.local / private");
        check("http://172.16.0.1/", "172.16.0.1 / private");
        check("http://172.32.0.1/", "172.32.0.1 / external");
        check("http://api:3000/x", "api:3000 /x private");
        check("http://2130706433/x", "2130706433 /x local");
    }
}
