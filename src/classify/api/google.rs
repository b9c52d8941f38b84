//! Google Cloud: `compute.googleapis.com:v1.compute.instances.delete`, `google.iam.admin.v1.CreateServiceAccountKey`.

use serde_json::{Map, Value};

use super::Call;
use super::options::{Options, kebab};

/// The words of a call: the service, what it is about in the plural, the verb.
pub(super) fn call(name: &str, values: &Map<String, Value>) -> Option<Call> {
    let (service, method) = match name.split_once(".googleapis.com:") {
        Some((service, method)) => (service, method),
        None => (service_of(name)?, name),
    };
    let (noun, verb) = taken_apart(method)?;
    let mut options = Options::dotted(values);
    // `projects/p/zones/z/instances/i`: the last part is the name, the one behind `projects` the account.
    // A call that was written down without its resource says `name` among its parameters.
    let resource = options.value("--resourceName").or_else(|| options.value("--name")).map(str::to_owned);
    let resource = resource.unwrap_or_default();
    let parts: Vec<&str> = resource.split('/').collect();
    let behind = |word: &str| parts.iter().position(|part| *part == word).and_then(|at| parts.get(at + 1)).copied();
    if let Some(last) = parts.last().filter(|last| !last.is_empty() && **last != "_") {
        options.push("--which".to_owned(), Some((*last).to_owned()));
    }
    for (part, option) in [("projects", "--project"), ("clusters", "--cluster"), ("buckets", "--bucket")] {
        if let Some(value) = behind(part).filter(|value| *value != "_") {
            options.push(option.to_owned(), Some(value.to_owned()));
        }
    }
    let words = vec![service.to_owned(), noun, verb];
    Some(Call { programs: &["api:google"], words, options, runs: Vec::new() })
}

/// The service of a method that is not named beside it.
fn service_of(method: &str) -> Option<&str> {
    if method.contains(':') {
        return None;
    }
    let mut parts = method.split('.');
    let first = parts.next()?;
    if first == "google" {
        // `google.cloud.sql.v1.SqlInstancesService.Delete`, `google.iam.admin.v1.CreateRole`.
        return method.split('.').nth(1).map(|second| match second {
            "cloud" => method.split('.').nth(2).unwrap_or(second),
            second => second,
        });
    }
    let version = is_version(first);
    let service = if version { parts.next()? } else { first };
    let known = ["compute", "storage", "cloudsql", "dns", "container", "iam", "logging", "bigquery"].contains(&service);
    (version || known).then_some(service).filter(|_| method.matches('.').count() >= 2)
}

fn is_version(word: &str) -> bool {
    let digits = word.strip_prefix('v').unwrap_or("");
    matches!(word, "beta" | "alpha") || digits.starts_with(|letter: char| letter.is_ascii_digit())
}

/// `v1.compute.instances.setMetadata` is about `instances`, and `set-metadata` is done to them.
fn taken_apart(method: &str) -> Option<(String, String)> {
    let parts: Vec<&str> = method.split('.').filter(|part| !is_version(part)).collect();
    let (last, before) = parts.split_last()?;
    if last.starts_with(|letter: char| letter.is_ascii_uppercase()) {
        // A remote procedure: its name has verb and noun, or its service has the noun.
        let words = kebab(last);
        return Some(match words.split_once('-') {
            Some((verb, noun)) => (plural(noun), verb.to_owned()),
            None => {
                let service = kebab(before.last()?);
                (plural(service.trim_end_matches("-service")), words)
            }
        });
    }
    Some((kebab(before.last()?), kebab(last)))
}

fn plural(noun: &str) -> String {
    match noun {
        "iam-policy" => noun.to_owned(),
        _ if noun.ends_with('s') => noun.to_owned(),
        _ if noun.ends_with("cy") => format!("{}ies", &noun[..noun.len() - 1]),
        _ => format!("{noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::taken_apart;

    #[test]
    fn methods_of_both_styles_are_taken_apart() {
        for (method, noun, verb) in [
            ("v1.compute.instances.delete", "instances", "delete"),
            ("beta.compute.networks.insert", "networks", "insert"),
            ("storage.buckets.delete", "buckets", "delete"),
            ("google.iam.admin.v1.CreateServiceAccountKey", "service-account-keys", "create"),
            ("google.cloud.sql.v1.SqlInstancesService.Delete", "sql-instances", "delete"),
            ("SetIamPolicy", "iam-policy", "set"),
        ] {
            let expected = Some((noun.to_owned(), verb.to_owned()));
            assert_eq!(taken_apart(method), expected, "{method}");
        }
    }
}
