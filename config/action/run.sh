#!/usr/bin/env bash
# Does the work of action.yml. The script checks manifests, compares policies if OLD is set, or lists policies without
# effect if FINDINGS is set. It annotates lines, and writes the result for the following steps. If there are violations,
# differences or findings, this step does not fail, so that the following steps run. The last step of the action fails
# instead.
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

# cappol is installed only once, outside the repository, so that the repository's npm files have no effect.
folder=$(mktemp -d "$RUNNER_TEMP/cappol-XXXXXX")
npm install --prefix "$folder" --no-audit --no-fund --silent "$PACKAGE"
cappol=$folder/node_modules/.bin/cappol

code=0
"$cappol" "${arguments[@]}" --output github || code=$?
# Standard error is dropped, because it has the same lines as in the first run.
"$cappol" "${arguments[@]}" --output sarif >"$folder/cappol.sarif" 2>/dev/null || true
"$cappol" "${arguments[@]}" --output markdown >"$folder/cappol.md" 2>/dev/null || true
# Without a new text, the comment of an earlier run would stay.
if [ ! -s "$folder/cappol.md" ]; then
  echo "### CapabilityPolicy: \`cappol ${arguments[0]}\` has no result; the log of the workflow says why" >"$folder/cappol.md"
fi
cat "$folder/cappol.md" >>"$GITHUB_STEP_SUMMARY"
{
  echo "code=$code"
  echo "question=$question"
  echo "markdown=$folder/cappol.md"
  # The value is empty if the command line was wrong.
  if [ -s "$folder/cappol.sarif" ]; then echo "sarif=$folder/cappol.sarif"; fi
} >>"$GITHUB_OUTPUT"
