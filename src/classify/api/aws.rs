//! AWS: `s3.amazonaws.com:DeleteBucket` is what `aws s3api delete-bucket` calls.

use serde_json::{Map, Value};

use super::Call;
use super::options::{Options, kebab};

/// Services whose name in an event's source is not the one on the command line.
const SERVICES: &[(&str, &str)] = &[
    ("s3", "s3api"),
    ("s3express", "s3api"),
    ("s3-control", "s3control"),
    ("monitoring", "cloudwatch"),
    ("states", "stepfunctions"),
    ("config", "configservice"),
    ("elasticmapreduce", "emr"),
    ("elasticloadbalancing", "elbv2"),
    ("elasticfilesystem", "efs"),
    ("tagging", "resourcegroupstaggingapi"),
    ("access-analyzer", "accessanalyzer"),
    ("cloudhsm", "cloudhsmv2"),
    ("aoss", "opensearchserverless"),
    ("cassandra", "keyspaces"),
    ("timestream", "timestream-write"),
    ("sso", "sso-admin"),
    ("airflow", "mwaa"),
    ("email", "ses"),
    ("docdb-elastic", "docdb"),
];

/// Parameters that the log calls otherwise than the command line.
const PARAMETERS: &[(&str, &str)] = &[
    ("bucket-name", "bucket"),
    ("bucket-policy", "policy"),
    ("x-amz-acl", "acl"),
    ("x-amz-copy-source", "copy-source"),
    ("cidr-ip", "cidr"),
    ("policy-text", "policy"),
    ("access-control-policy", "grant-policy"),
    ("access-control-list", "grant-list"),
];

/// The words of a call that names a service of AWS and an operation.
pub(super) fn call(name: &str, values: &Map<String, Value>) -> Option<Call> {
    let (source, operation) = name.rsplit_once(':')?;
    let service = source.strip_suffix(".amazonaws.com").or(Some(source).filter(|source| is_service(source)))?;
    let service = service.split('.').next().unwrap_or(service);
    let operation = without_version(operation);
    if !operation.starts_with(|letter: char| letter.is_ascii_uppercase()) {
        return None;
    }
    let known = SERVICES.iter().find(|(source, _)| *source == service);
    let service = known.map_or(service, |(_, service)| service);
    let renamed = |name: &str| {
        let other = PARAMETERS.iter().find(|(known, _)| *known == name).map(|(_, other)| *other);
        other.filter(|_| service.starts_with("s3") || !matches!(name, "bucket-name" | "policy-text"))
    };
    let mut options = Options::kebab(values, renamed);
    options.given.retain(|(name, value)| value.as_deref() != Some("") || name != "--policy" && name != "--acl");
    // Lambda says some names only within what they stand in.
    if options.value("--function-name").is_none()
        && let Some(Value::Object(target)) = values.get("fullyQualifiedArn").and_then(|arn| arn.get("relativeId"))
    {
        options.given.extend(Options::kebab(target, |_| None).given);
    }
    let words = vec![service.to_owned(), kebab(operation)];
    Some(Call { programs: &["api:aws", "aws"], words, options, runs: Vec::new() })
}

fn is_service(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// `UpdateFunctionCode20150331v2` and `CreateDistribution2020_05_31` carry the version of their API.
fn without_version(operation: &str) -> &str {
    let stem = operation.rsplit_once('v').filter(|(_, digits)| digits.len() == 1).map_or(operation, |(stem, _)| stem);
    for width in [8, 10] {
        let Some(at) = stem.len().checked_sub(width).filter(|at| *at > 0 && stem.is_char_boundary(*at)) else {
            continue;
        };
        let date = stem[at..].bytes().all(|byte| byte.is_ascii_digit() || width == 10 && byte == b'_');
        if date && stem[at..].starts_with("20") {
            return &stem[..at];
        }
    }
    operation
}

#[cfg(test)]
mod tests {
    use super::without_version;

    #[test]
    fn versions_are_no_part_of_an_operation() {
        for (written, name) in [
            ("UpdateFunctionCode20150331v2", "UpdateFunctionCode"),
            ("DeleteFunction20150331", "DeleteFunction"),
            ("CreateDistribution2020_05_31", "CreateDistribution"),
            ("ListObjectsV2", "ListObjectsV2"),
            ("20200531", "20200531"),
        ] {
            assert_eq!(without_version(written), name);
        }
    }
}
