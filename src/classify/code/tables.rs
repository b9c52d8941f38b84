//! What the calls of each language do, as data.

use crate::classify::Language;
use crate::model::{Extent, Operation};

use super::lexer::{Backtick, Interpolation, Syntax};

/// What a call does; arguments are counted from 0.
#[derive(Clone, Copy, Debug)]
pub(super) enum Does {
    /// The argument with this number is a file that is written.
    Onto(usize),
    /// Its first argument is a file, or a list of files.
    File(Operation, Extent),
    /// Every argument is a file.
    Files(Operation),
    /// Its first argument is a folder that goes with all in it.
    Tree,
    /// What it is called on is the file.
    OnFile(Operation, Extent),
    OnTree,
    /// The names in the folder, or those that the pattern fits.
    List,
    /// The names in the folder it is called on.
    OnList,
    /// A shell command on another machine.
    Remote,
    /// From the first to the second file; the operation is what happens to the first.
    Between(Operation),
    /// Opens a file; the argument with this number says what for.
    Open(usize),
    /// Opens the file it is called on; the first argument says what for.
    OnOpen,
    /// A shell command as text.
    Shell,
    /// A shell command as text, or the program's words as a list.
    Command,
    /// The program, then a list of its words.
    Spawn,
    /// One text is a shell command, several are words.
    Program,
    /// Code of the same language.
    Evaluate,
    /// Code of the same language where it is a text; a function otherwise.
    EvaluateText,
    /// The argument with this number is a file or module that is run.
    Load(usize),
    /// Bytes are made into objects, which runs whatever they ask for; the argument is what is read, or its path.
    Unpack,
    /// What it does is not read: native calls, a prompt that runs what is typed.
    Opaque,
    /// SQL.
    Sql,
    /// SQL in the second argument, over the connection in the first.
    SqlOver,
    /// A request; the first argument is the address. An empty method is in the options, or `GET`.
    Http(&'static str),
    /// A request; the method comes first.
    Request,
    /// A connection to the host in the first argument.
    Connect,
    /// Ends a process.
    Kill,
    /// Means the program of this name; what `chmod` and `chown` take first may stand behind the file.
    Like(&'static str),
    /// Sends what is given on a connection that is open already, or by mail.
    Send,
    /// `map(f, list)`: calls the first argument with every item of the second.
    Each,
}

use Does as D;
use Extent as E;
use Operation as O;

/// The call's row, by its whole name, its last two parts or (with a leading dot) its last part.
pub(super) fn find(language: Language, name: &str) -> Option<Does> {
    let table = match language {
        Language::Python => PYTHON,
        Language::JavaScript | Language::Mongo => JAVASCRIPT,
        Language::Ruby => RUBY,
        Language::Perl => PERL,
        Language::Php => PHP,
        Language::Lua => LUA,
        Language::R => R,
        Language::Go => GO,
        _ => return None,
    };
    let parts = name.rsplit('.');
    let last = parts.clone().next()?;
    let dots = || memchr::memrchr_iter(b'.', name.as_bytes());
    let two = dots().nth(1).map_or(name, |at| &name[at + 1..]);
    let row = |wanted: &str, method: bool| {
        let names = |list: &str| {
            list.split_ascii_whitespace().any(|it| match it.strip_prefix('.') {
                Some(it) => method && it == wanted,
                None => !method && it == wanted,
            })
        };
        table.iter().find(|(_, list)| names(list)).map(|row| row.0)
    };
    row(name, false)
        .or_else(|| row(two, false))
        .or_else(|| row(last, name.contains('.')).filter(|_| name.contains('.')))
}

const PYTHON: &[(Does, &str)] = &[
    (D::File(O::Delete, E::One), "os.remove os.unlink os.rmdir os.removedirs send2trash.send2trash path.remove"),
    (D::Tree, "shutil.rmtree dir_util.remove_tree distutils.dir_util.remove_tree"),
    (D::OnFile(O::Delete, E::One), ".unlink .rmdir"),
    (D::OnTree, ".rmtree"),
    (D::OnFile(O::Update, E::All), ".write_text .write_bytes .touch"),
    (D::File(O::Update, E::All), "os.truncate os.mknod"),
    // What OpenHands gives its agents to call.
    (D::File(O::Update, E::Some), "edit_file_by_replace edit_file_by_line insert_content_at_line append_file"),
    (D::File(O::Read, E::One), "open_file"),
    (D::Like("chmod"), "os.chmod os.lchmod"),
    (D::Like("chown"), "os.chown shutil.chown os.lchown"),
    (D::Send, ".sendall .sendmail .send_message .storbinary .storlines .sendfile sock.send s.send"),
    (D::File(O::Create, E::One), "os.mkdir os.makedirs"),
    (D::Like("mv"), "os.rename os.replace os.renames shutil.move"),
    (D::Between(O::Read), "shutil.copy shutil.copy2 shutil.copyfile shutil.copytree os.symlink os.link"),
    (D::List, "glob.glob glob.iglob os.listdir os.scandir os.walk"),
    (D::OnList, ".iterdir"),
    (D::OnFile(O::Read, E::One), ".read_text .read_bytes"),
    (D::Open(1), "open io.open codecs.open builtins.open"),
    (D::OnOpen, ".open"),
    (
        D::Shell,
        "os.system os.popen subprocess.getoutput subprocess.getstatusoutput commands.getoutput asyncio.create_subprocess_shell get_ipython.system .system",
    ),
    (
        D::Command,
        "subprocess.run subprocess.call subprocess.check_call subprocess.check_output subprocess.Popen pty.spawn",
    ),
    (D::Program, "os.execl os.execlp os.execle os.spawnlp os.spawnl asyncio.create_subprocess_exec"),
    (D::Spawn, "os.execv os.execvp os.execve os.spawnv os.spawnvp"),
    (D::Evaluate, "exec eval compile .runsource .runcode"),
    (D::EvaluateText, "timeit.timeit timeit.repeat cProfile.run profile.run pdb.run trace.run"),
    (D::Load(0), "importlib.import_module import_module __import__ runpy.run_path runpy.run_module execfile"),
    (
        D::Load(1),
        "imp.load_source importlib.util.spec_from_file_location util.spec_from_file_location SourceFileLoader machinery.SourceFileLoader",
    ),
    (D::Opaque, "code.interact code.InteractiveConsole os.posix_spawn os.posix_spawnp"),
    (
        D::Unpack,
        "pickle.load pickle.loads pickle.Unpickler cPickle.load cPickle.loads _pickle.loads dill.load dill.loads cloudpickle.load \
         cloudpickle.loads marshal.load marshal.loads jsonpickle.decode shelve.open joblib.load torch.load pd.read_pickle \
         pandas.read_pickle yaml.load yaml.load_all yaml.unsafe_load yaml.full_load",
    ),
    (
        D::Sql,
        ".execute .executemany .executescript .read_sql .read_sql_query .exec_driver_sql pd.read_sql .execute_sql",
    ),
    (
        D::Http("GET"),
        "requests.get httpx.get session.get urllib.request.urlretrieve request.urlretrieve wget.download client.get urllib2.urlopen http.get",
    ),
    (
        D::Http(""),
        "urllib.request.urlopen request.urlopen urlopen urllib.request.Request request.Request urllib2.Request",
    ),
    (D::Http("POST"), "requests.post httpx.post session.post client.post"),
    (D::Http("PUT"), "requests.put httpx.put session.put client.put"),
    (D::Http("PATCH"), "requests.patch httpx.patch session.patch client.patch"),
    (D::Http("DELETE"), "requests.delete httpx.delete session.delete client.delete"),
    (D::Http("HEAD"), "requests.head httpx.head"),
    (D::Request, "requests.request httpx.request session.request"),
    (
        D::Connect,
        "socket.create_connection .connect .connect_ex http.client.HTTPSConnection http.client.HTTPConnection smtplib.SMTP ftplib.FTP telnetlib.Telnet",
    ),
    (D::Remote, ".exec_command .sudo c.run conn.run connection.run"),
    (D::Kill, "os.kill os.killpg"),
];

const JAVASCRIPT: &[(Does, &str)] = &[
    (
        D::File(O::Delete, E::One),
        "fs.unlink fs.unlinkSync .unlinkSync promises.unlink fsp.unlink fs.rmdir fs.rmdirSync .rmdirSync promises.rmdir fsp.rmdir unlinkSync unlink",
    ),
    (
        D::Tree,
        "fs.rm fs.rmSync .rmSync promises.rm fsp.rm rmSync rimraf rimraf.sync rimrafSync fs.remove fs.removeSync fse.remove fse.removeSync fs.emptyDir fs.emptyDirSync fse.emptyDir fse.emptyDirSync del.sync deleteSync deleteAsync Deno.remove Deno.removeSync",
    ),
    (
        D::File(O::Update, E::All),
        "fs.writeFile fs.writeFileSync .writeFileSync promises.writeFile fsp.writeFile writeFileSync writeFile \
         fs.truncate fs.truncateSync .truncateSync fs.createWriteStream Bun.write Deno.writeTextFile Deno.writeFile outputFileSync",
    ),
    (D::File(O::Update, E::Some), "fs.appendFile fs.appendFileSync .appendFileSync promises.appendFile fsp.appendFile"),
    (
        D::File(O::Read, E::One),
        "fs.readFile fs.readFileSync .readFileSync promises.readFile fsp.readFile readFileSync fs.createReadStream Deno.readTextFile",
    ),
    (D::List, "fs.readdir fs.readdirSync .readdirSync promises.readdir Deno.readDirSync"),
    (D::File(O::Create, E::One), "fs.mkdir fs.mkdirSync .mkdirSync promises.mkdir fsp.mkdir"),
    (D::Like("chmod"), "fs.chmod fs.chmodSync promises.chmod Deno.chmod Deno.chmodSync"),
    (D::Like("chown"), "fs.chown fs.chownSync promises.chown"),
    (D::Like("mv"), "fs.rename fs.renameSync .renameSync promises.rename fsp.rename fse.move"),
    (D::Between(O::Read), "fs.copyFile fs.copyFileSync fs.cp fs.cpSync promises.cp promises.copyFile"),
    (
        D::Shell,
        "child_process.exec child_process.execSync cp.exec cp.execSync .execSync execSync shelljs.exec shell.exec execa.command execaCommand",
    ),
    (
        D::Spawn,
        "child_process.spawn child_process.spawnSync child_process.execFile child_process.execFileSync cp.spawn \
         cp.spawnSync cp.execFile cp.execFileSync Deno.Command .spawnSync .execFileSync spawn spawnSync execFile execFileSync execa execa.execa execa.execaSync execa.default",
    ),
    (D::Command, "Bun.spawn Bun.spawnSync execaSync"),
    (
        D::Evaluate,
        "eval Function AsyncFunction GeneratorFunction vm.runInNewContext vm.runInThisContext vm.runInContext vm.Script \
         vm.compileFunction constructor.constructor ._compile",
    ),
    (D::EvaluateText, "setTimeout setInterval setImmediate"),
    (D::Load(0), "require import module.require ._load importScripts"),
    (D::Load(1), "process.dlopen"),
    (D::Unpack, "node-serialize.unserialize serialize.unserialize funcster.deepDeserialize"),
    (D::Opaque, "process.binding process._linkedBinding ._linkedBinding repl.start Deno.dlopen"),
    (
        D::Sql,
        ".query .$executeRawUnsafe .$queryRawUnsafe .$executeRaw .$queryRaw db.run db.exec db.prepare .raw knex.raw sequelize.query connection.execute pool.execute client.execute db.execute",
    ),
    (D::Http(""), "https.request http.request"),
    (D::Send, ".sendMail"),
    (D::Http(""), "fetch axios got needle node-fetch undici.fetch ky"),
    (D::Http("GET"), "axios.get https.get http.get got.get ky.get"),
    (D::Http("POST"), "axios.post got.post ky.post navigator.sendBeacon"),
    (D::Http("PUT"), "axios.put got.put ky.put"),
    (D::Http("PATCH"), "axios.patch got.patch ky.patch"),
    (D::Http("DELETE"), "axios.delete got.delete ky.delete"),
    (D::Connect, "net.connect net.createConnection tls.connect"),
    (D::Kill, "process.kill"),
];

const RUBY: &[(Does, &str)] = &[
    (
        D::Files(O::Delete),
        "File.delete File.unlink FileUtils.rm FileUtils.rm_f FileUtils.remove FileUtils.safe_unlink IO.delete",
    ),
    (
        D::Tree,
        "FileUtils.rm_rf FileUtils.rm_r FileUtils.remove_dir FileUtils.remove_entry FileUtils.remove_entry_secure FileUtils.rmtree rm_rf rm_r",
    ),
    (D::File(O::Delete, E::One), "Dir.rmdir Dir.delete Dir.unlink FileUtils.rmdir"),
    (D::OnFile(O::Delete, E::One), ".unlink .rmdir"),
    (D::OnTree, ".rmtree"),
    (D::File(O::Update, E::All), "File.write IO.write File.binwrite File.truncate"),
    (D::File(O::Read, E::One), "File.read IO.read File.readlines File.binread"),
    (D::Like("mv"), "File.rename FileUtils.mv FileUtils.move"),
    (D::Between(O::Read), "FileUtils.cp FileUtils.cp_r FileUtils.copy"),
    (D::List, "Dir.glob Dir.entries Dir.children Dir.each_child"),
    (D::Open(1), "File.open open File.new"),
    (
        D::Program,
        "system exec spawn sh Kernel.system Kernel.exec Process.spawn IO.popen Open3.capture2 Open3.capture3 Open3.capture2e Open3.popen3",
    ),
    (
        D::Evaluate,
        "eval instance_eval class_eval module_eval Kernel.eval .instance_eval .class_eval .module_eval binding.eval TOPLEVEL_BINDING.eval",
    ),
    (D::Load(0), "require require_relative load Kernel.load Kernel.require"),
    (D::Unpack, "Marshal.load Marshal.restore YAML.unsafe_load YAML.unsafe_load_file Psych.unsafe_load Oj.object_load"),
    (D::Opaque, "syscall Kernel.syscall Fiddle.Function.new Fiddle.dlopen IRB.start binding.irb"),
    (D::Sql, ".execute .exec_query .exec .exec_params .execute_batch .find_by_sql .select_all"),
    (D::Http("GET"), "Net.HTTP.get HTTP.get URI.open Net.HTTP.get_response HTTParty.get Faraday.get RestClient.get"),
    (D::Http("POST"), "Net.HTTP.post Net.HTTP.post_form HTTP.post HTTParty.post Faraday.post RestClient.post"),
    (D::Http("PUT"), "HTTP.put HTTParty.put Faraday.put RestClient.put"),
    (D::Http("DELETE"), "HTTP.delete HTTParty.delete Faraday.delete RestClient.delete"),
    (D::Connect, "TCPSocket.new TCPSocket.open Socket.tcp"),
    (D::Kill, "Process.kill"),
    (D::Like("chmod"), "File.chmod FileUtils.chmod FileUtils.chmod_R"),
    (D::Like("chown"), "File.chown FileUtils.chown FileUtils.chown_R"),
];

const PERL: &[(Does, &str)] = &[
    (D::Files(O::Delete), "unlink"),
    (D::Tree, "rmtree remove_tree File.Path.rmtree File.Path.remove_tree"),
    (D::File(O::Delete, E::One), "rmdir"),
    (D::File(O::Update, E::All), "truncate"),
    (D::Like("mv"), "rename move"),
    (D::Between(O::Read), "copy"),
    (D::Open(1), "open"),
    (D::Program, "system exec"),
    (D::Evaluate, "eval"),
    (D::Load(0), "require do"),
    (D::Unpack, "thaw retrieve Storable.thaw Storable.retrieve"),
    (D::Opaque, "syscall"),
    (D::Sql, ".do .prepare .selectall_arrayref .selectrow_array"),
    (D::Http("GET"), "LWP.Simple.get get getstore .get"),
    (D::Http("POST"), ".post"),
    (D::Connect, "IO.Socket.INET.new"),
    (D::Like("chmod"), "chmod"),
    (D::Like("chown"), "chown"),
    (D::Kill, "kill"),
];

const PHP: &[(Does, &str)] = &[
    (D::File(O::Delete, E::One), "unlink rmdir"),
    (D::File(O::Update, E::All), "file_put_contents ftruncate"),
    (D::Like("mv"), "rename"),
    (D::Between(O::Read), "copy"),
    (D::Open(1), "fopen file_get_contents readfile file"),
    (D::Shell, "system exec shell_exec passthru popen proc_open pcntl_exec"),
    (D::Evaluate, "eval assert create_function"),
    (D::Load(0), "include include_once require require_once"),
    (D::Unpack, "unserialize igbinary_unserialize yaml_parse"),
    (D::Opaque, "FFI.cdef FFI.load dl"),
    (D::Sql, "mysql_query .query .exec .prepare .statement DB.statement DB.unprepared"),
    (D::SqlOver, "mysqli_query mysqli_multi_query mysqli_real_query pg_query pg_send_query sqlite_query"),
    (D::Http("GET"), "curl_init Http.get"),
    (D::Send, "curl_setopt curl_setopt_array mail"),
    (D::Http("POST"), "Http.post"),
    (D::Http("DELETE"), "Http.delete"),
    (D::Connect, "fsockopen stream_socket_client"),
    (D::Kill, "posix_kill"),
    (D::Like("chmod"), "chmod"),
    (D::Like("chown"), "chown"),
    (D::Each, "array_map array_walk"),
];

const LUA: &[(Does, &str)] = &[
    (D::File(O::Delete, E::One), "os.remove lfs.rmdir"),
    (D::Like("mv"), "os.rename"),
    (D::File(O::Create, E::One), "lfs.mkdir"),
    (D::List, "lfs.dir"),
    (D::Open(1), "io.open"),
    (D::File(O::Read, E::One), "io.lines io.input"),
    (D::File(O::Update, E::All), "io.output"),
    (D::Shell, "os.execute io.popen vim.fn.system"),
    (D::Evaluate, "load loadstring"),
    (D::Load(0), "dofile loadfile require package.loadlib"),
    (D::Sql, ".execute .exec"),
    (D::Http("GET"), "http.request https.request"),
    (D::Connect, "socket.connect"),
];

const R: &[(Does, &str)] = &[
    (D::Tree, "unlink fs.dir_delete dir_delete"),
    (D::Files(O::Delete), "file.remove fs.file_delete file_delete"),
    (D::Like("mv"), "file.rename fs.file_move"),
    (D::Between(O::Read), "file.copy fs.file_copy fs.dir_copy"),
    (D::File(O::Create, E::One), "dir.create fs.dir_create"),
    (D::File(O::Update, E::All), "file.create sink pdf png jpeg svg ggsave"),
    (
        D::File(O::Read, E::One),
        "readLines read.csv read.csv2 read.table read.delim readRDS load read_csv read_tsv read_excel fread scan \
         readr.read_csv data.table.fread jsonlite.fromJSON fromJSON",
    ),
    (
        D::Onto(1),
        "writeLines write.csv write.csv2 write.table saveRDS write_csv write_tsv fwrite readr.write_csv \
         data.table.fwrite write jsonlite.write_json write_json",
    ),
    (D::List, "list.files list.dirs dir fs.dir_ls"),
    (D::Open(1), "file"),
    (D::Shell, "system shell"),
    (D::Spawn, "system2 processx.run"),
    (D::Evaluate, "eval"),
    (D::Unpack, "unserialize"),
    (D::Load(0), "source sys.source dyn.load"),
    (
        D::SqlOver,
        "dbExecute dbSendQuery dbGetQuery dbSendStatement DBI.dbExecute DBI.dbGetQuery DBI.dbSendQuery DBI.dbSendStatement",
    ),
    (D::Http("GET"), "httr.GET GET download.file url httr2.request"),
    (D::Http("POST"), "httr.POST POST"),
    (D::Http("PUT"), "httr.PUT PUT"),
    (D::Http("DELETE"), "httr.DELETE DELETE"),
    (D::Like("chmod"), "Sys.chmod"),
    (D::Kill, "tools.pskill pskill"),
    (D::Connect, "socketConnection"),
];

const GO: &[(Does, &str)] = &[
    (D::File(O::Delete, E::One), "os.Remove syscall.Unlink syscall.Rmdir"),
    (D::Tree, "os.RemoveAll"),
    (D::File(O::Update, E::All), "os.WriteFile ioutil.WriteFile os.Create os.Truncate"),
    (D::File(O::Read, E::One), "os.ReadFile ioutil.ReadFile os.Open"),
    (D::File(O::Create, E::One), "os.Mkdir os.MkdirAll"),
    (D::List, "os.ReadDir ioutil.ReadDir filepath.Glob filepath.Walk filepath.WalkDir"),
    (D::Like("mv"), "os.Rename"),
    (D::Like("chmod"), "os.Chmod"),
    (D::Like("chown"), "os.Chown"),
    (D::Program, "exec.Command"),
    (D::Spawn, "syscall.Exec"),
    (D::Sql, ".Exec .Query .QueryRow .MustExec"),
    (D::Http("GET"), "http.Get"),
    (D::Http("POST"), "http.Post http.PostForm"),
    (D::Request, "http.NewRequest"),
    (D::Connect, "net.Dial net.DialTimeout tls.Dial"),
    (D::Kill, "syscall.Kill"),
];

/// How a language writes strings and comments.
pub(super) fn syntax(language: Language) -> &'static Syntax {
    const C: Syntax = Syntax {
        line_comments: &["//"],
        block_comment: Some(("/*", "*/")),
        python: false,
        backtick: Backtick::Template,
        double: Interpolation::None,
        regex: true,
        quote_words: false,
        bare_calls: false,
        dot_joins: false,
        long_brackets: false,
    };
    const HASH: Syntax = Syntax { line_comments: &["#"], block_comment: None, ..C };
    static JAVASCRIPT: Syntax = C;
    static PYTHON: Syntax = Syntax { python: true, regex: false, backtick: Backtick::Mark, ..HASH };
    static RUBY: Syntax =
        Syntax { backtick: Backtick::Shell, double: Interpolation::Hash, quote_words: true, bare_calls: true, ..HASH };
    static PERL: Syntax = Syntax {
        backtick: Backtick::Shell,
        double: Interpolation::Sigil,
        quote_words: true,
        bare_calls: true,
        dot_joins: true,
        ..HASH
    };
    static PHP: Syntax = Syntax {
        line_comments: &["//", "#"],
        backtick: Backtick::Shell,
        double: Interpolation::Sigil,
        regex: false,
        dot_joins: true,
        ..C
    };
    static LUA: Syntax = Syntax {
        line_comments: &["--"],
        block_comment: Some(("--[[", "]]")),
        backtick: Backtick::Mark,
        regex: false,
        bare_calls: true,
        long_brackets: true,
        ..C
    };
    static R: Syntax = Syntax { backtick: Backtick::Mark, regex: false, ..HASH };
    static GO: Syntax = Syntax { regex: false, ..C };
    match language {
        Language::Lua => &LUA,
        Language::R => &R,
        Language::Go => &GO,
        Language::Python => &PYTHON,
        Language::Ruby => &RUBY,
        Language::Perl => &PERL,
        Language::Php => &PHP,
        _ => &JAVASCRIPT,
    }
}
