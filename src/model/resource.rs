//! The thing an effect acts upon.

use super::words;

/// The thing acted upon: what it is, what it is called, and what is known about where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Resource {
    pub kind: ResourceKind,
    /// As normalised as can be: an absolute path, `schema.table`, `namespace/pod`, `owner/repo`. Empty when the
    /// text does not say which one.
    pub name: String,
    pub areas: Areas,
    /// The name could not be resolved (a variable, a substitution): another name could have other areas.
    pub unresolved: bool,
}

impl Resource {
    pub fn new(kind: ResourceKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), areas: Areas::default(), unresolved: false }
    }
}

words! {
    /// Every kind of thing a policy can name; each is an entity type of the policy schema.
    ResourceKind {
        // Hosts
        File = "File",
        Folder = "Folder",
        /// A disk, a partition, or its device file.
        Device = "Device",
        Process = "Process",
        Service = "Service",
        Host = "Host",
        Package = "Package",
        /// A user, a role or a group, of a host, a database or a cloud.
        Role = "Role",
        /// A network, an interface, a DNS zone or a route.
        Network = "Network",
        // Databases
        Column = "Column",
        Table = "Table",
        View = "View",
        Index = "Index",
        Schema = "Schema",
        Database = "Database",
        /// A database server as a whole: its settings, its sessions.
        Server = "Server",
        /// A function, a procedure or a trigger.
        Routine = "Routine",
        // Code and its history
        Repository = "Repository",
        /// A branch, a tag or the history under it.
        Branch = "Branch",
        /// Work that is not committed yet.
        WorkingTree = "WorkingTree",
        /// Something that is run: a script, a downloaded program, a string handed to an interpreter.
        Code = "Code",
        // Containers and clusters
        Container = "Container",
        Image = "Image",
        Volume = "Volume",
        Cluster = "Cluster",
        Namespace = "Namespace",
        /// A pod, a deployment, a job, a node group: what runs.
        Workload = "Workload",
        Node = "Node",
        // Clouds and services
        Bucket = "Bucket",
        Object = "Object",
        Secret = "Secret",
        /// A key of a key management service: what it encrypts is lost with it.
        Key = "Key",
        Instance = "Instance",
        Queue = "Queue",
        /// A cloud account, project, organisation or subscription.
        Account = "Account",
        /// A set of infrastructure managed as one: a terraform state, a CloudFormation stack, a helm release.
        Stack = "Stack",
        Backup = "Backup",
        /// A log, an audit trail, a reflog: the memory of what happened.
        Log = "Log",
        /// What protects: a firewall, a hook, a protection flag, an approval, a scanner.
        Safeguard = "Safeguard",
        /// An e-mail, a post, a comment, an issue: text that others read.
        Message = "Message",
        /// A web address or host that is talked to.
        Endpoint = "Endpoint",
        /// Anything else that a service keeps under a name.
        Item = "Item",
    }
}

words! {
    /// What is known about where a resource stands. A resource can stand in several areas at once.
    Area {
        /// `/` itself, or everything directly in it.
        Root = "root",
        /// What the operating system needs: `/etc`, `/usr`, `C:\Windows` …
        System = "system",
        /// A home folder itself, or everything directly in it.
        Home = "home",
        /// Below a home folder.
        InHome = "in-home",
        /// The working folder of the session itself, or everything in it.
        WorkspaceRoot = "workspace-root",
        /// Below the working folder of the session.
        Workspace = "workspace",
        /// A path that is known to stand outside the working folder.
        Outside = "outside",
        /// `.git` and the like.
        VersionControl = "version-control",
        Temporary = "temporary",
        /// Can be made again from what is kept: `node_modules`, `target`, `dist`, caches.
        Artefact = "artefact",
        /// Keys, tokens, password stores, `.env` files.
        Credential = "credential",
        /// Where a database server keeps its files.
        DatabaseFiles = "database-files",
        /// A device file that means a disk.
        Device = "device",
        /// The root of a mounted file system.
        Mount = "mount",
        /// Run at log-in or start-up: `.bashrc`, `crontab`, `/etc/init.d`.
        Startup = "startup",
        /// Configuration of agents, hooks and guards, ours among them.
        Guard = "guard",
        /// System and audit logs, shell histories.
        Logs = "logs",
        /// `/dev/null`, `/dev/stdout`: writing there changes nothing.
        Sink = "sink",
        /// A temporary or session-local thing: `CREATE TEMP TABLE`, `#t`, `mktemp`.
        Ephemeral = "ephemeral",
        /// The database's own catalogue, or a cluster's own namespace.
        Internal = "internal",
        /// The branch or environment that others build on: `main`, `master`, `release/…`.
        Protected = "protected",
        /// Made earlier by this very session.
        OwnWork = "own-work",
        /// Written with so many `..` that the path leaves the folder it begins in: `/srv/app/../../etc/passwd`.
        Climbed = "climbed",
    }
}

/// A set of [`Area`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Areas(pub u32);

impl Areas {
    pub const fn of(areas: &[Area]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < areas.len() {
            bits |= 1 << areas[at] as u32;
            at += 1;
        }
        Self(bits)
    }

    #[must_use]
    pub const fn with(self, area: Area) -> Self {
        Self(self.0 | 1 << area as u32)
    }

    pub const fn has(self, area: Area) -> bool {
        self.0 & 1 << area as u32 != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Area> {
        Area::ALL.iter().copied().filter(move |area| self.has(*area))
    }
}

// One bit each in `Areas`.
const _: () = assert!(Area::ALL.len() <= 32);
