#!/usr/bin/env bash
# The work of action.yml: checks manifests, compares policies if OLD is set, or lists policies without effect if FINDINGS is
# set. Annotates lines, and writes the result for the steps that follow. It does not fail when there are violations,
# differences or findings, so that these steps run; the last step does.
set -euo pipefail

if [ -z "$PACKAGE" ]; then
  PACKAGE=capabilitypolicy@$(node -p 'require(`${process.env.ACTION_PATH}/package.json`).version')
fi

add() { # FLAG LINES
  while IFS= read -r line; do
    if [ -n "$line" ]; then arguments+=("$1" "$line"); fi
  done <<<"$2"
}
# Each question has a comment and a category of code scanning of its own.
if [ -n "$OLD" ]; then
  question=compare
  arguments=(compare "$OLD" "$NEW")
elif [ -n "$FINDINGS" ]; then
  question=findings
  arguments=(compare "$FINDINGS")
else
  question=check
  arguments=(check)
  add --filename "$FILES"
  add --policy "$POLICY"
  add --level "$LEVEL"
fi
add --fail-on "$FAIL_ON"
while IFS= read -r line; do
  if [ -n "$line" ]; then arguments+=("$line"); fi
done <<<"$ARGUMENTS"

# Installed once, outside the repository, so that a file of npm there changes nothing.
folder=$(mktemp -d "$RUNNER_TEMP/cappol-XXXXXX")
npm install --prefix "$folder" --no-audit --no-fund --silent "$PACKAGE"
cappol=$folder/node_modules/.bin/cappol

code=0
"$cappol" "${arguments[@]}" --output github || code=$?
# Standard error has the same lines as above.
"$cappol" "${arguments[@]}" --output sarif >"$folder/cappol.sarif" 2>/dev/null || true
"$cappol" "${arguments[@]}" --output markdown >"$folder/cappol.md" 2>/dev/null || true
# Otherwise the comment of an earlier run would stay.
if [ ! -s "$folder/cappol.md" ]; then
  echo "### CapabilityPolicy: \`cappol ${arguments[0]}\` has no result; the log of the workflow says why" >"$folder/cappol.md"
fi
cat "$folder/cappol.md" >>"$GITHUB_STEP_SUMMARY"
{
  echo "code=$code"
  echo "question=$question"
  echo "markdown=$folder/cappol.md"
  # Empty if the command line was wrong.
  if [ -s "$folder/cappol.sarif" ]; then echo "sarif=$folder/cappol.sarif"; fi
} >>"$GITHUB_OUTPUT"
