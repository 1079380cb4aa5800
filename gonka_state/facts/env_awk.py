"""The awk half of core/env_text.py: reads and edits a file of variables on the host, whatever else is in it.

Its input is a line of `+NAME=VALUE`, `-NAME`, `?NAME` or `!NAME` per declared variable, a line `#@#`, and
the file. Nothing but these names, their values where asked with `?`, and line numbers comes out of the look.
"""

from __future__ import annotations

# A statement is one line, or several where sh goes on: an open quote, a backslash at the end.
_LIBRARY = r"""
  function scan(text,   i, c, n) {
    n = length(text)
    for (i = 1; i <= n; i++) {
      c = substr(text, i, 1)
      if (quote == "\047") { if (c == "\047") quote = "" }
      else if (c == "\\") { if (++i > n) more = 1 }
      else if (quote == "\"") { if (c == "\"") quote = "" }
      else if (c == "\047" || c == "\"") quote = c
      else if (c == "#" && (i == 1 || substr(text, i - 1, 1) ~ /[ \t;&|()]/)) return
    }
  }
  function piece(rest,   c) {
    c = substr(rest, 1, 1)
    if (c == "\047") return match(rest, /^\047[^\047\001-\037\177]*\047/) && substr(rest, RLENGTH - 1, 1) != "\\"
    if (c == "\"") return match(rest, /^"[^"$`\\\001-\037\177]*"/)
    return match(rest, /^[^\001-\040\177;&|<>()$`\\"\047~*?[{}]*/)
  }
  function closed(rest) {
    return rest ~ /^\047[^\047]*\047[ \t]*( #[^\n]*)?$/ || rest ~ /^"[^"$`\\]*"[ \t]*( #[^\n]*)?$/
  }
  # kind: idle, plain (both read it alike), word (one value that they may not), mixed, other
  function take(   rest, c) {
    kind = "other"; name = ""
    if (text ~ /^[ \t]*(#.*)?$/) { kind = "idle"; return }
    if (!match(text, /^[ \t]*(export[ \t]+)?[A-Za-z_][A-Za-z0-9_]*=/)) return
    prefix = name = substr(text, 1, RLENGTH); rest = substr(text, RLENGTH + 1)
    sub(/^[ \t]*(export[ \t]+)?/, "", name); sub(/=$/, "", name)
    kind = (rest ~ /[\n \t;&|<>()`]/ && !closed(rest)) ? "mixed" : "word"
    if (!piece(rest)) return
    value = substr(rest, 1, RLENGTH); suffix = substr(rest, RLENGTH + 1); c = substr(value, 1, 1)
    if (suffix !~ /^[ \t]*( #.*)?$/ || (value == "" && suffix ~ /#/)) return
    kind = "plain"
    if (c == "\047" || c == "\"") value = substr(value, 2, length(value) - 2)
  }
  # A declared variable that something else than its own line may set.
  function meddles(one) {
    if (one == name) return kind == "mixed"
    if (kind == "mixed") return text ~ ("[^A-Za-z0-9_]" one "=")
    return kind == "other" && text ~ ("(^|[^A-Za-z0-9_])" one "($|[^A-Za-z0-9_])")
  }
  !begun && $0 == "#@#" { begun = NR; next }
  !begun {
    verb = substr($0, 1, 1); word = substr($0, 2)
    if (verb == "+") { fresh = word; sub(/=.*$/, "", word); fresh = substr(fresh, length(word) + 2); put[word] = fresh }
    asked[word] = verb; order[++count] = word; next
  }
  { if (open) text = text "\n" $0; else { text = $0; first = NR - begun; quote = "" }
    more = 0; scan($0); open = (quote != "" || more)
    if (!open) { take(); statement() } }
"""

# v: a value; s: a secret, its value on the next line, for the shell alone; w: read differently;
# o: something else may set it; u: nobody declared it; open: the file ends within a quote.
_LOOK = r"""
  function statement(   i) {
    if (kind == "idle") return
    for (i = 1; i <= count; i++) if (meddles(order[i])) print "o\t" first "\t" order[i]
    if (kind == "other") return
    if (!(name in asked)) print "u\t" first "\t" name
    else if (kind == "word") print "w\t" first "\t" name
    else if (kind == "plain" && asked[name] == "?") print "v\t" first "\t" name "\t" value
    else if (kind == "plain") { print "s\t" first "\t" name; print value }
  }
  END { if (open) print "open\t" first }
"""

# Only the value changes on a line that both read alike; one they do not is written anew; what the file lacks
# comes at its end. A name set twice is changed where it is set last, and removed everywhere.
_EDIT = r"""
  function statement(   i) {
    for (i = 1; i <= count; i++) if (meddles(order[i])) {
      print "line " first " is more than NAME=value and speaks of " order[i] > "/dev/stderr"; bad = 1 }
    lines[++total] = text; named[total] = ""
    if (kind != "plain" && kind != "word") return
    named[total] = name; last[name] = total
    before[total] = (kind == "plain") ? prefix : "export " name "="; after[total] = (kind == "plain") ? suffix : ""
  }
  function out(line) { ORS = ""; print (said++ ? "\n" : "") line }
  END {
    if (open) { print "a quote that begins in line " first " is never closed" > "/dev/stderr"; bad = 1 }
    if (bad) exit 3
    for (i = 1; i <= total; i++) {
      name = named[i]
      if (name != "" && asked[name] == "-") continue
      if (name != "" && asked[name] == "+" && last[name] == i) out(before[i] put[name] after[i])
      else out(lines[i])
    }
    for (i = 1; i <= count; i++) if (asked[order[i]] == "+" && !(order[i] in last)) {
      out("export " order[i] "=" put[order[i]]); grown = 1 }
    if (said && (grown || !cut)) print "\n"
  }
"""

FUNCTIONS = f"""
env_look() {{ LC_ALL=C awk '{_LIBRARY}{_LOOK}'; }}
env_edit() {{ LC_ALL=C awk -v cut="$1" '{_LIBRARY}{_EDIT}'; }}
"""
"""Shell functions that filter such an input: `env_look`, and `env_edit CUT` (1: the last line has no end)."""
