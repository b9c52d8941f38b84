//! Operations of cloud APIs whose names do not say what they come to: `StopLogging`, `ScheduleKeyDeletion`.

use serde_json::Value;

use crate::model::{Certainty, Extent, Operation, Resource, ResourceKind, Zone};

use crate::classify::Scene;

use super::{Call, targets};

use Operation as O;
use ResourceKind as K;

/// Sorted by what they are about.
const OPERATIONS: &[(O, K, &str)] = &[
    // the memory of what happened
    (
        O::Disable,
        K::Log,
        "StopLogging DeleteTrail DeleteFlowLogs PutEventSelectors StopConfigurationRecorder DeleteConfigurationRecorder",
    ),
    (O::Rewrite, K::Log, "DeleteLogGroup DeleteLogStream PurgeLogs"),
    // what protects
    (
        O::Disable,
        K::Safeguard,
        "DeleteDetector DisassociateFromMasterAccount DeleteAlarms DisableAlarmActions DisableSecurityHub DisableMacie DeletePublicAccessBlock DeleteBucketPublicAccessBlock DeleteBucketEncryption DeleteWebACL DisableRule DeactivateMFADevice DeleteVirtualMFADevice DeleteAccountPasswordPolicy DisableTerminationProtection DeleteBackupVaultLockConfiguration",
    ),
    (
        O::Alter,
        K::Safeguard,
        "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress RevokeSecurityGroupEgress ModifySecurityGroupRules UpdateDetector PutBucketPublicAccessBlock",
    ),
    // keys and secrets
    (O::Drop, K::Key, "ScheduleKeyDeletion DisableKey DestroyCryptoKeyVersion DeleteImportedKeyMaterial"),
    (
        O::Read,
        K::Secret,
        "GetSecretValue BatchGetSecretValue GetParameter GetParameters GetParametersByPath AccessSecretVersion GetPasswordData GetSessionToken GetFederationToken ListKeys listKeys GetAuthorizationToken",
    ),
    (
        O::Create,
        K::Secret,
        "CreateAccessKey CreateServiceAccountKey CreateLoginProfile UpdateLoginProfile CreateServiceSpecificCredential",
    ),
    // who may do what
    (O::Escalate, K::Role, "AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity SwitchRole GenerateAccessToken"),
    (
        O::Grant,
        K::Role,
        "AttachUserPolicy AttachRolePolicy AttachGroupPolicy PutUserPolicy PutRolePolicy PutGroupPolicy AddUserToGroup AddRoleToInstanceProfile UpdateAssumeRolePolicy CreatePolicyVersion SetDefaultPolicyVersion SetIamPolicy PassRole",
    ),
    (
        O::Revoke,
        K::Role,
        "DetachUserPolicy DetachRolePolicy DetachGroupPolicy DeleteUserPolicy DeleteRolePolicy DeleteGroupPolicy RemoveUserFromGroup",
    ),
    (O::Grant, K::Bucket, "PutBucketPolicy PutBucketAcl DeleteBucketPolicy"),
    (O::Grant, K::Object, "PutObjectAcl"),
    (O::Grant, K::Routine, "AddPermission"),
    // data that leaves
    (O::Export, K::Backup, "ModifySnapshotAttribute ModifyDBSnapshotAttribute ModifyDBClusterSnapshotAttribute"),
    (O::Export, K::Image, "ModifyImageAttribute"),
    (O::Export, K::Database, "StartExportTask ExportTableToPointInTime"),
    // sign in
    (O::Connect, K::Account, "ConsoleLogin SwitchUser UserLoggedIn"),
    (O::Read, K::Account, "GetCallerIdentity"),
    // what runs
    (O::Execute, K::Instance, "SendCommand StartSession RunCommand runCommand SendSSHPublicKey"),
    (O::Delete, K::Instance, "TerminateInstances"),
    (O::Stop, K::Instance, "StopInstances RebootInstances StopDBInstance StopDBCluster"),
    (O::Drop, K::Database, "DeleteDBInstance DeleteDBCluster DeleteGlobalCluster"),
    (O::Drop, K::Stack, "DeleteStack DeleteStackSet"),
    (O::Drop, K::Account, "LeaveOrganization CloseAccount DeleteOrganization"),
    (
        O::Delete,
        K::Backup,
        "DeleteSnapshot DeleteDBSnapshot DeleteDBClusterSnapshot DeleteRecoveryPoint DeleteBackup DeregisterImage DeleteBackupVault",
    ),
    (O::Delete, K::Object, "DeleteObject DeleteObjects DeleteObjectVersion"),
    (
        O::Alter,
        K::Bucket,
        "PutBucketLifecycle PutBucketLifecycleConfiguration PutBucketVersioning PutBucketReplication",
    ),
    (O::Alter, K::Database, "ModifyDBInstance ModifyDBCluster"),
];

/// Notes what a listed operation does; `false` when it is not listed.
pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> bool {
    let Some(&(operation, kind, _)) =
        OPERATIONS.iter().find(|(_, _, names)| names.split(' ').any(|name| name == call.name.last))
    else {
        return false;
    };
    let (name, _) = targets::named(call, kind);
    let mut effect = call.effect(operation, Resource::new(kind, name.unwrap_or_default()), Extent::One);
    effect.certainty = Certainty::Exact;
    if operation == O::Export {
        let text = Value::Object(call.arguments.values.clone()).to_string();
        if text.contains("\"remove\"") && !text.contains("\"add\"") {
            effect.operation = O::Revoke;
        } else {
            effect.zone = Some(if text.contains("\"all\"") { Zone::External } else { Zone::Unknown });
        }
    }
    scene.effect(effect);
    true
}
