// Writes src/classify/command/values.txt: options that take a value, of programs whose spec leaves some of them out.
//
//   npm pack @withfig/autocomplete && tar xzf withfig-autocomplete-*.tgz
//   node scripts/option-values.mjs package/build src/classify/command/catalog > src/classify/command/values.txt
//
// Source: Fig's completion specs (MIT, Copyright (c) 2021 Hercules Labs Inc.). Only names of options are taken, and
// only where all commands of a program that know the option agree that it takes a value.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [build, catalog] = process.argv.slice(2);
if (!build || !catalog) {
  console.error("usage: option-values.mjs FIG_BUILD_FOLDER CATALOG_FOLDER");
  process.exit(2);
}

/** Programs of the catalogue that read an option they do not list as one without a value, with the text of their spec. */
function open() {
  const found = new Map();
  for (const file of readdirSync(catalog).filter((name) => name.endsWith(".toml")).sort()) {
    for (const table of readFileSync(`${catalog}/${file}`, "utf8").split(/^\[\[program\]\]$/m).slice(1)) {
      const names = /^names = \[([^\]]*)\]/m.exec(table)?.[1].match(/"[^"]+"/g) ?? [];
      const own = table.split(/^\[\[program\./m)[0];
      const closed = /^unknown = "value"/m.test(own) || /^style = /m.test(own) || /^options = "first"/m.test(own);
      // A program that shares its spec with many others has none of its own worth completing.
      if (!closed && names.length <= 12) for (const name of names) found.set(name.slice(1, -1), table);
    }
  }
  return found;
}

// The most used ones are enough: on 4,500 recorded commands the whole table decides one option in a hundred commands.
const WANTED = new Set(
  (
    "ansible ansible-galaxy ansible-playbook bazel brew bun bundle cargo cmake conda diff django-admin docker " +
    "docker-compose dotnet fd gem git gpg gradle helm jq kubectl launchctl make mamba mix molecule mongosh mount " +
    "multipass mysql npm pg_dump pip pip3 pipx pm2 pnpm podman pre-commit prisma psql rclone rsync systemctl uv wp yarn"
  ).split(" "),
);
// Read by hand: these take none, whatever the completion offers behind them.
const WRONG = new Set(
  (
    "--audit --browser --check-inhibitors --context --delete --dirs --emoji --environment-overrides --follow " +
    "--get-color --get-colorbool --install --native-tls --no-binary-package --no-build-isolation --no-build-package --omit-dir-times " +
    "--prune --recursive --show-function-line --skip-wait-for-delete-timeout --use-manifest --verbose --viewer " +
    "--tlsDisabledProtocols --untardir --upgrade --user --sign --signed --force --legend --color --groups --local-infile --pager " +
    "--optional --quiet --unshallow --output-patch --colour --cached --dry-run --sync --arguments-only --namespaces --no-preserve " +
    "--remove --binstubs --edit --test --which --all-inactive --append --category --document --build --parallel " +
    "--update --invert --interface-only"
  ).split(" "),
);

const list = (value) => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

/** Adds each option below `spec` to those with a value, or to those without. */
function collect(spec, seen, depth = 0) {
  for (const option of list(spec.options)) {
    const values = list(option.args).filter((arg) => !arg.isOptional);
    const attached = option.requiresSeparator || option.requiresEquals;
    for (const name of list(option.name)) {
      if (!/^--?[A-Za-z][\w-]*$/.test(name)) continue;
      const set = values.length > 0 && !attached ? seen.taking : seen.plain;
      set.add(name);
    }
  }
  if (depth < 6) for (const command of list(spec.subcommands)) collect(command, seen, depth + 1);
}

const rows = [];
for (const [name, table] of [...open()].sort(([a], [b]) => (a < b ? -1 : 1))) {
  const path = `${build}/${name}.js`;
  if (!WANTED.has(name) || !existsSync(path)) continue;
  const { default: spec } = await import(pathToFileURL(resolve(path)).href);
  if (typeof spec !== "object" || spec === null) continue;
  const seen = { taking: new Set(), plain: new Set() };
  collect(spec, seen);
  const listed = (option) => new RegExp(`(^|[\\s"|{!=&])${option}($|[\\s"|}=&:])`, "m").test(table);
  const wanted = [...seen.taking].filter((option) => !seen.plain.has(option) && !listed(option));
  // Letters mean too many things to too many versions (`diff -u`, `make -e`).
  const plain = wanted.filter((option) => option.startsWith("--") && !WRONG.has(option));
  if (plain.length > 0) rows.push(`${name} ${plain.sort().join(" ")}`);
}
console.log("# Options that take a value and that the specs beside do not list; see scripts/option-values.mjs.");
console.log("# From Fig's completion specs, MIT License, Copyright (c) 2021 Hercules Labs Inc. (Fig).");
console.log(rows.join("\n"));
