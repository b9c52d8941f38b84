//! What becomes of texts: which word is meant, and that all else stays as it is.

use super::{exec, none, shell, sql};

#[test]
fn a_space_in_a_path() {
    shell("path-space", "rm -rf /usr/lib/x", &["rm -rf /usr /lib/x", "rm -rf /usr/lib /x"]);
    shell("path-space", "rm -rf ~/x/y", &["rm -rf ~ /x/y"]);
    shell("path-space", "rm -rf $HOME/x", &["rm -rf $HOME /x"]);
    shell(
        "path-space",
        "make && sudo rm -rf /opt/ünit/a; ls",
        &["make && sudo rm -rf /opt /ünit/a; ls", "make && sudo rm -rf /opt/ünit /a; ls"],
    );
    shell("path-space", "rm -rf '/usr/lib/x'", &[]);
    shell("path-space", "rm -rf ./build /tmp/x /var/tmp/y node_modules/", &[]);
    // Before the last slash there would be nothing but the root behind the space.
    shell("path-space", "rm -rf /srv/x/", &["rm -rf /srv /x/"]);
    exec("path-space", "rm -rf /usr/lib/x", &["rm -rf /usr /lib/x", "rm -rf /usr/lib /x"]);
}

#[test]
fn a_space_beside_a_star() {
    shell("star-space", "rm -rf build/*", &["rm -rf build/ *"]);
    shell("star-space", "rm *.o", &["rm * .o"]);
    shell("star-space", "rm -f tmp*", &["rm -f tmp *"]);
    shell("star-space", "rm -f '*.o'", &[]);
    shell("star-space", "rm -f *", &[]);
}

#[test]
fn letters_before_a_star() {
    shell("star-prefix-lost", "rm -rf out/tmp-*", &["rm -rf out/*"]);
    shell("star-prefix-lost", "rm -f *.log", &[]);
    shell("star-prefix-lost", "rm -f $X*", &[]);
}

#[test]
fn quotes() {
    shell("quotes-lost", "rm -rf \"/home/dev/My Files/old\"", &["rm -rf /home/dev/My Files/old"]);
    shell("quotes-lost", "rm -rf ~/'My Files'/old", &["rm -rf ~/My Files/old"]);
    shell("quotes-lost", "rm -rf \"build\"", &[]);
    exec("quotes-lost", "rm -rf '/home/dev/My Files'", &["rm -rf /home/dev/My Files"]);
}

#[test]
fn dots() {
    shell("dot-slash-lost", "rm -rf ./~", &["rm -rf ~"]);
    shell("dot-slash-lost", "rm -rf './~'", &[]);
    shell("dot-lost", "rm -rf ./usr/share", &["rm -rf /usr/share"]);
    shell("dot-lost", "rm -rf ./build", &[]);
    exec("dot-lost", "rm -rf './*'", &[]);
}

#[test]
fn empty_variables() {
    shell("variable-empty", "rm -rf \"$DIR/\"*", &["rm -rf \"/\"*"]);
    shell("variable-empty", "rm -rf ${DIR}/x", &["rm -rf /x"]);
    shell("variable-empty", "rm -rf /srv/$APP", &["rm -rf /srv/"]);
    shell("variable-empty", "rm -rf \"$A/$B\"", &["rm -rf \"/$B\"", "rm -rf \"$A/\"", "rm -rf \"/\""]);
    shell("variable-empty", "rm -rf \"$1/cache\"", &["rm -rf \"/cache\""]);
    for text in [
        "rm -rf \"${DIR:?}/\"*",
        "rm -rf \"${DIR:-x}/\"*",
        "rm -rf $HOME/x",
        "rm -rf '$DIR/x'",
        "DIR=/srv/x; rm -rf $DIR/y",
        "for d in a b; do rm -rf $d/x; done",
        "set -eu; rm -rf $DIR/x",
        "rm -rf \"$DIR\"",
    ] {
        none("variable-empty", text);
    }
    shell("variable-empty", "DIR=$(mktemp -d); rm -rf \"$DIR/x\"", &["DIR=$(mktemp -d); rm -rf \"/x\""]);
}

#[test]
fn parents() {
    shell("parent-folder", "rm -rf ~/x", &["rm -rf ~"]);
    shell("parent-folder", "rm -rf /srv", &["rm -rf /"]);
    shell("parent-folder", "rm -rf /srv/app/cache/", &["rm -rf /srv/app/"]);
    shell("parent-folder", "rm -rf \"/srv/my app/x\"", &["rm -rf \"/srv/my app\""]);
    shell("parent-folder", "rm -rf ./build", &[]);
    shell("parent-folder", "rm -rf build", &[]);
    shell("parent-folder", "rm -rf /srv/app/*", &[]);
    shell(
        "parent-id",
        "aws s3 rm s3://shop/a/b --recursive",
        &["aws s3 rm s3://shop/a --recursive", "aws s3 rm s3://shop --recursive"],
    );
    shell("parent-id", "aws s3 rm s3://shop --recursive", &[]);
}

#[test]
fn the_command_that_the_effect_stands_in() {
    shell("path-space", "ssh web1 'rm -rf /usr/x/y'", &["ssh web1 'rm -rf /usr /x/y'", "ssh web1 'rm -rf /usr/x /y'"]);
    shell("path-space", "bash -c \"cd /a/b/c && rm -rf ~/x\"", &["bash -c \"cd /a/b/c && rm -rf ~ /x\""]);
    shell("parent-folder", "cat <<EOF\n/a/b\nEOF\nrm -rf ~/x # /c/d", &["cat <<EOF\n/a/b\nEOF\nrm -rf ~ # /c/d"]);
    shell(
        "path-space",
        "echo '/usr/x'; rm -rf \\\n  ~/x > /usr/log/x",
        &["echo '/usr/x'; rm -rf \\\n  ~ /x > /usr/log/x"],
    );
}

#[test]
fn statements() {
    sql("where-lost", "DELETE FROM t WHERE id IN (SELECT id FROM u WHERE x)", &["DELETE FROM t"]);
    sql("where-lost", "DELETE FROM t -- WHERE all\n where note = 'a; WHERE b';", &["DELETE FROM t -- WHERE all;"]);
    sql(
        "where-lost",
        "SELECT 1; UPDATE t SET a = 'ü' WHERE id = 1; SELECT 2",
        &["SELECT 1; UPDATE t SET a = 'ü'; SELECT 2"],
    );
    sql("where-lost", "DELETE FROM t WHERE a ORDER BY b LIMIT 5", &["DELETE FROM t ORDER BY b LIMIT 5"]);
    sql("where-lost", "DELETE FROM t", &[]);
    shell("where-lost", "psql shop -c \"DELETE FROM t WHERE id = 1\"", &["psql shop -c \"DELETE FROM t\""]);
    shell(
        "where-lost",
        "psql shop <<SQL\nDELETE FROM t\nWHERE id = 1;\nSQL\n",
        &["psql shop <<SQL\nDELETE FROM t;\nSQL\n"],
    );
    exec("where-lost", "mysql -e 'DELETE FROM t WHERE id = 1' shop", &["mysql -e 'DELETE FROM t' shop"]);
    sql("where-cut-off", "DELETE FROM t WHERE id = 1", &[]);
    sql("limit-lost", "DELETE FROM t LIMIT 5 ", &["DELETE FROM t "]);
}

#[test]
fn flags() {
    shell("dry-run-lost", "rsync -an --delete src/ mirror/", &["rsync -a --delete src/ mirror/"]);
    shell("dry-run-lost", "rsync -n -a --delete src/ mirror/", &["rsync -a --delete src/ mirror/"]);
    shell("selection-lost", "terraform destroy -target a.b -auto-approve", &["terraform destroy -auto-approve"]);
    shell("dry-run-lost", "kubectl delete pod a -n dry-run --dry-run=client", &["kubectl delete pod a -n dry-run"]);
    exec(
        "dry-run-lost",
        "aws ec2 terminate-instances --instance-ids i-0 --dry-run",
        &["aws ec2 terminate-instances --instance-ids i-0"],
    );
    shell("flag-for-flag", "git clean -nd", &["git clean -fd"]);
    shell("guard-off", "git push origin main && ls", &["git push --force origin main && ls"]);
    shell("guard-off", "git push --force-with-lease origin main", &[]);
    shell(
        "guard-off",
        "gcloud container clusters delete main --project p",
        &["gcloud container clusters delete --quiet main --project p"],
    );
    shell("branch-lost", "git push -f origin topic", &["git push -f origin"]);
    shell("branch-lost", "git push origin topic", &[]);
    shell("branch-lost", "git push -f origin", &[]);
}

#[test]
fn counts_and_all() {
    shell("all-for-one", "kubectl -n shop delete pods a b", &["kubectl -n shop delete pods --all"]);
    shell("all-for-one", "kubectl delete -n shop pod/a", &["kubectl delete -n shop pod --all"]);
    shell("all-for-one", "kubectl delete pods -l app=x", &[]);
    shell(
        "all-namespaces",
        "kubectl delete pods -l app=x --namespace=shop",
        &["kubectl delete pods -l app=x --all-namespaces"],
    );
    shell("all-namespaces", "kubectl delete pod a -n shop", &[]);
    shell("count-times-ten", "kubectl scale deploy/x --replicas=3", &["kubectl scale deploy/x --replicas=30"]);
}

#[test]
fn the_command_before() {
    shell("cd-failed", "cd out\nrm -rf *", &["rm -rf *"]);
    shell("cd-failed", "cd out && rm -rf *", &[]);
    shell("cd-failed", "set -e; cd out; rm -rf *", &[]);
    shell("stash-untracked-lost", "git stash -u && git clean -fd", &["git stash && git clean -fd"]);
    shell("stash-untracked-lost", "git stash && git clean -fd", &[]);
}
