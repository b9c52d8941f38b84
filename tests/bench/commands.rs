//! Distinct commands and statements, made from shapes that real logs are full of.

/// `{n}` is another number each time, so that no two are alike.
const SHELL: &[&str] = &[
    "git status --short",
    "cd /srv/app{n} && npm test -- --run src/report{n}",
    "grep -rn 'handler{n}' src --include='*.rs' | head -20",
    "rm -rf build{n} dist/cache",
    "cat /var/log/app/{n}.log | sort | uniq -c | sort -rn | head",
    "docker ps -a --filter name=web{n}",
    "kubectl -n shop get pods -l app=web{n} -o json | jq '.items[].metadata.name'",
    "git add -A && git commit -m \"report {n}: fix totals\"",
    "psql -h db{n} -d shop -c 'SELECT count(*) FROM orders WHERE id > {n}'",
    "for f in a{n} b{n}; do gzip -9 \"$f\"; done",
    "find . -name '*.tmp{n}' -mtime +7 -print",
    "curl -fsSL https://example.com/v{n}/list.json -o list{n}.json",
    "export STAGE=test{n}; python3 -m pytest -q tests/test_{n}.py",
    "tar czf backup-{n}.tar.gz data/{n}",
    "ssh web{n} 'systemctl status app'",
    "echo \"done {n}\" >> progress.log 2>&1",
];

const SQL: &[&str] = &[
    "SELECT id, total FROM orders WHERE customer_id = {n}",
    "UPDATE orders SET status = 'shipped' WHERE id = {n}",
    "INSERT INTO events (kind, at, payload) VALUES ('click', now(), '{\"n\": {n}}')",
    "DELETE FROM carts WHERE id = {n}",
    "SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.total > {n} ORDER BY o.id LIMIT 50",
    "WITH recent AS (SELECT * FROM events WHERE id > {n}) SELECT kind, count(*) FROM recent GROUP BY kind",
    "ALTER TABLE report_{n} ADD COLUMN note text",
    "BEGIN",
    "CREATE INDEX idx_{n} ON events (kind, at)",
    "SELECT count(*) FROM invoices WHERE paid AND due < '2026-11-{n}'",
];

pub(crate) fn shell(count: usize) -> Vec<String> {
    made(SHELL, count)
}

pub(crate) fn sql(count: usize) -> Vec<String> {
    made(SQL, count)
}

fn made(shapes: &[&str], count: usize) -> Vec<String> {
    let mut texts = Vec::with_capacity(count);
    let mut number = 0;
    while texts.len() < count {
        let shape = shapes[number % shapes.len()];
        // A shape without a number is the same each time: it gets one as a comment would not change its reading.
        let text = if shape.contains("{n}") { shape.replace("{n}", &number.to_string()) } else { shape.to_owned() };
        texts.push(text);
        number += 1;
    }
    texts
}
