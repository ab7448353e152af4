#!/usr/bin/env bash
# Does the work of action.yml. The script checks manifests, compares policies if OLD is set, or lists policies without
# effect if FINDINGS is set. The script annotates lines, and writes the result for the following steps. If there are
# violations, differences or findings, the script still succeeds, so that the following steps run. The last step of the
# action fails if there are violations, differences or findings.
set -euo pipefail

if [ -z "$PACKAGE" ]; then
  PACKAGE=capabilitypolicy@$(node -p 'require(`${process.env.ACTION_PATH}/package.json`).version')
fi

add() { # FLAG LINES
  while IFS= read -r line; do
    if [ -n "$line" ]; then arguments+=("$1" "$line"); fi
  done <<<"$2"
}
# Each question has its own comment, and its own category in code scanning.
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

# cappol is installed only once, outside the repository, so that the repository's npm files have no effect.
folder=$(mktemp -d "$RUNNER_TEMP/cappol-XXXXXX")
npm install --prefix "$folder" --no-audit --no-fund --silent "$PACKAGE"
cappol=$folder/node_modules/.bin/cappol

code=0
"$cappol" "${arguments[@]}" --output github || code=$?
# The second run and the third run would repeat the lines of the first run on standard error, so these lines are
# dropped.
"$cappol" "${arguments[@]}" --output sarif >"$folder/cappol.sarif" 2>/dev/null || true
"$cappol" "${arguments[@]}" --output markdown >"$folder/cappol.md" 2>/dev/null || true
# If the file for the comment were empty, the comment of an earlier run would remain unchanged.
if [ ! -s "$folder/cappol.md" ]; then
  echo "### CapabilityPolicy: \`cappol ${arguments[0]}\` has no result; the log of the workflow says why" >"$folder/cappol.md"
fi
cat "$folder/cappol.md" >>"$GITHUB_STEP_SUMMARY"
{
  echo "code=$code"
  echo "question=$question"
  echo "markdown=$folder/cappol.md"
  # If the command line was wrong, the SARIF file is empty, and `sarif` is not set.
  if [ -s "$folder/cappol.sarif" ]; then echo "sarif=$folder/cappol.sarif"; fi
} >>"$GITHUB_OUTPUT"
