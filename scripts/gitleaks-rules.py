#!/usr/bin/env python3
"""Makes src/classify/secrets/rules.toml from gitleaks' config/gitleaks.toml (MIT).

    scripts/gitleaks-rules.py path/to/gitleaks.toml > src/classify/secrets/rules.toml

Kept are id, pattern, keywords, entropy and what a rule allows. Left out are rules that need a path, rules that our own
places.toml covers (passwords by the name beside them, headers of curl), and what is common to half of the patterns:
`name = value` with quotes and spaces around, which `Rule::pattern` puts back.
"""

import sys
import tomllib

LEFT_OUT = {
    "generic-api-key",  # a secret by the name beside it: places.toml
    "curl-auth-header",
    "curl-auth-user",
    "hashicorp-tf-password",
    "kubernetes-secret-yaml",
    "pkcs12-file",
}
# Keywords that half of all text has; these are what the pattern needs all the same.
KEYWORDS = {
    "jwt": ["eyj"],
    "twilio-api-key": ["sk" + digit for digit in "0123456789abcdef"],
    "vault-service-token": ["hvs."],
    "hashicorp-tf-api-token": ["atlasv1"],
}
BEFORE = r"[\w.-]{0,50}?"
MIDDLE = r'''(?:[ \t\w.-]{0,20})[\s'"]{0,3}'''
SIGN = r'''(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)[\x60'"\s=]{0,5}'''
AFTER = r'''(?:[\x60'"\s;]|\\[nr]|$)'''

HEAD = """\
# Made by scripts/gitleaks-rules.py from the rules of gitleaks (https://github.com/gitleaks/gitleaks). Do not edit.
#
{licence}
#
# `regex`: its first group, or all of it, is the secret. `name` and `value`: a secret by the name it is given.

"""

LICENCE = """\
MIT License

Copyright (c) 2019 Zachary Rice

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE."""


def quoted(text):
    assert "'''" not in text
    return f"'{text}'" if "'" not in text else f"'''{text}'''"


def pattern(regex):
    """The lines that say the pattern, without what is common to many."""
    body = regex
    cased = False
    if body.startswith("(?i)" + BEFORE):
        body = body[len("(?i)" + BEFORE) :]
    elif body.startswith(BEFORE + "(?i:" + BEFORE):
        body = body[len(BEFORE + "(?i:" + BEFORE) :].replace(MIDDLE + ")", MIDDLE, 1)
        cased = True
    else:
        return [f"regex = {quoted(regex)}"]
    name, found, value = body.partition(MIDDLE + SIGN)
    if not found or not value.endswith(AFTER) or "|\\b" in value:
        return [f"regex = {quoted(regex)}"]
    value = value[: -len(AFTER)]
    if cased:
        value = f"(?-i:{value})"
    return [f"name = {quoted(name)}", f"value = {quoted(value)}"]


def allowed(rule):
    # A list of known examples says less than the entropy does, and `paths` are those of a repository.
    for entry in rule.get("allowlists", []):
        if "paths" not in entry and entry.get("regexTarget", "secret") == "secret":
            yield from (regex for regex in entry.get("regexes", []) if not regex.startswith("AIza"))


def main():
    with open(sys.argv[1], "rb") as file:
        rules = tomllib.load(file)["rules"]
    comment = "\n".join(("# " + line).rstrip() for line in LICENCE.split("\n"))
    out = [HEAD.format(licence=comment)]
    for rule in rules:
        if rule["id"] in LEFT_OUT:
            continue
        keywords = KEYWORDS.get(rule["id"], [word.lower() for word in rule["keywords"]])
        lines = ["[[rule]]", f'id = "{rule["id"]}"']
        lines.append("keywords = [" + ", ".join(f'"{word}"' for word in keywords) + "]")
        lines += pattern(rule["regex"])
        if rule.get("entropy"):
            lines.append(f"entropy = {float(rule['entropy'])}")
        if rule.get("secretGroup"):
            lines.append(f"group = {rule['secretGroup']}")
        allow = list(allowed(rule))
        if allow:
            lines.append("allow = [" + ", ".join(map(quoted, allow)) + "]")
        out.append("\n".join(lines) + "\n\n")
    sys.stdout.write("".join(out).rstrip("\n") + "\n")


main()
