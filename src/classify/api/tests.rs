//! What calls of each API come to.

use crate::classify::seen;

fn check(name: &str, arguments: &str, expected: &str) {
    assert_eq!(seen::api(name, arguments), expected, "{name} {arguments}");
}

#[test]
fn aws_is_described_by_its_command_line() {
    check("s3.amazonaws.com:DeleteBucket", r#"{"bucketName":"b"}"#, "drop Bucket `b`");
    check("s3:DeleteBucket", r#"{"Bucket":"b"}"#, "drop Bucket `b`");
    check(
        "ec2:TerminateInstances",
        r#"{"instancesSet":{"items":[{"instanceId":"i-1"},{"instanceId":"i-2"}]}}"#,
        "drop Instance `i-1`\ndrop Instance `i-2`",
    );
    check(
        "rds:DeleteDBInstance",
        r#"{"dBInstanceIdentifier":"d","skipFinalSnapshot":true}"#,
        "drop Database `d` guard-off",
    );
    check(
        "ec2:AuthorizeSecurityGroupIngress",
        r#"{"cidrIp":"198.51.100.7/0","groupId":"sg-1"}"#,
        "disable Safeguard `sg-1 public`",
    );
    check("iam.amazonaws.com:DeleteRole", r#"{"roleName":"r"}"#, "drop Role `r`");
    check("lambda:DeleteFunction20150331", r#"{"functionName":"f"}"#, "delete Workload `f`");
    check("ecs:UpdateService", r#"{"cluster":"c","service":"w","desiredCount":0}"#, "stop Workload `c/w`");
    check(
        "ec2:StopInstances",
        r#"{"instancesSet":{"items":[{"instanceId":"i-1"}]},"dryRun":true}"#,
        "stop Instance `i-1` dry-run",
    );
}

#[test]
fn what_nobody_listed_goes_by_its_verb_or_is_a_gap() {
    check("newsvc:DeleteThing", r#"{"thingId":"t"}"#, "delete Item `t`");
    check(
        "newsvc:FrobTree",
        r#"{"treeId":"t"}"#,
        "unknown Item `` unknown unresolved\ngap unknown-tool hides anything: newsvc:FrobTree",
    );
    check(
        "s3:DeleteBucket",
        r#"{"bucketName":"#,
        "drop Bucket ``\ngap unparsed hides anything: parameters of s3:DeleteBucket: EOF while parsing a value at line 1 column 14",
    );
}

#[test]
fn requests_to_a_cluster_say_what_they_are_about() {
    check("kubernetes:delete:namespaces", r#"{"name":"shop"}"#, "drop Namespace `shop` cascades");
    check("k8s:delete:pods", r#"{"namespace":"a","name":"b"}"#, "delete Workload `a/pods/b`");
    check(
        "kubernetes:create:pods/exec",
        r#"{"namespace":"a","name":"b","command":["cat","/etc/hosts"]}"#,
        "connect Workload `a/b`\nread File `/etc/hosts`",
    );
    check(
        "kubernetes:patch:deployments",
        r#"{"namespace":"a","name":"b","object":{"spec":{"replicas":0}}}"#,
        "stop Workload `a/b`",
    );
    check(
        "kubernetes:frob:trees",
        "{}",
        "unknown Item `` unknown unresolved\ngap unknown-tool hides anything: kubernetes:frob:trees",
    );
}
